// One array in NumPy's .npy format (numpy.lib.format, versions 1 to 3).
#pragma once

#include "ir/type.h"

#include <string>
#include <vector>

namespace sinter {

struct NpyArray {
  Shape shape;
  std::vector<float> values; // row-major
};

/// Float32 or float64, little-endian, in C or Fortran order. `name` stands for it in messages.
NpyArray read_npy(const std::string &name, const std::string &bytes);

enum class FloatWidth { f32, f64 };
/// `count` little-endian floats at `data`, rounded to float32.
std::vector<float> floats_from(const char *data, size_t count, FloatWidth);

} // namespace sinter

// The formats behind load_weights.
#pragma once

#include "frontend/weights.h"
#include "ir/source_location.h"

#include <string_view>

namespace sinter {

/// One array of a file. What cannot be read (text, complex numbers) has a problem instead of
/// values: it matters only when the model needs it.
struct NamedArray {
  std::string name;
  WeightArray array;
  std::string problem;
};

/// How a number is stored, little-endian.
enum class NumberFormat { f16, bf16, f32, f64, i8, u8, i16, u16, i32, u32, i64, u64 };
int64_t byte_size(NumberFormat);
std::vector<float> to_floats(std::string_view bytes, NumberFormat);

/// Elements of a shape; nothing when they are more than a tensor may have.
std::optional<int64_t> extent_product(const Shape &);

/// The arrays of an .npz archive, in the order of its directory.
std::vector<NamedArray> read_npz(const SourceLocation &file);
/// One .npy image.
NamedArray parse_npy(const std::string &name, std::string_view bytes);
/// The tensors of a .safetensors file, by name.
std::vector<NamedArray> read_safetensors(const SourceLocation &file);

} // namespace sinter

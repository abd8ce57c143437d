// Weights from a file of named arrays.
#pragma once

#include "ir/model.h"

#include <map>
#include <string>
#include <vector>

namespace sinter {

/// Row-major float32 values; other numbers were converted.
struct WeightArray {
  Shape shape;
  std::vector<float> values;
};

/// Reads `.npz` or `.safetensors` and finds an array for every parameter of the model, by
/// parameter name. "conv2d/kernel" may also be written "conv2d.kernel" or "conv2d/kernel:0"; the
/// arrays of an .npz without names (arr_0, arr_1, ... as numpy.savez(*model.get_weights()) makes
/// them) are taken in the order of the layers. Further arrays are ignored. Throws one CompileError
/// with everything that is missing or has another shape.
std::map<std::string, WeightArray> load_weights(const std::string &path, const Model &);

} // namespace sinter

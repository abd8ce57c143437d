// Tensors from a weights file: .safetensors, or .npz (a zip of .npy arrays, stored or deflated).
#pragma once

#include "ir/type.h"

#include <string>
#include <vector>

namespace sinter {

struct NamedTensor {
  std::string name;
  Shape shape;
  std::vector<float> values; // row-major
};

/// Every float tensor in the file; the kind is told by its extension. Throws CompileError naming
/// the file for anything malformed or truncated.
std::vector<NamedTensor> read_weights_file(const std::string &path);

/// k of "arr_k", the name that NumPy gives to the k-th unnamed array; -1 for other names.
int position_of(const std::string &tensor_name);

} // namespace sinter

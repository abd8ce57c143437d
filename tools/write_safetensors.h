// Weights as safetensors.
#pragma once

#include "frontend/weights.h"

namespace sinter {

using NamedWeights = std::vector<std::pair<std::string, WeightArray>>;

/// The file's bytes: values in float32, in the order given. Throws CompileError for a name that the
/// format cannot hold.
std::string safetensors_bytes(const NamedWeights &);

} // namespace sinter

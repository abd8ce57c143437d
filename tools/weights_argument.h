// The program reads safetensors alone: any other weights file is turned into one on the way.
#pragma once

#include "ir/model.h"

#include <string>
#include <vector>

namespace sinter {

/// Where `arguments` name a file for --weights that is not .safetensors, reads it (see
/// frontend/weights.h) and names an anonymous safetensors file of the same values instead. The file
/// is inherited by the program that this process becomes and goes when that ends.
void convert_weights_argument(std::vector<std::string> &arguments, const Model &);

} // namespace sinter

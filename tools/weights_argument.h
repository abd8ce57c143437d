// The program reads safetensors alone: any other weights file is turned into one on the way.
#pragma once

#include "ir/model.h"

#include <string>
#include <vector>

namespace sinter {

/// Where `arguments` name a file for --weights that the program cannot read itself, reads it (see
/// frontend/weights.h) and names an anonymous safetensors file of the same values instead. The file
/// is inherited by the program that this process becomes and goes when that ends. `map` is the path
/// of a file of names, or "".
void convert_weights_argument(std::vector<std::string> &arguments, const Model &,
                              const std::string &map = "");

} // namespace sinter

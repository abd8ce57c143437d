// The model as a picture: a graph in Graphviz's DOT language.
#pragma once

#include "ir/model.h"

#include <string>

namespace sinter {

/// One box a layer and an arrow for each of its inputs; where the model has no layers (an imported
/// graph), or `operations` asks for it, one box an operation, its parameters and constants left
/// out.
std::string dot_text(const Model &, bool operations);

} // namespace sinter

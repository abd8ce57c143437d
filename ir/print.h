// The text form of graphs and models (.sir). Exact and complete: parsing what is printed gives
// the same graph. docs/ir.md is its reference.
#pragma once

#include "ir/model.h"

#include <string>

namespace sinter {

/// One line, without a line break: `%2 = conv2d %0, %1 {padding=[1,1,1,1]} : f32[N,8,8,4] @conv2d`.
std::string print_node(const Graph &, NodeId);

/// `graph { ... }`, one node a line, then outputs and updates.
std::string print(const Graph &);

/// Whether nodes and layers say where in the user's file they come from.
enum class Locations { printed, left_out };

/// A whole .sir file: `model "name" { ... }` and the graph.
std::string print(const Model &, Locations = Locations::printed);

} // namespace sinter

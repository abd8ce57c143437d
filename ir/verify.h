// The invariants of a graph. This list is the IR's contract; each check quotes its number.
//
//  1. Every operand precedes its user: nodes are in topological order.
//  2. The number of operands is what the op takes.
//  3. The attributes are of the struct that ops.def gives the op.
//  4. The stored type is the one that the op's type rule infers.
//  5. Outputs name existing nodes, each name once.
//  6. An update's parameter is a `parameter` node, updated once, and its value has the same type.
//  7. Parameter names and input names are unique and not empty.
//  8. Only dimension 0 may be the batch.
#pragma once

#include "ir/graph.h"

namespace sinter {

/// Throws InternalError naming the invariant and the node.
void verify(const Graph &);

} // namespace sinter

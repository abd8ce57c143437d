// The order in which a graph's nodes are imported.
#pragma once

#include "ir/source_location.h"

#include <onnx/onnx_pb.h>
#include <vector>

namespace sinter {

/// Indices of the nodes that the graph's outputs need, producers first. ONNX wants files in that
/// order; not all are. Nodes in a cycle, and two nodes with one result, are a CompileError.
std::vector<int> order_of_needed_nodes(const onnx::GraphProto &, const SourceLocation &file);

} // namespace sinter

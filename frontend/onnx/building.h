// Compositions that several operators of ONNX need.
#pragma once

#include "frontend/onnx/operator_context.h"

namespace sinter {

/// `x` repeated to `shape` as NumPy broadcasting does, of any element type.
NodeId broadcast_node(OperatorContext &, NodeId x, const Shape &shape);
/// The shape to which the operands broadcast.
Shape common_shape(const OperatorContext &, const std::vector<Shape> &shapes);
/// Elements [begin, begin + count) along an axis.
NodeId slice_axis(OperatorContext &, NodeId x, int64_t axis, int64_t begin, int64_t count);
/// The elements at the given positions along an axis, known at compile time.
NodeId select_axis(OperatorContext &, NodeId x, int64_t axis,
                   const std::vector<int64_t> &positions);
NodeId concat_nodes(OperatorContext &, std::vector<NodeId> parts, int64_t axis);

/// The second of two operands. Before opset 7 it broadcasts from an axis on; it then gets trailing
/// dimensions of 1.
NodeId aligned_operand(OperatorContext &);

/// Swaps an axis with the last one, its own inverse.
std::vector<int64_t> axis_to_end(int64_t axis, int rank);

/// The product of the extents in [begin, end), of which none is the batch.
int64_t extent_product_between(const Shape &, size_t begin, size_t end);

} // namespace sinter

// What the type rules, gradients and costs of ir/ops/ share. Private to ir/ops/.
//
// A check that fails throws CompileError at the node's location; `role` says which operand is
// meant ("filter"). Every message starts with the op's name and ends with the layer's, if known:
// "conv2d expects 3 input channels, got 1 (layer conv2d_1)".
#pragma once

#include "ir/diagnostics.h"
#include "ir/op.h"

#include <string>

namespace sinter {

[[noreturn]] void raise_type_error(const TypeContext &, const std::string &text);

/// Throws "<op> <text>" unless the condition holds.
template <typename... Args>
void require(const TypeContext &context, bool condition, fmt::format_string<Args...> format,
             Args &&...args) {
  if (!condition)
    raise_type_error(context, fmt::format(format, std::forward<Args>(args)...));
}

void require_element(const TypeContext &, size_t operand, ElementType);
void require_rank(const TypeContext &, size_t operand, int rank, const char *role);
/// f32 in plain row-major storage.
void require_plain_f32(const TypeContext &, size_t operand);
/// Any element type in plain row-major storage. Returns the operand's type.
const TensorType &require_row_major(const TypeContext &, size_t operand);
void require_all_plain_f32(const TypeContext &);
/// Operands i and j have one type.
void require_same_type(const TypeContext &, size_t i, size_t j);
/// f32[].
void require_scalar(const TypeContext &, size_t operand, const char *role);
/// A static [extent], such as a bias.
void require_vector(const TypeContext &, size_t operand, int64_t extent, const char *role);
/// The extents fit an int32 index, and only dimension 0 is the batch.
void require_countable(const TypeContext &, const Shape &, const char *role);
/// `axis` counts a dimension of an operand of that rank.
void require_axis(const TypeContext &, int64_t axis, int rank);
/// So do all axes, in ascending order.
void require_axes(const TypeContext &, const std::vector<int64_t> &axes, int rank);
/// `axis` counts a dimension of operand 0 other than the batch; its storage is row-major. Returns
/// the operand's type.
const TensorType &require_static_axis(const TypeContext &, int64_t axis);

/// "f32[N,4] and f32[4]", "[N,4] and [4]": of all operands, for messages.
std::string operand_types(const TypeContext &);
std::string operand_shapes(const TypeContext &);

/// The operand's type, f32 of any layout: the rule of unary maths.
TensorType same_f32_type(const TypeContext &);
/// The first operand's type; all operands are f32 and agree: the rule of elementwise gradients.
TensorType all_same_f32_type(const TypeContext &);

/// The shape without its last dimension.
Shape without_last(const Shape &);
/// begin .. end - 1.
std::vector<int64_t> axes_between(int begin, int end);

// Nodes of gradients.
/// x * scale + offset
NodeId scaled(GradientBuilder &, NodeId x, float scale, float offset = 0);
/// a * b
NodeId product(GradientBuilder &, NodeId a, NodeId b);
/// a / b
NodeId quotient(GradientBuilder &, NodeId a, NodeId b);
/// A scalar, which broadcasts against anything.
NodeId scalar_constant(GradientBuilder &, float value);

/// `flops_each` for every element of the type, counted per sample when it is batched.
Cost cost_per_element(const TensorType &, double flops_each);
/// No arithmetic: data is moved.
Cost no_cost(const Graph &, const Node &);
/// A fixed number of flops for every element of the first operand.
template <int flops> Cost operand_cost(const Graph &graph, const Node &node) {
  return cost_per_element(graph.type(node.inputs[0]), flops);
}
/// A fixed number of flops for every element of the result.
template <int flops> Cost result_cost(const Graph &, const Node &node) {
  return cost_per_element(node.type, flops);
}

} // namespace sinter

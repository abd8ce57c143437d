#include "ir/ops/rules.h"

#include <numeric>

namespace sinter {

void raise_type_error(const TypeContext &context, const std::string &text) {
  const std::string suffix = context.layer.empty() ? "" : fmt::format(" (layer {})", context.layer);
  throw CompileError(context.location, "{} {}{}", name(context.kind), text, suffix);
}

void require_element(const TypeContext &context, size_t operand, ElementType element) {
  const TensorType &type = context.operand(operand);
  require(context, type.element == element, "expects {} for operand {}, got {}", name(element),
          operand, type.str());
}

void require_rank(const TypeContext &context, size_t operand, int rank, const char *role) {
  const TensorType &type = context.operand(operand);
  require(context, type.rank() == rank, "expects {} of {} dimensions, got {} in shape {}", role,
          rank, type.rank(), str(type.shape));
}

void require_plain_f32(const TypeContext &context, size_t operand) {
  require_element(context, operand, ElementType::f32);
  require_row_major(context, operand);
}

const TensorType &require_row_major(const TypeContext &context, size_t operand) {
  const TensorType &type = context.operand(operand);
  require(context, !type.blocked(), "expects row-major storage for operand {}, got {}", operand,
          type.str());
  return type;
}

void require_all_plain_f32(const TypeContext &context) {
  for (size_t i = 0; i < context.operands.size(); ++i)
    require_plain_f32(context, i);
}

void require_same_type(const TypeContext &context, size_t i, size_t j) {
  require(context, context.operand(i) == context.operand(j),
          "expects operands {} and {} of one type, got {} and {}", i, j, context.operand(i).str(),
          context.operand(j).str());
}

void require_scalar(const TypeContext &context, size_t operand, const char *role) {
  const TensorType &type = context.operand(operand);
  require(context, type == TensorType{}, "expects a scalar {} of type f32[], got {}", role,
          type.str());
}

void require_vector(const TypeContext &context, size_t operand, int64_t extent, const char *role) {
  const TensorType &type = context.operand(operand);
  require(context, type.shape == Shape{extent}, "expects {} of shape {}, got {}", role,
          str(Shape{extent}), str(type.shape));
}

void require_countable(const TypeContext &context, const Shape &shape, const char *role) {
  for (size_t i = 0; i < shape.size(); ++i)
    require(context, shape[i] > 0 || (i == 0 && shape[i] == kBatch),
            "has extent {} in dimension {} of {} {}: extents are positive, and only dimension 0 "
            "may be the batch",
            shape[i], i, role, str(shape));
  require(context, checked_element_count(shape).has_value(),
          "has {} {}, beyond the limit of {} elements", role, str(shape), kMaxElements);
}

void require_axis(const TypeContext &context, int64_t axis, int rank) {
  require(context, axis >= 0 && axis < rank, "has axis {} out of range for {} dimensions", axis,
          rank);
}

void require_axes(const TypeContext &context, const std::vector<int64_t> &axes, int rank) {
  for (size_t i = 0; i < axes.size(); ++i) {
    require_axis(context, axes[i], rank);
    require(context, i == 0 || axes[i - 1] < axes[i], "expects ascending axes, got {} after {}",
            axes[i], i == 0 ? 0 : axes[i - 1]);
  }
}

const TensorType &require_static_axis(const TypeContext &context, int64_t axis) {
  const TensorType &x = require_row_major(context, 0);
  require_axis(context, axis, x.rank());
  require(context, x.shape[static_cast<size_t>(axis)] != kBatch, "goes over the batch of {}",
          str(x.shape));
  return x;
}

namespace {

template <typename F> std::string join_operands(const TypeContext &context, F &&text) {
  std::string result;
  for (size_t i = 0; i < context.operands.size(); ++i)
    result += (i == 0                            ? ""
               : i + 1 < context.operands.size() ? ", "
                                                 : " and ") +
              text(context.operand(i));
  return result;
}

} // namespace

std::string operand_types(const TypeContext &context) {
  return join_operands(context, [](const TensorType &type) { return type.str(); });
}

std::string operand_shapes(const TypeContext &context) {
  return join_operands(context, [](const TensorType &type) { return str(type.shape); });
}

TensorType same_f32_type(const TypeContext &context) {
  require_element(context, 0, ElementType::f32);
  return context.operand(0);
}

TensorType all_same_f32_type(const TypeContext &context) {
  require_element(context, 0, ElementType::f32);
  for (size_t i = 1; i < context.operands.size(); ++i)
    require_same_type(context, 0, i);
  return context.operand(0);
}

Shape without_last(const Shape &shape) { return Shape(shape.begin(), shape.end() - 1); }

std::vector<int64_t> axes_between(int begin, int end) {
  std::vector<int64_t> axes(static_cast<size_t>(end - begin));
  std::iota(axes.begin(), axes.end(), begin);
  return axes;
}

NodeId scaled(GradientBuilder &g, NodeId x, float scale, float offset) {
  return g.append(OpKind::affine, {x}, AffineAttrs{scale, offset});
}

NodeId product(GradientBuilder &g, NodeId a, NodeId b) {
  return g.append(OpKind::multiply, {a, b});
}

NodeId quotient(GradientBuilder &g, NodeId a, NodeId b) { return g.append(OpKind::divide, {a, b}); }

NodeId scalar_constant(GradientBuilder &g, float value) {
  return g.append(OpKind::constant, {}, ConstantAttrs{{value}, {ElementType::f32, {}, 0}});
}

Cost cost_per_element(const TensorType &type, double flops_each) {
  const double flops = flops_each * static_cast<double>(type.elements());
  return type.batched() ? Cost{flops, 0} : Cost{0, flops};
}

Cost no_cost(const Graph &, const Node &) { return {}; }

} // namespace sinter

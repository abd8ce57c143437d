// Reductions, and broadcast, their reverse.

#include "ir/ops/compute.h"
#include "ir/ops/rules.h"

#include <algorithm>

namespace sinter {

namespace {

void require_axes(const TypeContext &context, const std::vector<int64_t> &axes, int rank) {
  require(context, !axes.empty(), "expects at least 1 axis, got none");
  for (size_t i = 0; i < axes.size(); ++i) {
    require_axis(context, axes[i], rank);
    require(context, i == 0 || axes[i - 1] < axes[i], "expects ascending axes, got {} after {}",
            axes[i], i == 0 ? 0 : axes[i - 1]);
  }
}

bool contains(const std::vector<int64_t> &axes, size_t axis) {
  return std::find(axes.begin(), axes.end(), static_cast<int64_t>(axis)) != axes.end();
}

Shape reduced_shape(const Shape &shape, const std::vector<int64_t> &axes, bool keep_dims) {
  Shape result;
  for (size_t i = 0; i < shape.size(); ++i)
    if (!contains(axes, i))
      result.push_back(shape[i]);
    else if (keep_dims)
      result.push_back(1);
  return result;
}

TensorType reduce_type(const TypeContext &context) {
  const auto &attrs = context.attrs<ReduceAttrs>();
  require_plain_f32(context, 0);
  const TensorType &x = context.operand(0);
  require_axes(context, attrs.axes, x.rank());
  return {ElementType::f32, reduced_shape(x.shape, attrs.axes, attrs.keep_dims), 0};
}

TensorType broadcast_type(const TypeContext &context) {
  const auto &attrs = context.attrs<BroadcastAttrs>();
  require_plain_f32(context, 0);
  require_countable(context, attrs.shape, "shape");
  require_axes(context, attrs.axes, static_cast<int>(attrs.shape.size()));
  const Shape expected = reduced_shape(attrs.shape, attrs.axes, /*keep_dims=*/false);
  const Shape &x = context.operand(0).shape;
  require(context, x == expected, "along the axes of {} expects shape {}, got {}", str(attrs.shape),
          str(expected), str(x));
  return {ElementType::f32, attrs.shape, 0};
}

TensorType argmax_type(const TypeContext &context) {
  const int64_t axis = context.attrs<AxisAttrs>().axis;
  require_plain_f32(context, 0);
  const TensorType &x = context.operand(0);
  require_axis(context, axis, x.rank());
  require(context, x.shape[static_cast<size_t>(axis)] != kBatch, "goes over the batch of {}",
          str(x.shape));
  return {ElementType::i32, reduced_shape(x.shape, {axis}, /*keep_dims=*/false), 0};
}

/// A value of the reduction's result, repeated along the reduced axes of its operand.
NodeId spread(GradientBuilder &g, NodeId value, bool mean) {
  const ReduceAttrs attrs = g.attrs<ReduceAttrs>();
  const Shape shape = g.type(g.x(0)).shape;
  if (attrs.keep_dims)
    value = g.append(OpKind::reshape, {value},
                     ReshapeAttrs{reduced_shape(shape, attrs.axes, /*keep_dims=*/false)});
  return g.append(OpKind::broadcast, {value}, BroadcastAttrs{shape, attrs.axes, mean});
}

// dx = dy, repeated along the axes
void differentiate_reduce_sum(GradientBuilder &g) {
  g.add_to_input(0, spread(g, g.dy(), /*mean=*/false));
}

// dx = dy / count, repeated along the axes
void differentiate_reduce_mean(GradientBuilder &g) {
  g.add_to_input(0, spread(g, g.dy(), /*mean=*/true));
}

// dx = m * dy / sum(m) with m = (x >= y): equal maxima share dy
void differentiate_reduce_max(GradientBuilder &g) {
  const ReduceAttrs attrs = g.attrs<ReduceAttrs>();
  const NodeId mask = g.append(OpKind::greater_equal, {g.x(0), spread(g, g.y(), /*mean=*/false)});
  const NodeId maxima = g.append(OpKind::cast, {mask}, CastAttrs{ElementType::f32});
  const NodeId count = g.append(OpKind::reduce_sum, {maxima}, attrs);
  const NodeId share = g.append(OpKind::divide, {g.dy(), count});
  g.add_to_input(0, g.append(OpKind::multiply, {maxima, spread(g, share, /*mean=*/false)}));
}

// dx = sum of dy over the axes, divided by the repetitions if the forward op did so
void differentiate_broadcast(GradientBuilder &g) {
  const BroadcastAttrs attrs = g.attrs<BroadcastAttrs>();
  g.add_to_input(0, g.append(attrs.mean ? OpKind::reduce_mean : OpKind::reduce_sum, {g.dy()},
                             ReduceAttrs{attrs.axes, /*keep_dims=*/false}));
}

Cost broadcast_cost(const Graph &, const Node &node) {
  return attrs<BroadcastAttrs>(node).mean ? cost_per_element(node.type, 1) : Cost{};
}

} // namespace

const OpDef ops::reduce_sum = {
    "sum along the axes, which may include the batch",
    R"(%0 = input {name="x", type=f32[N,4,3,5]} : f32[N,4,3,5]
%1 = reduce_sum %0 {axes=[0,2]} : f32[4,5])",
    /*min_inputs=*/1,
    /*max_inputs=*/1,
    {OpClass::reduction},
    reduce_type,
    differentiate_reduce_sum,
    compute_reduce_sum,
    operand_cost<1>,
};

const OpDef ops::reduce_mean = {
    "mean along the axes, which may include the batch",
    R"(%0 = input {name="x", type=f32[N,4,3,5]} : f32[N,4,3,5]
%1 = reduce_mean %0 {axes=[1,2]} : f32[N,5])",
    /*min_inputs=*/1,
    /*max_inputs=*/1,
    {OpClass::reduction, {&Traits::plain}},
    reduce_type,
    differentiate_reduce_mean,
    compute_reduce_mean,
    operand_cost<1>,
};

const OpDef ops::reduce_max = {
    "maximum along the axes, which may include the batch",
    R"(%0 = input {name="x", type=f32[N,4,3,5]} : f32[N,4,3,5]
%1 = reduce_max %0 {axes=[1,2], keep_dims=true} : f32[N,1,1,5])",
    /*min_inputs=*/1,
    /*max_inputs=*/1,
    {OpClass::reduction},
    reduce_type,
    differentiate_reduce_max,
    compute_reduce_max,
    operand_cost<1>,
};

const OpDef ops::broadcast = {
    "repeats a value along the axes of the result; with mean, divided by the repetitions",
    R"(%0 = input {name="x", type=f32[N,5]} : f32[N,5]
%1 = broadcast %0 {shape=[N,4,3,5], axes=[1,2], mean=true} : f32[N,4,3,5])",
    /*min_inputs=*/1,
    /*max_inputs=*/1,
    {OpClass::elementwise, {&Traits::plain}},
    broadcast_type,
    differentiate_broadcast,
    compute_broadcast,
    broadcast_cost,
};

const OpDef ops::argmax = {
    "index of the maximum along one axis, the first of equals",
    R"(%0 = input {name="x", type=f32[N,7]} : f32[N,7]
%1 = argmax %0 {axis=1} : i32[N])",
    /*min_inputs=*/1,
    /*max_inputs=*/1,
    {OpClass::reduction, {&Traits::metric}},
    argmax_type,
    /*gradient=*/nullptr,
    compute_argmax,
    operand_cost<1>,
};

} // namespace sinter

// Reductions, and broadcast, their reverse.

#include "ir/ops/compute.h"
#include "ir/ops/rules.h"

#include <algorithm>

namespace sinter {

namespace {

void require_some_axes(const TypeContext &context, const std::vector<int64_t> &axes, int rank) {
  require(context, !axes.empty(), "expects at least 1 axis, got none");
  require_axes(context, axes, rank);
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

/// A blocked operand is read element by element, without its padding lanes.
TensorType reduce_type(const TypeContext &context) {
  const auto &attrs = context.attrs<ReduceAttrs>();
  const TensorType &x = context.operand(0);
  require_some_axes(context, attrs.axes, x.rank());
  return {x.element, reduced_shape(x.shape, attrs.axes, attrs.keep_dims), 0};
}

TensorType reduce_mean_type(const TypeContext &context) {
  require_plain_f32(context, 0);
  return reduce_type(context);
}

TensorType broadcast_type(const TypeContext &context) {
  const auto &attrs = context.attrs<BroadcastAttrs>();
  const TensorType &operand = require_row_major(context, 0);
  require(context, !attrs.mean || operand.element == ElementType::f32,
          "expects f32 for a mean, got {}", operand.str());
  require_countable(context, attrs.shape, "shape");
  require_some_axes(context, attrs.axes, static_cast<int>(attrs.shape.size()));
  const Shape expected = reduced_shape(attrs.shape, attrs.axes, /*keep_dims=*/false);
  const Shape &x = operand.shape;
  require(context, x == expected, "along the axes of {} expects shape {}, got {}", str(attrs.shape),
          str(expected), str(x));
  return {operand.element, attrs.shape, 0};
}

TensorType argmax_type(const TypeContext &context) {
  const int64_t axis = context.attrs<ArgmaxAttrs>().axis;
  const TensorType &x = require_static_axis(context, axis);
  return {ElementType::i32, reduced_shape(x.shape, {axis}, /*keep_dims=*/false), 0};
}

TensorType cumulative_sum_type(const TypeContext &context) {
  return require_static_axis(context, context.attrs<CumulativeSumAttrs>().axis);
}

TensorType top_k_indices_type(const TypeContext &context) {
  const auto &attrs = context.attrs<TopKAttrs>();
  TensorType type = require_static_axis(context, attrs.axis);
  int64_t &extent = type.shape[static_cast<size_t>(attrs.axis)];
  require(context, attrs.k >= 1 && attrs.k <= extent, "expects k between 1 and {}, got {}", extent,
          attrs.k);
  extent = attrs.k;
  type.element = ElementType::i32;
  return type;
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

/// dx = m * dy / sum(m) with the mask m of what equals the result: equals share dy
void differentiate_extreme(GradientBuilder &g) {
  const ReduceAttrs attrs = g.attrs<ReduceAttrs>();
  const NodeId mask = g.append(OpKind::equal, {g.x(0), spread(g, g.y(), /*mean=*/false)});
  const NodeId chosen = g.append(OpKind::cast, {mask}, CastAttrs{ElementType::f32});
  const NodeId share = quotient(g, g.dy(), g.append(OpKind::reduce_sum, {chosen}, attrs));
  g.add_to_input(0, product(g, chosen, spread(g, share, /*mean=*/false)));
}

// dx = dy * the product of the others: with p that of all factors but zeros, p / x where there is
// no zero, p at the only one, else 0
void differentiate_reduce_prod(GradientBuilder &g) {
  const ReduceAttrs attrs = g.attrs<ReduceAttrs>();
  const auto choose = [&](NodeId mask, NodeId a, NodeId b) {
    return g.append(OpKind::select, {mask, a, b});
  };
  const NodeId zero = scalar_constant(g, 0);
  const NodeId one = scalar_constant(g, 1);
  const NodeId is_zero = g.append(OpKind::equal, {g.x(0), zero});
  const NodeId factors = choose(is_zero, one, g.x(0));
  const NodeId p = product(g, g.dy(), g.append(OpKind::reduce_prod, {factors}, attrs));
  const NodeId zeros = g.append(OpKind::reduce_sum, {choose(is_zero, one, zero)}, attrs);
  const NodeId with_none = choose(g.append(OpKind::equal, {zeros, zero}), p, zero);
  const NodeId with_one = choose(g.append(OpKind::equal, {zeros, one}), p, zero);
  g.add_to_input(0, choose(is_zero, spread(g, with_one, /*mean=*/false),
                           quotient(g, spread(g, with_none, /*mean=*/false), factors)));
}

// dx = the sums in the other direction
void differentiate_cumulative_sum(GradientBuilder &g) {
  CumulativeSumAttrs attrs = g.attrs<CumulativeSumAttrs>();
  attrs.reverse = !attrs.reverse;
  g.add_to_input(0, g.append(OpKind::cumulative_sum, {g.dy()}, attrs));
}

// dx = sum of dy over the axes, divided by the repetitions if the forward op did so
void differentiate_broadcast(GradientBuilder &g) {
  const BroadcastAttrs attrs = g.attrs<BroadcastAttrs>();
  g.add_to_input(0, g.append(attrs.mean ? OpKind::reduce_mean : OpKind::reduce_sum, {g.dy()},
                             ReduceAttrs{attrs.axes, /*keep_dims=*/false}));
}

/// Two comparisons an element for each of the k searches.
Cost top_k_cost(const Graph &graph, const Node &node) {
  return cost_per_element(graph.type(node.inputs[0]),
                          2 * static_cast<double>(attrs<TopKAttrs>(node).k));
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
    reduce_mean_type,
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
    differentiate_extreme,
    compute_reduce_max,
    operand_cost<1>,
};

const OpDef ops::reduce_min = {
    "minimum along the axes, which may include the batch",
    R"(%0 = input {name="x", type=f32[N,4,3,5]} : f32[N,4,3,5]
%1 = reduce_min %0 {axes=[1,3]} : f32[N,3])",
    /*min_inputs=*/1,
    /*max_inputs=*/1,
    {OpClass::reduction},
    reduce_type,
    differentiate_extreme,
    compute_reduce_min,
    operand_cost<1>,
};

const OpDef ops::reduce_prod = {
    "product along the axes, which may include the batch",
    R"(%0 = input {name="x", type=f32[N,4,3,5]} : f32[N,4,3,5]
%1 = exp %0 : f32[N,4,3,5]
%2 = reduce_prod %1 {axes=[1,2]} : f32[N,5])",
    /*min_inputs=*/1,
    /*max_inputs=*/1,
    {OpClass::reduction},
    reduce_type,
    differentiate_reduce_prod,
    compute_reduce_prod,
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
    "index of the maximum along one axis, the first of equals unless `last`",
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

const OpDef ops::cumulative_sum = {
    "the sum of all elements up to each one along an axis, or with `reverse` from each one on",
    R"(%0 = input {name="x", type=f32[N,4,5]} : f32[N,4,5]
%1 = cumulative_sum %0 {axis=1, exclusive=true} : f32[N,4,5])",
    /*min_inputs=*/1,
    /*max_inputs=*/1,
    {OpClass::movement},
    cumulative_sum_type,
    differentiate_cumulative_sum,
    compute_cumulative_sum,
    operand_cost<1>,
};

const OpDef ops::top_k_indices = {
    "where along an axis the k largest elements stand, or the smallest, in order; of equals the "
    "first",
    R"(%0 = input {name="x", type=f32[N,7]} : f32[N,7]
%1 = top_k_indices %0 {axis=1, k=3} : i32[N,3])",
    /*min_inputs=*/1,
    /*max_inputs=*/1,
    {OpClass::movement, {&Traits::metric}},
    top_k_indices_type,
    /*gradient=*/nullptr,
    compute_top_k_indices,
    top_k_cost,
};

} // namespace sinter

// Batch normalisation, softmax, and what training does at random.

#include "ir/ops/compute.h"
#include "ir/ops/rules.h"

#include <algorithm>

namespace sinter {

namespace {

TensorType batch_norm_type(const TypeContext &context) {
  require_all_plain_f32(context);
  const TensorType &x = context.operand(0);
  require(context, x.rank() >= 2, "expects an input of at least 2 dimensions, got {}",
          str(x.shape));
  const char *roles[] = {"gamma", "beta", "a mean", "a variance"};
  for (size_t i = 0; i < 4; ++i)
    require_vector(context, i + 1, x.shape.back(), roles[i]);
  const float epsilon = context.attrs<BatchNormAttrs>().epsilon;
  require(context, epsilon >= 0, "expects epsilon of at least 0, got {}", epsilon);
  return x;
}

void require_rows(const TypeContext &context) {
  const TensorType &x = context.operand(0);
  require(context, x.rank() >= 1 && x.shape.back() != kBatch, "expects rows of classes, got {}",
          str(x.shape));
}

TensorType channel_sum_type(const TypeContext &context) {
  const auto &attrs = context.attrs<ChannelSumAttrs>();
  require_plain_f32(context, 0);
  const TensorType &x = context.operand(0);
  require(context, x.rank() >= 1 && x.shape.back() != kBatch, "expects x with channels, got {}",
          str(x.shape));
  for (int64_t reach : {attrs.before, attrs.after})
    require(context, reach >= 0 && reach < kMaxElements, "expects a reach between 0 and {}, got {}",
            kMaxElements - 1, reach);
  return x;
}

TensorType softmax_type(const TypeContext &context) {
  require_plain_f32(context, 0);
  require_rows(context);
  return context.operand(0);
}

TensorType softmax_gradient_type(const TypeContext &context) {
  require_all_plain_f32(context);
  require_rows(context);
  require_same_type(context, 0, 1);
  return context.operand(0);
}

void require_rate(const TypeContext &context, float rate) {
  require(context, rate >= 0 && rate < 1, "expects a rate in [0, 1), got {}", rate);
}

TensorType dropout_type(const TypeContext &context) {
  const auto &attrs = context.attrs<DropoutAttrs>();
  require_rate(context, attrs.rate);
  require_axes(context, attrs.shared, context.operand(0).rank());
  return same_f32_type(context);
}

/// Random numbers of a shape, drawn with the rng key.
TensorType drawn_type(const TypeContext &context, const Shape &shape) {
  const TensorType key{ElementType::i32, {4}, 0};
  require(context, context.operand(0) == key, "expects an rng key of type {}, got {}", key.str(),
          context.operand(0).str());
  require_countable(context, shape, "shape");
  return {ElementType::f32, shape, 0};
}

TensorType dropout_mask_type(const TypeContext &context) {
  const auto &attrs = context.attrs<DropoutMaskAttrs>();
  require_rate(context, attrs.rate);
  return drawn_type(context, attrs.shape);
}

TensorType random_uniform_type(const TypeContext &context) {
  return drawn_type(context, context.attrs<RandomUniformAttrs>().shape);
}

// With r = rsqrt(var + epsilon), S = sum over all but the last dimension:
//   dx = dy * gamma r             dbeta = S(dy)        dgamma = S(dy (x - mean)) r
//   dmean = -S(dy) gamma r        dvar = -S(dy (x - mean)) gamma r^3 / 2
// When mean and var are themselves nodes of x (in training), their own gradients add the rest.
void differentiate_batch_norm(GradientBuilder &g) {
  const float epsilon = g.attrs<BatchNormAttrs>().epsilon;
  const ReduceAttrs all_but_last{axes_between(0, g.type(g.x(0)).rank() - 1), /*keep_dims=*/false};
  const NodeId variance = scaled(g, g.x(4), 1, epsilon);
  const NodeId r = g.append(OpKind::rsqrt, {variance});
  const NodeId gamma_r = product(g, g.x(1), r);
  const NodeId centered = g.append(OpKind::subtract, {g.x(0), g.x(3)});
  const NodeId sum = g.append(OpKind::reduce_sum, {g.dy()}, all_but_last);
  const NodeId centered_sum =
      g.append(OpKind::reduce_sum, {product(g, g.dy(), centered)}, all_but_last);
  g.add_to_input(0, product(g, g.dy(), gamma_r));
  g.add_to_input(1, product(g, centered_sum, r));
  g.add_to_input(2, sum);
  g.add_to_input(3, product(g, scaled(g, sum, -1), gamma_r));
  const NodeId gamma_r_cubed = product(g, gamma_r, g.append(OpKind::square, {r}));
  g.add_to_input(4, product(g, scaled(g, centered_sum, -0.5F), gamma_r_cubed));
}

// dx = the sum of dy over the channels whose sums x went into
void differentiate_channel_sum(GradientBuilder &g) {
  const ChannelSumAttrs attrs = g.attrs<ChannelSumAttrs>();
  g.add_to_input(
      0, g.append(OpKind::channel_sum, {g.dy()}, ChannelSumAttrs{attrs.after, attrs.before}));
}

Cost channel_sum_cost(const Graph &, const Node &node) {
  const auto &reach = attrs<ChannelSumAttrs>(node);
  const int64_t most = node.type.shape.back() - 1;
  return cost_per_element(
      node.type, static_cast<double>(std::min(reach.before, most) + std::min(reach.after, most)));
}

// dx = y * (dy - sum(dy * y))
void differentiate_softmax(GradientBuilder &g) {
  g.add_to_input(0, g.append(OpKind::softmax_gradient, {g.dy(), g.y()}));
}

// dx = dy: outside training, dropout does nothing
void differentiate_dropout(GradientBuilder &g) { g.add_to_input(0, g.dy()); }

// da = dy, db = 0: outside training it is a
void differentiate_in_training(GradientBuilder &g) {
  g.add_to_input(0, g.dy());
  g.add_to_input(1, scaled(g, g.dy(), 0));
}

} // namespace

const OpDef ops::batch_norm = {
    "(x - mean) * rsqrt(variance + epsilon) * gamma + beta, along the last dimension",
    R"(%0 = input {name="x", type=f32[N,3,4,5]} : f32[N,3,4,5]
%1 = parameter {name="gamma", initializer="uniform", a=0.5, b=1.5, type=f32[5]} : f32[5]
%2 = parameter {name="beta", initializer="uniform", a=-0.5, b=0.5, type=f32[5]} : f32[5]
%3 = parameter {name="mean", role="statistic", initializer="uniform", a=-0.5, b=0.5, type=f32[5]} : f32[5]
%4 = parameter {name="variance", role="statistic", initializer="uniform", a=0.5, b=1.5, type=f32[5]} : f32[5]
%5 = batch_norm %0, %1, %2, %3, %4 : f32[N,3,4,5])",
    /*min_inputs=*/5,
    /*max_inputs=*/5,
    {OpClass::elementwise, {&Traits::by_channel}},
    batch_norm_type,
    differentiate_batch_norm,
    compute_batch_norm,
    result_cost<4>,
};

const OpDef ops::channel_sum = {
    "the sum of each channel and its neighbours, for local response normalisation",
    R"(%0 = input {name="x", type=f32[N,3,7]} : f32[N,3,7]
%1 = channel_sum %0 {before=2, after=1} : f32[N,3,7])",
    /*min_inputs=*/1,
    /*max_inputs=*/1,
    {OpClass::row},
    channel_sum_type,
    differentiate_channel_sum,
    compute_channel_sum,
    channel_sum_cost,
};

const OpDef ops::softmax = {
    "exp(x) divided by its sum, along the last dimension",
    R"(%0 = input {name="x", type=f32[N,7]} : f32[N,7]
%1 = softmax %0 : f32[N,7])",
    /*min_inputs=*/1,
    /*max_inputs=*/1,
    {OpClass::row},
    softmax_type,
    differentiate_softmax,
    compute_softmax,
    result_cost<5>,
};

const OpDef ops::softmax_gradient = {
    "y * (dy - sum(dy * y)) along the last dimension, with y = softmax(x)",
    R"(%0 = input {name="dy", type=f32[N,7]} : f32[N,7]
%1 = input {name="x", type=f32[N,7]} : f32[N,7]
%2 = softmax %1 : f32[N,7]
%3 = softmax_gradient %0, %2 : f32[N,7])",
    /*min_inputs=*/2,
    /*max_inputs=*/2,
    {OpClass::row},
    softmax_gradient_type,
    /*gradient=*/nullptr,
    compute_softmax_gradient,
    result_cost<4>,
};

const OpDef ops::dropout = {
    "the identity; in training, multiplied by a dropout_mask",
    R"(%0 = input {name="x", type=f32[N,4,5]} : f32[N,4,5]
%1 = dropout %0 {rate=0.25, stream=1, shared=[1]} : f32[N,4,5])",
    /*min_inputs=*/1,
    /*max_inputs=*/1,
    {OpClass::elementwise},
    dropout_type,
    differentiate_dropout,
    compute_dropout,
    no_cost,
};

// The mask at row-major element index i (a batched index: n * elements per sample + rest), with
// key = {seed low, seed high, step low, step high} the operand, all arithmetic modulo 2^32:
//   w = word 0 of Philox4x32-10, key {seed low, seed high},
//       counter {i, stream, step low, step high}
//   mask = (w >> 8) * 2^-24 >= rate ? 1 / (1 - rate) : 0
// (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011.)
const OpDef ops::dropout_mask = {
    "0 with probability rate, else 1 / (1 - rate): Philox4x32-10 of the element's index",
    R"(%0 = input {name="rng", role="rng", type=i32[4]} : i32[4]
%1 = dropout_mask %0 {rate=0.25, stream=1, shape=[N,4,5]} : f32[N,4,5])",
    /*min_inputs=*/1,
    /*max_inputs=*/1,
    {OpClass::elementwise, {&Traits::metric, &Traits::random, &Traits::plain}},
    dropout_mask_type,
    /*gradient=*/nullptr,
    compute_dropout_mask,
    no_cost,
};

const OpDef ops::in_training = {
    "a; in training, b",
    R"(%0 = input {name="a", type=f32[N,4,5]} : f32[N,4,5]
%1 = input {name="b", type=f32[N,4,5]} : f32[N,4,5]
%2 = in_training %0, %1 : f32[N,4,5])",
    /*min_inputs=*/2,
    /*max_inputs=*/2,
    {OpClass::elementwise},
    all_same_f32_type,
    differentiate_in_training,
    compute_in_training,
    no_cost,
};

// (w >> 8) * 2^-24 of the word w that dropout_mask draws.
const OpDef ops::random_uniform = {
    "in [0, 1): Philox4x32-10 of the element's index",
    R"(%0 = input {name="rng", role="rng", type=i32[4]} : i32[4]
%1 = random_uniform %0 {stream=1, shape=[N,4,5]} : f32[N,4,5])",
    /*min_inputs=*/1,
    /*max_inputs=*/1,
    {OpClass::elementwise, {&Traits::metric, &Traits::random, &Traits::plain}},
    random_uniform_type,
    /*gradient=*/nullptr,
    compute_random_uniform,
    no_cost,
};

} // namespace sinter

// Losses and metrics: one value a sample (or a row), averaged over the batch by reduce_mean.
// Keras's formulas, with its epsilon of 1e-7. Targets are data: no gradient flows into them.

#include "ir/ops/compute.h"
#include "ir/ops/rules.h"

namespace sinter {

namespace {

/// prediction and target at operands `first` and `first + 1`, of one shape [..., classes].
void require_rows(const TypeContext &context, size_t first) {
  const TensorType &x = context.operand(first);
  require_all_plain_f32(context);
  require(context, x.rank() >= 1 && x.shape.back() != kBatch, "expects rows of classes, got {}",
          str(x.shape));
  require(context, x == context.operand(first + 1),
          "expects a prediction and a target of one shape, got {} and {}", str(x.shape),
          str(context.operand(first + 1).shape));
}

/// The same of shape [n, ...].
void require_samples(const TypeContext &context, size_t first) {
  require_rows(context, first);
  require(context, context.operand(first).rank() >= 2,
          "expects a prediction of at least 2 dimensions, got {}",
          str(context.operand(first).shape));
}

void require_dy(const TypeContext &context, const Shape &expected) {
  require(context, context.operand(0).shape == expected, "expects dy of shape {}, got {}",
          str(expected), str(context.operand(0).shape));
}

/// A value a row.
TensorType row_type(const TypeContext &context) {
  require_rows(context, 0);
  return {ElementType::f32, without_last(context.operand(0).shape), 0};
}

TensorType row_gradient_type(const TypeContext &context) {
  require_rows(context, 1);
  require_dy(context, without_last(context.operand(1).shape));
  return context.operand(1);
}

/// A value a sample.
TensorType sample_type(const TypeContext &context) {
  require_samples(context, 0);
  return {ElementType::f32, {context.operand(0).shape[0]}, 0};
}

TensorType sample_gradient_type(const TypeContext &context) {
  require_samples(context, 1);
  require_dy(context, {context.operand(1).shape[0]});
  return context.operand(1);
}

TensorType one_hot_type(const TypeContext &context) {
  const TensorType &labels = context.operand(0);
  const int64_t depth = context.attrs<OneHotAttrs>().depth;
  require(context, labels.element != ElementType::f32, "expects integer labels, got {}",
          labels.str());
  require(context, depth >= 1, "expects a depth of at least 1, got {}", depth);
  TensorType result{ElementType::f32, labels.shape, 0};
  result.shape.push_back(depth);
  return result;
}

template <OpKind gradient_kind> void differentiate_prediction(GradientBuilder &g) {
  g.add_to_input(0, g.append(gradient_kind, {g.dy(), g.x(0), g.x(1)}));
}

// dprediction = 2 (prediction - target) dy / count, with count elements a sample
void differentiate_mean_squared_error(GradientBuilder &g) {
  const TensorType type = g.type(g.x(0));
  const BroadcastAttrs to_elements{type.shape, axes_between(1, type.rank()), /*mean=*/true};
  const NodeId difference = g.append(OpKind::subtract, {g.x(0), g.x(1)});
  const NodeId twice = g.append(OpKind::affine, {difference}, AffineAttrs{2, 0});
  const NodeId dy = g.append(OpKind::broadcast, {g.dy()}, to_elements);
  g.add_to_input(0, g.append(OpKind::multiply, {dy, twice}));
}

/// Flops for every element of the prediction, operand 1 of a gradient.
template <int flops> Cost prediction_cost(const Graph &graph, const Node &node) {
  return cost_per_element(graph.type(node.inputs[1]), flops);
}

} // namespace

const OpDef ops::one_hot = {
    "a row of `depth` zeros with a 1 at each label; a label out of range gives zeros",
    R"(%0 = input {name="labels", role="label", type=u8[N]} : u8[N]
%1 = one_hot %0 {depth=7} : f32[N,7])",
    /*min_inputs=*/1,
    /*max_inputs=*/1,
    {OpClass::elementwise, {&Traits::metric, &Traits::plain}},
    one_hot_type,
    /*gradient=*/nullptr,
    compute_one_hot,
    no_cost,
};

// With s = sum(p), q = p / s and c = clip(q, 1e-7, 1 - 1e-7): -sum(t log c).
const OpDef ops::categorical_crossentropy = {
    "-sum(target * log(p)) of probabilities p, normalised to 1 and clipped by 1e-7",
    R"(%0 = input {name="x", type=f32[N,7]} : f32[N,7]
%1 = exp %0 : f32[N,7]
%2 = input {name="t", type=f32[N,7]} : f32[N,7]
%3 = categorical_crossentropy %1, %2 : f32[N])",
    /*min_inputs=*/2,
    /*max_inputs=*/2,
    {OpClass::row},
    row_type,
    differentiate_prediction<OpKind::categorical_crossentropy_gradient>,
    compute_categorical_crossentropy,
    operand_cost<6>,
};

// With i(q) = 1 where 1e-7 <= q <= 1 - 1e-7, else 0:
// dp_j = dy / s * (sum(i(q) t) - i(q_j) t_j / q_j).
const OpDef ops::categorical_crossentropy_gradient = {
    "gradient of categorical_crossentropy, from dy, the probabilities and the target",
    R"(%0 = input {name="dy", type=f32[N]} : f32[N]
%1 = input {name="x", type=f32[N,7]} : f32[N,7]
%2 = exp %1 : f32[N,7]
%3 = input {name="t", type=f32[N,7]} : f32[N,7]
%4 = categorical_crossentropy_gradient %0, %2, %3 : f32[N,7])",
    /*min_inputs=*/3,
    /*max_inputs=*/3,
    {OpClass::row},
    row_gradient_type,
    /*gradient=*/nullptr,
    compute_categorical_crossentropy_gradient,
    prediction_cost<8>,
};

// sum(t) * log(sum(exp(x))) - sum(t x), with the row's maximum taken out of the exponential.
const OpDef ops::softmax_cross_entropy = {
    "categorical cross-entropy of softmax(x), from the logits x",
    R"(%0 = input {name="x", type=f32[N,7]} : f32[N,7]
%1 = input {name="t", type=f32[N,7]} : f32[N,7]
%2 = softmax_cross_entropy %0, %1 : f32[N])",
    /*min_inputs=*/2,
    /*max_inputs=*/2,
    {OpClass::row},
    row_type,
    differentiate_prediction<OpKind::softmax_cross_entropy_gradient>,
    compute_softmax_cross_entropy,
    operand_cost<7>,
};

const OpDef ops::softmax_cross_entropy_gradient = {
    "dy * (softmax(x) * sum(target) - target), from dy, the logits x and the target",
    R"(%0 = input {name="dy", type=f32[N]} : f32[N]
%1 = input {name="x", type=f32[N,7]} : f32[N,7]
%2 = input {name="t", type=f32[N,7]} : f32[N,7]
%3 = softmax_cross_entropy_gradient %0, %1, %2 : f32[N,7])",
    /*min_inputs=*/3,
    /*max_inputs=*/3,
    {OpClass::row},
    row_gradient_type,
    /*gradient=*/nullptr,
    compute_softmax_cross_entropy_gradient,
    prediction_cost<8>,
};

// mean of -(t log c + (1 - t) log(1 - c)) with c = clip(p, 1e-7, 1 - 1e-7)
const OpDef ops::binary_crossentropy = {
    "mean over each sample of the cross-entropy of probabilities, clipped by 1e-7",
    R"(%0 = input {name="x", type=f32[N,7]} : f32[N,7]
%1 = sigmoid %0 : f32[N,7]
%2 = input {name="t", type=f32[N,7]} : f32[N,7]
%3 = binary_crossentropy %1, %2 : f32[N])",
    /*min_inputs=*/2,
    /*max_inputs=*/2,
    {OpClass::row},
    sample_type,
    differentiate_prediction<OpKind::binary_crossentropy_gradient>,
    compute_binary_crossentropy,
    operand_cost<8>,
};

// dp = dy / count * (p - t) / (p (1 - p)) where 1e-7 <= p <= 1 - 1e-7, else 0
const OpDef ops::binary_crossentropy_gradient = {
    "gradient of binary_crossentropy, from dy, the probabilities and the target",
    R"(%0 = input {name="dy", type=f32[N]} : f32[N]
%1 = input {name="x", type=f32[N,7]} : f32[N,7]
%2 = sigmoid %1 : f32[N,7]
%3 = input {name="t", type=f32[N,7]} : f32[N,7]
%4 = binary_crossentropy_gradient %0, %2, %3 : f32[N,7])",
    /*min_inputs=*/3,
    /*max_inputs=*/3,
    {OpClass::elementwise},
    sample_gradient_type,
    /*gradient=*/nullptr,
    compute_binary_crossentropy_gradient,
    prediction_cost<6>,
};

// mean of max(x, 0) - x t + log(1 + exp(-|x|))
const OpDef ops::sigmoid_cross_entropy = {
    "binary cross-entropy of sigmoid(x), from the logits x",
    R"(%0 = input {name="x", type=f32[N,7]} : f32[N,7]
%1 = input {name="t", type=f32[N,7]} : f32[N,7]
%2 = sigmoid_cross_entropy %0, %1 : f32[N])",
    /*min_inputs=*/2,
    /*max_inputs=*/2,
    {OpClass::row},
    sample_type,
    differentiate_prediction<OpKind::sigmoid_cross_entropy_gradient>,
    compute_sigmoid_cross_entropy,
    operand_cost<8>,
};

const OpDef ops::sigmoid_cross_entropy_gradient = {
    "dy * (sigmoid(x) - target) / count, from dy, the logits x and the target",
    R"(%0 = input {name="dy", type=f32[N]} : f32[N]
%1 = input {name="x", type=f32[N,7]} : f32[N,7]
%2 = input {name="t", type=f32[N,7]} : f32[N,7]
%3 = sigmoid_cross_entropy_gradient %0, %1, %2 : f32[N,7])",
    /*min_inputs=*/3,
    /*max_inputs=*/3,
    {OpClass::elementwise},
    sample_gradient_type,
    /*gradient=*/nullptr,
    compute_sigmoid_cross_entropy_gradient,
    prediction_cost<6>,
};

const OpDef ops::mean_squared_error = {
    "mean over each sample of (prediction - target)^2",
    R"(%0 = input {name="x", type=f32[N,3,5]} : f32[N,3,5]
%1 = input {name="t", type=f32[N,3,5]} : f32[N,3,5]
%2 = mean_squared_error %0, %1 : f32[N])",
    /*min_inputs=*/2,
    /*max_inputs=*/2,
    {OpClass::row},
    sample_type,
    differentiate_mean_squared_error,
    compute_mean_squared_error,
    operand_cost<3>,
};

const OpDef ops::categorical_accuracy = {
    "1 where the largest prediction stands at the largest target, else 0",
    R"(%0 = input {name="x", type=f32[N,7]} : f32[N,7]
%1 = input {name="t", type=f32[N,7]} : f32[N,7]
%2 = categorical_accuracy %0, %1 : f32[N])",
    /*min_inputs=*/2,
    /*max_inputs=*/2,
    {OpClass::row, {&Traits::metric, &Traits::plain}},
    row_type,
    /*gradient=*/nullptr,
    compute_categorical_accuracy,
    operand_cost<2>,
};

const OpDef ops::binary_accuracy = {
    "share of each sample's predictions that, as 1 above 0.5 and 0 else, equal the target",
    R"(%0 = input {name="x", type=f32[N,7]} : f32[N,7]
%1 = sigmoid %0 : f32[N,7]
%2 = greater_equal %1, %0 : u8[N,7]
%3 = cast %2 : f32[N,7]
%4 = binary_accuracy %1, %3 : f32[N])",
    /*min_inputs=*/2,
    /*max_inputs=*/2,
    {OpClass::row, {&Traits::metric, &Traits::plain}},
    sample_type,
    /*gradient=*/nullptr,
    compute_binary_accuracy,
    operand_cost<3>,
};

} // namespace sinter

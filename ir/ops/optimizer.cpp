// One step of the optimizers, in Keras's formulas: new values from old ones. Parameters, gradients
// and state share one type (and storage block); learning rates are scalars. Padding lanes of a
// blocked tensor are zero, and every formula keeps them so.

#include "ir/ops/compute.h"
#include "ir/ops/rules.h"

namespace sinter {

namespace {

/// `tensors` operands of one static type, then scalars; the result is of the tensors' type.
template <size_t tensors> TensorType update_type(const TypeContext &context) {
  const TensorType &type = context.operand(0);
  require_element(context, 0, ElementType::f32);
  require(context, !type.batched(), "expects a parameter, got {}", type.str());
  for (size_t i = 1; i < tensors; ++i)
    require_same_type(context, 0, i);
  for (size_t i = tensors; i < context.operands.size(); ++i)
    require_scalar(context, i, "learning rate");
  return type;
}

template <size_t tensors> TensorType decayed_update_type(const TypeContext &context) {
  const double decay = context.attrs<DecayAttrs>().decay;
  require(context, decay >= 0 && decay <= 1, "expects a decay in [0, 1], got {}", decay);
  return update_type<tensors>(context);
}

template <size_t tensors> TensorType divided_update_type(const TypeContext &context) {
  const float epsilon = context.attrs<EpsilonAttrs>().epsilon;
  require(context, epsilon >= 0, "expects epsilon of at least 0, got {}", epsilon);
  return update_type<tensors>(context);
}

TensorType adam_rate_type(const TypeContext &context) {
  const auto &attrs = context.attrs<AdamRateAttrs>();
  for (double beta : {attrs.beta_1, attrs.beta_2})
    require(context, beta >= 0 && beta < 1, "expects beta in [0, 1), got {}", beta);
  require_scalar(context, 0, "learning rate");
  require_scalar(context, 1, "step");
  return {};
}

} // namespace

const OpDef ops::sgd_update = {
    "w - rate * g",
    R"(%0 = parameter {name="w", type=f32[3,5]} : f32[3,5]
%1 = input {name="g", type=f32[3,5]} : f32[3,5]
%2 = input {name="rate", role="learning_rate", type=f32[]} : f32[]
%3 = sgd_update %0, %1, %2 : f32[3,5])",
    /*min_inputs=*/3,
    /*max_inputs=*/3,
    {OpClass::elementwise},
    update_type<2>,
    /*gradient=*/nullptr,
    compute_sgd_update,
    result_cost<2>,
};

const OpDef ops::momentum_velocity = {
    "decay * v - rate * g",
    R"(%0 = parameter {name="v", role="optimizer", type=f32[3,5]} : f32[3,5]
%1 = input {name="g", type=f32[3,5]} : f32[3,5]
%2 = input {name="rate", role="learning_rate", type=f32[]} : f32[]
%3 = momentum_velocity %0, %1, %2 {decay=0.9} : f32[3,5])",
    /*min_inputs=*/3,
    /*max_inputs=*/3,
    {OpClass::elementwise, {&Traits::plain}},
    decayed_update_type<2>,
    /*gradient=*/nullptr,
    compute_momentum_velocity,
    result_cost<3>,
};

const OpDef ops::momentum_update = {
    "w + v, with v the new velocity",
    R"(%0 = parameter {name="w", type=f32[3,5]} : f32[3,5]
%1 = input {name="v", type=f32[3,5]} : f32[3,5]
%2 = momentum_update %0, %1 : f32[3,5])",
    /*min_inputs=*/2,
    /*max_inputs=*/2,
    {OpClass::elementwise},
    update_type<2>,
    /*gradient=*/nullptr,
    compute_momentum_update,
};

const OpDef ops::nesterov_update = {
    "w + decay * v - rate * g, with v the new velocity",
    R"(%0 = parameter {name="w", type=f32[3,5]} : f32[3,5]
%1 = input {name="v", type=f32[3,5]} : f32[3,5]
%2 = input {name="g", type=f32[3,5]} : f32[3,5]
%3 = input {name="rate", role="learning_rate", type=f32[]} : f32[]
%4 = nesterov_update %0, %1, %2, %3 {decay=0.9} : f32[3,5])",
    /*min_inputs=*/4,
    /*max_inputs=*/4,
    {OpClass::elementwise},
    decayed_update_type<3>,
    /*gradient=*/nullptr,
    compute_nesterov_update,
    result_cost<4>,
};

const OpDef ops::moving_average = {
    "decay * m + (1 - decay) * x",
    R"(%0 = parameter {name="m", role="optimizer", type=f32[3,5]} : f32[3,5]
%1 = input {name="x", type=f32[3,5]} : f32[3,5]
%2 = moving_average %0, %1 {decay=0.9} : f32[3,5])",
    /*min_inputs=*/2,
    /*max_inputs=*/2,
    {OpClass::elementwise, {&Traits::plain}},
    decayed_update_type<2>,
    /*gradient=*/nullptr,
    compute_moving_average,
    result_cost<3>,
};

const OpDef ops::moving_square_average = {
    "decay * v + (1 - decay) * x * x",
    R"(%0 = parameter {name="v", role="optimizer", type=f32[3,5]} : f32[3,5]
%1 = input {name="x", type=f32[3,5]} : f32[3,5]
%2 = moving_square_average %0, %1 {decay=0.999} : f32[3,5])",
    /*min_inputs=*/2,
    /*max_inputs=*/2,
    {OpClass::elementwise, {&Traits::plain}},
    decayed_update_type<2>,
    /*gradient=*/nullptr,
    compute_moving_square_average,
    result_cost<4>,
};

const OpDef ops::adam_rate = {
    "rate * sqrt(1 - beta_2^step) / (1 - beta_1^step)",
    R"(%0 = input {name="rate", role="learning_rate", type=f32[]} : f32[]
%1 = input {name="step", role="step", type=f32[]} : f32[]
%2 = adam_rate %0, %1 : f32[])",
    /*min_inputs=*/2,
    /*max_inputs=*/2,
    {OpClass::elementwise, {&Traits::costly}},
    adam_rate_type,
    /*gradient=*/nullptr,
    compute_adam_rate,
};

const OpDef ops::adam_update = {
    "w - rate * m / (sqrt(v) + epsilon), with m, v the new averages and rate from adam_rate",
    R"(%0 = parameter {name="w", type=f32[3,5]} : f32[3,5]
%1 = input {name="m", type=f32[3,5]} : f32[3,5]
%2 = input {name="x", type=f32[3,5]} : f32[3,5]
%3 = square %2 : f32[3,5]
%4 = input {name="rate", role="learning_rate", type=f32[]} : f32[]
%5 = adam_update %0, %1, %3, %4 : f32[3,5])",
    /*min_inputs=*/4,
    /*max_inputs=*/4,
    {OpClass::elementwise},
    divided_update_type<3>,
    /*gradient=*/nullptr,
    compute_adam_update,
    result_cost<5>,
};

const OpDef ops::rmsprop_update = {
    "w - rate * g / sqrt(v + epsilon), with v the new average of squares",
    R"(%0 = parameter {name="w", type=f32[3,5]} : f32[3,5]
%1 = input {name="g", type=f32[3,5]} : f32[3,5]
%2 = input {name="x", type=f32[3,5]} : f32[3,5]
%3 = square %2 : f32[3,5]
%4 = input {name="rate", role="learning_rate", type=f32[]} : f32[]
%5 = rmsprop_update %0, %1, %3, %4 : f32[3,5])",
    /*min_inputs=*/4,
    /*max_inputs=*/4,
    {OpClass::elementwise},
    divided_update_type<3>,
    /*gradient=*/nullptr,
    compute_rmsprop_update,
    result_cost<5>,
};

} // namespace sinter

// Elementwise maths. Operands broadcast as NumPy does; a blocked operand meets only operands of
// its own type and single values, because elementwise kernels run over storage.

#include "ir/ops/compute.h"
#include "ir/ops/elementwise_gradient.h"
#include "ir/ops/rules.h"

#include <algorithm>

namespace sinter {

namespace {

/// The common storage block of the result and of the operands that have its shape.
int64_t broadcast_block(const TypeContext &context, const Shape &result) {
  int64_t block = 0;
  for (const TensorType &type : context.operands)
    block = std::max(block, type.block);
  for (const TensorType &type : context.operands) {
    const bool single_value = type.shape.empty();
    require(context, block == 0 || single_value || (type.shape == result && type.block == block),
            "expects equal storage, got {} and {}", context.operand(0).str(),
            context.operand(1).str());
  }
  return block;
}

TensorType broadcast_type(const TypeContext &context) {
  require_element(context, 0, ElementType::f32);
  require_element(context, 1, ElementType::f32);
  const Shape &a = context.operand(0).shape;
  const Shape &b = context.operand(1).shape;
  const std::optional<Shape> shape = broadcast_shapes(a, b);
  const bool batch_outermost =
      shape && (shape->empty() || std::count(shape->begin() + 1, shape->end(), kBatch) == 0);
  require(context, batch_outermost, "expects shapes that broadcast, got {} and {}", str(a), str(b));
  return {ElementType::f32, *shape, broadcast_block(context, *shape)};
}

TensorType bias_add_type(const TypeContext &context) {
  require_all_plain_f32(context);
  const TensorType &x = context.operand(0);
  require(context, x.rank() >= 1 && x.shape.back() != kBatch, "expects x with channels, got {}",
          str(x.shape));
  require_vector(context, 1, x.shape.back(), "a bias");
  return x;
}

TensorType cast_type(const TypeContext &context) {
  TensorType type = context.operand(0);
  require(context, !type.blocked(), "expects row-major storage, got {}", type.str());
  type.element = context.attrs<CastAttrs>().to;
  return type;
}

} // namespace

const OpDef ops::add = {
    "a + b, broadcasting as NumPy does",
    R"(%0 = input {name="a", type=f32[N,4,5]} : f32[N,4,5]
%1 = input {name="b", type=f32[N,4,5]} : f32[N,4,5]
%2 = add %0, %1 : f32[N,4,5])",
    /*min_inputs=*/2,
    /*max_inputs=*/2,
    {OpClass::elementwise, {&Traits::commutative, &Traits::plain}},
    broadcast_type,
    differentiate_add,
    compute_add,
};

const OpDef ops::subtract = {
    "a - b, broadcasting as NumPy does",
    R"(%0 = input {name="a", type=f32[N,4,5]} : f32[N,4,5]
%1 = input {name="b", type=f32[5]} : f32[5]
%2 = subtract %0, %1 : f32[N,4,5])",
    /*min_inputs=*/2,
    /*max_inputs=*/2,
    {OpClass::elementwise, {&Traits::plain}},
    broadcast_type,
    differentiate_subtract,
    compute_subtract,
};

const OpDef ops::multiply = {
    "a * b, broadcasting as NumPy does",
    R"(%0 = input {name="a", type=f32[N,4,5]} : f32[N,4,5]
%1 = input {name="b", type=f32[4,1]} : f32[4,1]
%2 = multiply %0, %1 : f32[N,4,5])",
    /*min_inputs=*/2,
    /*max_inputs=*/2,
    {OpClass::elementwise, {&Traits::commutative, &Traits::plain}},
    broadcast_type,
    differentiate_multiply,
    compute_multiply,
};

const OpDef ops::divide = {
    "a / b, broadcasting as NumPy does",
    R"(%0 = input {name="a", type=f32[N,4,5]} : f32[N,4,5]
%1 = input {name="b", type=f32[N,4,5]} : f32[N,4,5]
%2 = exp %1 : f32[N,4,5]
%3 = divide %0, %2 : f32[N,4,5])",
    /*min_inputs=*/2,
    /*max_inputs=*/2,
    {OpClass::elementwise, {&Traits::costly}},
    broadcast_type,
    differentiate_divide,
    compute_divide,
};

const OpDef ops::maximum = {
    "the larger of a and b, broadcasting as NumPy does",
    R"(%0 = input {name="a", type=f32[N,4,5]} : f32[N,4,5]
%1 = input {name="b", type=f32[N,4,5]} : f32[N,4,5]
%2 = maximum %0, %1 : f32[N,4,5])",
    /*min_inputs=*/2,
    /*max_inputs=*/2,
    {OpClass::elementwise, {&Traits::commutative}},
    broadcast_type,
    differentiate_maximum,
    compute_maximum,
};

const OpDef ops::minimum = {
    "the smaller of a and b, broadcasting as NumPy does",
    R"(%0 = input {name="a", type=f32[N,4,5]} : f32[N,4,5]
%1 = input {name="b", type=f32[N,4,5]} : f32[N,4,5]
%2 = minimum %0, %1 : f32[N,4,5])",
    /*min_inputs=*/2,
    /*max_inputs=*/2,
    {OpClass::elementwise, {&Traits::commutative}},
    broadcast_type,
    differentiate_minimum,
    compute_minimum,
};

const OpDef ops::bias_add = {
    "x + bias, along the last dimension",
    R"(%0 = input {name="x", type=f32[N,4,5]} : f32[N,4,5]
%1 = parameter {name="bias", type=f32[5]} : f32[5]
%2 = bias_add %0, %1 : f32[N,4,5])",
    /*min_inputs=*/2,
    /*max_inputs=*/2,
    {OpClass::elementwise, {&Traits::plain}},
    bias_add_type,
    differentiate_bias_add,
    compute_bias_add,
};

const OpDef ops::affine = {
    "x * scale + offset",
    R"(%0 = input {name="x", type=f32[N,4,5]} : f32[N,4,5]
%1 = affine %0 {scale=2, offset=-0.5} : f32[N,4,5])",
    /*min_inputs=*/1,
    /*max_inputs=*/1,
    {OpClass::elementwise, {&Traits::plain}},
    same_f32_type,
    differentiate_affine,
    compute_affine,
    result_cost<2>,
};

const OpDef ops::negate = {
    "-x",
    R"(%0 = input {name="x", type=f32[N,4,5]} : f32[N,4,5]
%1 = negate %0 : f32[N,4,5])",
    /*min_inputs=*/1,
    /*max_inputs=*/1,
    {OpClass::elementwise, {&Traits::plain}},
    same_f32_type,
    differentiate_negate,
    compute_negate,
};

const OpDef ops::square = {
    "x * x",
    R"(%0 = input {name="x", type=f32[N,4,5]} : f32[N,4,5]
%1 = square %0 : f32[N,4,5])",
    /*min_inputs=*/1,
    /*max_inputs=*/1,
    {OpClass::elementwise, {&Traits::plain}},
    same_f32_type,
    differentiate_square,
    compute_square,
};

const OpDef ops::sqrt = {
    "square root",
    R"(%0 = input {name="x", type=f32[N,4,5]} : f32[N,4,5]
%1 = exp %0 : f32[N,4,5]
%2 = sqrt %1 : f32[N,4,5])",
    /*min_inputs=*/1,
    /*max_inputs=*/1,
    {OpClass::elementwise, {&Traits::costly}},
    same_f32_type,
    differentiate_sqrt,
    compute_sqrt,
};

const OpDef ops::rsqrt = {
    "1 / sqrt(x)",
    R"(%0 = input {name="x", type=f32[N,4,5]} : f32[N,4,5]
%1 = exp %0 : f32[N,4,5]
%2 = rsqrt %1 : f32[N,4,5])",
    /*min_inputs=*/1,
    /*max_inputs=*/1,
    {OpClass::elementwise, {&Traits::costly, &Traits::plain}},
    same_f32_type,
    differentiate_rsqrt,
    compute_rsqrt,
    result_cost<2>,
};

const OpDef ops::exp = {
    "e to the power x",
    R"(%0 = input {name="x", type=f32[N,4,5]} : f32[N,4,5]
%1 = exp %0 : f32[N,4,5])",
    /*min_inputs=*/1,
    /*max_inputs=*/1,
    {OpClass::elementwise, {&Traits::costly}},
    same_f32_type,
    differentiate_exp,
    compute_exp,
};

const OpDef ops::log = {
    "natural logarithm",
    R"(%0 = input {name="x", type=f32[N,4,5]} : f32[N,4,5]
%1 = exp %0 : f32[N,4,5]
%2 = log %1 : f32[N,4,5])",
    /*min_inputs=*/1,
    /*max_inputs=*/1,
    {OpClass::elementwise, {&Traits::costly}},
    same_f32_type,
    differentiate_log,
    compute_log,
};

const OpDef ops::abs = {
    "|x|",
    R"(%0 = input {name="x", type=f32[N,4,5]} : f32[N,4,5]
%1 = abs %0 : f32[N,4,5])",
    /*min_inputs=*/1,
    /*max_inputs=*/1,
    {OpClass::elementwise},
    same_f32_type,
    differentiate_abs,
    compute_abs,
};

const OpDef ops::relu = {
    "max(x, 0)",
    R"(%0 = input {name="x", type=f32[N,4,5]} : f32[N,4,5]
%1 = relu %0 : f32[N,4,5])",
    /*min_inputs=*/1,
    /*max_inputs=*/1,
    {OpClass::elementwise},
    same_f32_type,
    differentiate_relu,
    compute_relu,
};

const OpDef ops::tanh = {
    "hyperbolic tangent",
    R"(%0 = input {name="x", type=f32[N,4,5]} : f32[N,4,5]
%1 = tanh %0 : f32[N,4,5])",
    /*min_inputs=*/1,
    /*max_inputs=*/1,
    {OpClass::elementwise, {&Traits::costly}},
    same_f32_type,
    differentiate_tanh,
    compute_tanh,
};

const OpDef ops::sigmoid = {
    "1 / (1 + exp(-x))",
    R"(%0 = input {name="x", type=f32[N,4,5]} : f32[N,4,5]
%1 = sigmoid %0 : f32[N,4,5])",
    /*min_inputs=*/1,
    /*max_inputs=*/1,
    {OpClass::elementwise, {&Traits::costly}},
    same_f32_type,
    differentiate_sigmoid,
    compute_sigmoid,
    result_cost<3>,
};

const OpDef ops::relu_gradient = {
    "dy where y > 0, else 0, with y = relu(x)",
    R"(%0 = input {name="dy", type=f32[N,4,5]} : f32[N,4,5]
%1 = input {name="x", type=f32[N,4,5]} : f32[N,4,5]
%2 = relu %1 : f32[N,4,5]
%3 = relu_gradient %0, %2 : f32[N,4,5])",
    /*min_inputs=*/2,
    /*max_inputs=*/2,
    {OpClass::elementwise},
    all_same_f32_type,
    /*gradient=*/nullptr,
    compute_relu_gradient,
};

const OpDef ops::tanh_gradient = {
    "dy * (1 - y * y), with y = tanh(x)",
    R"(%0 = input {name="dy", type=f32[N,4,5]} : f32[N,4,5]
%1 = input {name="x", type=f32[N,4,5]} : f32[N,4,5]
%2 = tanh %1 : f32[N,4,5]
%3 = tanh_gradient %0, %2 : f32[N,4,5])",
    /*min_inputs=*/2,
    /*max_inputs=*/2,
    {OpClass::elementwise},
    all_same_f32_type,
    /*gradient=*/nullptr,
    compute_tanh_gradient,
    result_cost<3>,
};

const OpDef ops::sigmoid_gradient = {
    "dy * y * (1 - y), with y = sigmoid(x)",
    R"(%0 = input {name="dy", type=f32[N,4,5]} : f32[N,4,5]
%1 = input {name="x", type=f32[N,4,5]} : f32[N,4,5]
%2 = sigmoid %1 : f32[N,4,5]
%3 = sigmoid_gradient %0, %2 : f32[N,4,5])",
    /*min_inputs=*/2,
    /*max_inputs=*/2,
    {OpClass::elementwise},
    all_same_f32_type,
    /*gradient=*/nullptr,
    compute_sigmoid_gradient,
    result_cost<3>,
};

const OpDef ops::greater_equal = {
    "1 where a >= b, else 0, broadcasting as NumPy does",
    R"(%0 = input {name="a", type=f32[N,4,5]} : f32[N,4,5]
%1 = input {name="b", type=f32[N,4,5]} : f32[N,4,5]
%2 = greater_equal %0, %1 : f32[N,4,5])",
    /*min_inputs=*/2,
    /*max_inputs=*/2,
    {OpClass::elementwise, {&Traits::metric}},
    broadcast_type,
    /*gradient=*/nullptr,
    compute_greater_equal,
};

const OpDef ops::sign = {
    "-1, 0 or 1",
    R"(%0 = input {name="x", type=f32[N,4,5]} : f32[N,4,5]
%1 = sign %0 : f32[N,4,5])",
    /*min_inputs=*/1,
    /*max_inputs=*/1,
    {OpClass::elementwise, {&Traits::metric}},
    same_f32_type,
    /*gradient=*/nullptr,
    compute_sign,
};

const OpDef ops::cast = {
    "x as another element type; fractions are cut off",
    R"(%0 = input {name="labels", role="label", type=u8[N,7]} : u8[N,7]
%1 = cast %0 : f32[N,7])",
    /*min_inputs=*/1,
    /*max_inputs=*/1,
    {OpClass::elementwise, {&Traits::metric}},
    cast_type,
    /*gradient=*/nullptr,
    compute_cast,
};

} // namespace sinter

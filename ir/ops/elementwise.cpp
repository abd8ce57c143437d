// Simple functions of one element, and the gradients of activations that have ops of their own.

#include "ir/ops/compute.h"
#include "ir/ops/elementwise_records.h"
#include "ir/ops/rules.h"

namespace sinter {

namespace {

/// Any layout of f32 or i32.
TensorType signed_type(const TypeContext &context) {
  const TensorType &type = context.operand(0);
  require(context, type.element != ElementType::u8, "expects f32 or i32, got {}", type.str());
  return type;
}

TensorType mask_type(const TypeContext &context) {
  TensorType type = same_f32_type(context);
  type.element = ElementType::u8;
  return type;
}

TensorType cast_type(const TypeContext &context) {
  TensorType type = context.operand(0);
  require(context, !type.blocked(), "expects row-major storage, got {}", type.str());
  type.element = context.attrs<CastAttrs>().to;
  return type;
}

// dx = dy * scale
void differentiate_affine(GradientBuilder &g) {
  g.add_to_input(0, scaled(g, g.dy(), g.attrs<AffineAttrs>().scale));
}

// dx = -dy
void differentiate_negate(GradientBuilder &g) {
  g.add_to_input(0, g.append(OpKind::negate, {g.dy()}));
}

// dx = dy * 2 x
void differentiate_square(GradientBuilder &g) {
  g.add_to_input(0, product(g, g.dy(), scaled(g, g.x(0), 2)));
}

// dx = dy * sign(x)
void differentiate_abs(GradientBuilder &g) {
  g.add_to_input(0, product(g, g.dy(), g.append(OpKind::sign, {g.x(0)})));
}

// dx = dy * (y > 0)
void differentiate_relu(GradientBuilder &g) {
  g.add_to_input(0, g.append(OpKind::relu_gradient, {g.dy(), g.y()}));
}

constexpr ElementwiseFamily unary{1, same_f32_type};
constexpr ElementwiseFamily signed_unary{1, signed_type};
constexpr ElementwiseFamily test{1, mask_type};
constexpr ElementwiseFamily activation_gradient{2, all_same_f32_type};

/// An activation's gradient takes dy and y.
#define SINTER_ACTIVATION_GRADIENT_EXAMPLE(activation)                                             \
  "%0 = input {name=\"dy\", type=f32[N,4,5]} : f32[N,4,5]\n"                                       \
  "%1 = input {name=\"x\", type=f32[N,4,5]} : f32[N,4,5]\n%2 = " activation                        \
  " %1 : f32[N,4,5]\n%3 = " activation "_gradient %0, %2 : f32[N,4,5]"

} // namespace

const OpDef ops::affine =
    unary("x * scale + offset",
          R"(%0 = input {name="x", type=f32[N,4,5]} : f32[N,4,5]
%1 = affine %0 {scale=2, offset=-0.5} : f32[N,4,5])",
          {&Traits::plain}, differentiate_affine, compute_affine, result_cost<2>);

const OpDef ops::negate = signed_unary("-x", SINTER_UNARY_EXAMPLE("negate"), {&Traits::plain},
                                       differentiate_negate, compute_negate);

const OpDef ops::square = unary("x * x", SINTER_UNARY_EXAMPLE("square"), {&Traits::plain},
                                differentiate_square, compute_square);

const OpDef ops::abs =
    signed_unary("|x|", SINTER_UNARY_EXAMPLE("abs"), {}, differentiate_abs, compute_abs);

const OpDef ops::sign = signed_unary("-1, 0 or 1, or a NaN", SINTER_UNARY_EXAMPLE("sign"),
                                     {&Traits::metric}, nullptr, compute_sign);

const OpDef ops::floor =
    unary("the largest whole number that does not exceed x", SINTER_UNARY_EXAMPLE("floor"),
          {&Traits::metric}, nullptr, compute_floor);

const OpDef ops::ceil =
    unary("the smallest whole number that x does not exceed", SINTER_UNARY_EXAMPLE("ceil"),
          {&Traits::metric}, nullptr, compute_ceil);

const OpDef ops::round =
    unary("the nearest whole number, the even one at a tie", SINTER_UNARY_EXAMPLE("round"),
          {&Traits::metric}, nullptr, compute_round);

const OpDef ops::is_nan = test("the mask of NaNs",
                               R"(%0 = input {name="x", type=f32[N,4,5]} : f32[N,4,5]
%1 = is_nan %0 : u8[N,4,5])",
                               {&Traits::metric}, nullptr, compute_is_nan);

const OpDef ops::is_infinite = test("the mask of infinities of either sign",
                                    R"(%0 = input {name="x", type=f32[N,4,5]} : f32[N,4,5]
%1 = is_infinite %0 : u8[N,4,5])",
                                    {&Traits::metric}, nullptr, compute_is_infinite);

const OpDef ops::relu = unary("max(x, 0), of a NaN a NaN", SINTER_UNARY_EXAMPLE("relu"), {},
                              differentiate_relu, compute_relu);

const OpDef ops::relu_gradient = activation_gradient("dy where y > 0, else 0, with y = relu(x)",
                                                     SINTER_ACTIVATION_GRADIENT_EXAMPLE("relu"), {},
                                                     nullptr, compute_relu_gradient);

const OpDef ops::tanh_gradient = activation_gradient(
    "dy * (1 - y * y), with y = tanh(x)", SINTER_ACTIVATION_GRADIENT_EXAMPLE("tanh"), {}, nullptr,
    compute_tanh_gradient, result_cost<3>);

const OpDef ops::sigmoid_gradient = activation_gradient(
    "dy * y * (1 - y), with y = sigmoid(x)", SINTER_ACTIVATION_GRADIENT_EXAMPLE("sigmoid"), {},
    nullptr, compute_sigmoid_gradient, result_cost<3>);

const OpDef ops::cast = ElementwiseFamily{1, cast_type}(
    "x as another element type; fractions are cut off, and a u8 is taken modulo 256",
    R"(%0 = input {name="labels", role="label", type=u8[N,7]} : u8[N,7]
%1 = cast %0 : f32[N,7])",
    {&Traits::metric}, nullptr, compute_cast);

} // namespace sinter

// Functions of one element that take more than arithmetic.

#include "ir/ops/compute.h"
#include "ir/ops/elementwise_records.h"
#include "ir/ops/rules.h"

namespace sinter {

namespace {

NodeId square(GradientBuilder &g, NodeId x) { return g.append(OpKind::square, {x}); }

/// dx = dy / f
void divide_dy(GradientBuilder &g, NodeId f) { g.add_to_input(0, quotient(g, g.dy(), f)); }
/// dx = dy * f
void multiply_dy(GradientBuilder &g, NodeId f) { g.add_to_input(0, product(g, g.dy(), f)); }
/// dx = dy * scale / sqrt(f)
void divide_dy_by_root(GradientBuilder &g, NodeId f, float scale = 1) {
  const NodeId root = g.append(OpKind::rsqrt, {f});
  multiply_dy(g, scale == 1 ? root : scaled(g, root, scale));
}

// dx = dy / (2 y)
void differentiate_sqrt(GradientBuilder &g) {
  g.add_to_input(0, quotient(g, scaled(g, g.dy(), 0.5F), g.y()));
}

// dx = dy * -y^3 / 2
void differentiate_rsqrt(GradientBuilder &g) {
  const NodeId cube = product(g, g.y(), square(g, g.y()));
  g.add_to_input(0, product(g, scaled(g, g.dy(), -0.5F), cube));
}

// dx = dy * y
void differentiate_exp(GradientBuilder &g) { multiply_dy(g, g.y()); }

// dx = dy * (y + 1)
void differentiate_expm1(GradientBuilder &g) { multiply_dy(g, scaled(g, g.y(), 1, 1)); }

// dx = dy / x
void differentiate_log(GradientBuilder &g) { divide_dy(g, g.x(0)); }

// dx = dy / (1 + x)
void differentiate_log1p(GradientBuilder &g) { divide_dy(g, scaled(g, g.x(0), 1, 1)); }

// dx = dy * 2 / sqrt(pi) * exp(-x^2)
void differentiate_erf(GradientBuilder &g) {
  constexpr float two_over_root_of_pi = 1.12837917F;
  const NodeId bell = g.append(OpKind::exp, {g.append(OpKind::negate, {square(g, g.x(0))})});
  multiply_dy(g, scaled(g, bell, two_over_root_of_pi));
}

// dx = dy * y * (1 - y)
void differentiate_sigmoid(GradientBuilder &g) {
  g.add_to_input(0, g.append(OpKind::sigmoid_gradient, {g.dy(), g.y()}));
}

// dx = dy * cos(x)
void differentiate_sin(GradientBuilder &g) { multiply_dy(g, g.append(OpKind::cos, {g.x(0)})); }

// dx = dy * -sin(x)
void differentiate_cos(GradientBuilder &g) {
  multiply_dy(g, g.append(OpKind::negate, {g.append(OpKind::sin, {g.x(0)})}));
}

// dx = dy * (1 + y^2)
void differentiate_tan(GradientBuilder &g) { multiply_dy(g, scaled(g, square(g, g.y()), 1, 1)); }

// dx = dy / sqrt(1 - x^2)
void differentiate_asin(GradientBuilder &g) {
  divide_dy_by_root(g, scaled(g, square(g, g.x(0)), -1, 1));
}

// dx = -dy / sqrt(1 - x^2)
void differentiate_acos(GradientBuilder &g) {
  divide_dy_by_root(g, scaled(g, square(g, g.x(0)), -1, 1), -1);
}

// dx = dy / (1 + x^2)
void differentiate_atan(GradientBuilder &g) { divide_dy(g, scaled(g, square(g, g.x(0)), 1, 1)); }

// dx = dy * cosh(x)
void differentiate_sinh(GradientBuilder &g) { multiply_dy(g, g.append(OpKind::cosh, {g.x(0)})); }

// dx = dy * sinh(x)
void differentiate_cosh(GradientBuilder &g) { multiply_dy(g, g.append(OpKind::sinh, {g.x(0)})); }

// dx = dy * (1 - y^2)
void differentiate_tanh(GradientBuilder &g) {
  g.add_to_input(0, g.append(OpKind::tanh_gradient, {g.dy(), g.y()}));
}

// dx = dy / sqrt(x^2 + 1)
void differentiate_asinh(GradientBuilder &g) {
  divide_dy_by_root(g, scaled(g, square(g, g.x(0)), 1, 1));
}

// dx = dy / sqrt(x^2 - 1)
void differentiate_acosh(GradientBuilder &g) {
  divide_dy_by_root(g, scaled(g, square(g, g.x(0)), 1, -1));
}

// dx = dy / (1 - x^2)
void differentiate_atanh(GradientBuilder &g) { divide_dy(g, scaled(g, square(g, g.x(0)), -1, 1)); }

constexpr ElementwiseFamily function{1, same_f32_type};

#define SINTER_POSITIVE_EXAMPLE(op)                                                                \
  "%0 = input {name=\"x\", type=f32[N,4,5]} : f32[N,4,5]\n"                                        \
  "%1 = exp %0 : f32[N,4,5]\n%2 = " op " %1 : f32[N,4,5]"

} // namespace

const OpDef ops::sqrt = function("square root", SINTER_POSITIVE_EXAMPLE("sqrt"), {&Traits::costly},
                                 differentiate_sqrt, compute_sqrt);

const OpDef ops::rsqrt =
    function("1 / sqrt(x)", SINTER_POSITIVE_EXAMPLE("rsqrt"), {&Traits::costly, &Traits::plain},
             differentiate_rsqrt, compute_rsqrt, result_cost<2>);

const OpDef ops::exp = function("e to the power x", SINTER_UNARY_EXAMPLE("exp"), {&Traits::costly},
                                differentiate_exp, compute_exp);

const OpDef ops::expm1 =
    function("exp(x) - 1, exact for small x", SINTER_UNARY_EXAMPLE("expm1"), {&Traits::costly},
             differentiate_expm1, compute_expm1, result_cost<5>);

const OpDef ops::log = function("natural logarithm", SINTER_POSITIVE_EXAMPLE("log"),
                                {&Traits::costly}, differentiate_log, compute_log);

const OpDef ops::log1p =
    function("log(1 + x), exact for small x", SINTER_SCALED_EXAMPLE("log1p", "0.7", "0.5"),
             {&Traits::costly}, differentiate_log1p, compute_log1p, result_cost<5>);

const OpDef ops::erf = function("the error function", SINTER_UNARY_EXAMPLE("erf"),
                                {&Traits::costly}, differentiate_erf, compute_erf, result_cost<10>);

const OpDef ops::sigmoid =
    function("1 / (1 + exp(-x))", SINTER_UNARY_EXAMPLE("sigmoid"), {&Traits::costly},
             differentiate_sigmoid, compute_sigmoid, result_cost<3>);

const OpDef ops::sin = function("sine", SINTER_UNARY_EXAMPLE("sin"), {&Traits::costly},
                                differentiate_sin, compute_sin, result_cost<10>);

const OpDef ops::cos = function("cosine", SINTER_UNARY_EXAMPLE("cos"), {&Traits::costly},
                                differentiate_cos, compute_cos, result_cost<10>);

const OpDef ops::tan = function("tangent", SINTER_UNARY_EXAMPLE("tan"), {&Traits::costly},
                                differentiate_tan, compute_tan, result_cost<10>);

const OpDef ops::asin =
    function("inverse sine", SINTER_SCALED_EXAMPLE("asin", "0.7", "0.05"), {&Traits::costly},
             differentiate_asin, compute_asin, result_cost<10>);

const OpDef ops::acos =
    function("inverse cosine", SINTER_SCALED_EXAMPLE("acos", "0.7", "0.05"), {&Traits::costly},
             differentiate_acos, compute_acos, result_cost<10>);

const OpDef ops::atan = function("inverse tangent", SINTER_UNARY_EXAMPLE("atan"), {&Traits::costly},
                                 differentiate_atan, compute_atan, result_cost<10>);

const OpDef ops::sinh = function("hyperbolic sine", SINTER_UNARY_EXAMPLE("sinh"), {&Traits::costly},
                                 differentiate_sinh, compute_sinh, result_cost<10>);

const OpDef ops::cosh =
    function("hyperbolic cosine", SINTER_UNARY_EXAMPLE("cosh"), {&Traits::costly},
             differentiate_cosh, compute_cosh, result_cost<10>);

const OpDef ops::tanh = function("hyperbolic tangent", SINTER_UNARY_EXAMPLE("tanh"),
                                 {&Traits::costly}, differentiate_tanh, compute_tanh);

const OpDef ops::asinh =
    function("inverse hyperbolic sine", SINTER_UNARY_EXAMPLE("asinh"), {&Traits::costly},
             differentiate_asinh, compute_asinh, result_cost<10>);

const OpDef ops::acosh =
    function("inverse hyperbolic cosine, of x >= 1", SINTER_SCALED_EXAMPLE("acosh", "0.5", "2"),
             {&Traits::costly}, differentiate_acosh, compute_acosh, result_cost<10>);

const OpDef ops::atanh =
    function("inverse hyperbolic tangent", SINTER_SCALED_EXAMPLE("atanh", "0.7", "0.05"),
             {&Traits::costly}, differentiate_atanh, compute_atanh, result_cost<10>);

} // namespace sinter

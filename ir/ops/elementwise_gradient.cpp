// Gradients of the elementwise ops, as ordinary nodes. Where an operand broadcasts, the rule gives
// the gradient in the result's shape: add_to_input sums it over the broadcast dimensions.

#include "ir/ops/elementwise_gradient.h"

#include "ir/op.h"

namespace sinter {

namespace {

NodeId scaled(GradientBuilder &g, NodeId x, float scale, float offset = 0) {
  return g.append(OpKind::affine, {x}, AffineAttrs{scale, offset});
}

NodeId product(GradientBuilder &g, NodeId a, NodeId b) {
  return g.append(OpKind::multiply, {a, b});
}

/// dy goes to operand 0 where the mask is 1, else to operand 1.
void differentiate_choice(GradientBuilder &g, NodeId first_wins) {
  g.add_to_input(0, product(g, g.dy(), first_wins));
  g.add_to_input(1, product(g, g.dy(), scaled(g, first_wins, -1, 1)));
}

} // namespace

// da = dy, db = dy
void differentiate_add(GradientBuilder &g) {
  g.add_to_input(0, g.dy());
  g.add_to_input(1, g.dy());
}

// da = dy, db = -dy
void differentiate_subtract(GradientBuilder &g) {
  g.add_to_input(0, g.dy());
  g.add_to_input(1, g.append(OpKind::negate, {g.dy()}));
}

// da = dy * b, db = dy * a
void differentiate_multiply(GradientBuilder &g) {
  g.add_to_input(0, product(g, g.dy(), g.x(1)));
  g.add_to_input(1, product(g, g.dy(), g.x(0)));
}

// da = dy / b, db = -(dy / b) * y
void differentiate_divide(GradientBuilder &g) {
  const NodeId da = g.append(OpKind::divide, {g.dy(), g.x(1)});
  g.add_to_input(0, da);
  g.add_to_input(1, g.append(OpKind::negate, {product(g, da, g.y())}));
}

// da = dy * (a >= b), db = dy * (1 - (a >= b)): at a tie everything goes to a
void differentiate_maximum(GradientBuilder &g) {
  differentiate_choice(g, g.append(OpKind::greater_equal, {g.x(0), g.x(1)}));
}

// da = dy * (b >= a), db = dy * (1 - (b >= a)): at a tie everything goes to a
void differentiate_minimum(GradientBuilder &g) {
  differentiate_choice(g, g.append(OpKind::greater_equal, {g.x(1), g.x(0)}));
}

// dx = dy, dbias = sum of dy over all but the last dimension
void differentiate_bias_add(GradientBuilder &g) { differentiate_add(g); }

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

// dx = dy / (2 y)
void differentiate_sqrt(GradientBuilder &g) {
  g.add_to_input(0, g.append(OpKind::divide, {scaled(g, g.dy(), 0.5F), g.y()}));
}

// dx = dy * -y^3 / 2
void differentiate_rsqrt(GradientBuilder &g) {
  const NodeId cube = product(g, g.y(), g.append(OpKind::square, {g.y()}));
  g.add_to_input(0, product(g, scaled(g, g.dy(), -0.5F), cube));
}

// dx = dy * y
void differentiate_exp(GradientBuilder &g) { g.add_to_input(0, product(g, g.dy(), g.y())); }

// dx = dy / x
void differentiate_log(GradientBuilder &g) {
  g.add_to_input(0, g.append(OpKind::divide, {g.dy(), g.x(0)}));
}

// dx = dy * sign(x)
void differentiate_abs(GradientBuilder &g) {
  g.add_to_input(0, product(g, g.dy(), g.append(OpKind::sign, {g.x(0)})));
}

// dx = dy * (y > 0)
void differentiate_relu(GradientBuilder &g) {
  g.add_to_input(0, g.append(OpKind::relu_gradient, {g.dy(), g.y()}));
}

// dx = dy * (1 - y^2)
void differentiate_tanh(GradientBuilder &g) {
  g.add_to_input(0, g.append(OpKind::tanh_gradient, {g.dy(), g.y()}));
}

// dx = dy * y * (1 - y)
void differentiate_sigmoid(GradientBuilder &g) {
  g.add_to_input(0, g.append(OpKind::sigmoid_gradient, {g.dy(), g.y()}));
}

} // namespace sinter

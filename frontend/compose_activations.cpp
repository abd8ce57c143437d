// Masks and activations: functions of one element.
#include "frontend/compose.h"

#include <cmath>

namespace sinter {

NodeId Composer::scalar_like(NodeId node, float value) {
  return append(OpKind::constant, {}, ConstantAttrs{{value}, {type(node).element, {}, 0}});
}

namespace compose {

namespace {

NodeId multiply(Composer &c, NodeId a, NodeId b) { return c.append(OpKind::multiply, {a, b}); }
NodeId add(Composer &c, NodeId a, NodeId b) { return c.append(OpKind::add, {a, b}); }
NodeId negative_part(Composer &c, NodeId x) {
  return c.append(OpKind::minimum, {x, c.scalar_like(x, 0)});
}

} // namespace

NodeId not_equal(Composer &c, NodeId a, NodeId b) {
  return logical_not(c, c.append(OpKind::equal, {a, b}));
}

NodeId logical_not(Composer &c, NodeId mask) {
  return c.append(OpKind::equal, {mask, c.scalar_like(mask, 0)});
}

NodeId to_mask(Composer &c, NodeId x) { return not_equal(c, x, c.scalar_like(x, 0)); }

NodeId affine(Composer &c, NodeId x, float scale, float offset) {
  return c.append(OpKind::affine, {x}, AffineAttrs{scale, offset});
}

NodeId clip(Composer &c, NodeId x, float low, float high) {
  if (low == 0 && c.type(x).element == ElementType::f32)
    x = c.append(OpKind::relu, {x});
  else if (std::isfinite(low))
    x = c.append(OpKind::maximum, {x, c.scalar_like(x, low)});
  return std::isfinite(high) ? c.append(OpKind::minimum, {x, c.scalar_like(x, high)}) : x;
}

NodeId leaky_relu(Composer &c, NodeId x, float slope) {
  if (slope == 0)
    return c.append(OpKind::relu, {x});
  const NodeId scaled = affine(c, x, slope);
  if (slope > 0 && slope <= 1)
    return c.append(OpKind::maximum, {x, scaled});
  return c.append(OpKind::select, {c.append(OpKind::greater, {x, c.scalar_like(x, 0)}), x, scaled});
}

NodeId prelu(Composer &c, NodeId x, NodeId slope) {
  return add(c, c.append(OpKind::relu, {x}), multiply(c, slope, negative_part(c, x)));
}

NodeId thresholded_relu(Composer &c, NodeId x, float threshold) {
  const NodeId above = c.append(OpKind::greater, {x, c.scalar_like(x, threshold)});
  return c.append(OpKind::select, {above, x, c.scalar_like(x, 0)});
}

// The exponential of the negative part alone, so that it never overflows.
NodeId elu(Composer &c, NodeId x, float alpha) {
  const NodeId below = c.append(OpKind::expm1, {negative_part(c, x)});
  return add(c, c.append(OpKind::relu, {x}), affine(c, below, alpha));
}

NodeId celu(Composer &c, NodeId x, float alpha) {
  const NodeId below = c.append(OpKind::expm1, {affine(c, negative_part(c, x), 1 / alpha)});
  return add(c, c.append(OpKind::relu, {x}), affine(c, below, alpha));
}

NodeId selu(Composer &c, NodeId x, float alpha, float gamma) {
  return affine(c, elu(c, x, alpha), gamma);
}

// x / 2 * (1 + erf(x / sqrt(2)))
NodeId gelu(Composer &c, NodeId x) {
  constexpr float inverse_root_of_two = 0.707106781F;
  const NodeId erf = c.append(OpKind::erf, {affine(c, x, inverse_root_of_two)});
  return multiply(c, x, affine(c, erf, 0.5F, 0.5F));
}

// x * sigmoid(2 u) with u = sqrt(2 / pi) * (x + 0.044715 x^3), which is x / 2 * (1 + tanh(u)).
// (D. Hendrycks, K. Gimpel, "Gaussian error linear units", 2016.)
NodeId gelu_tanh(Composer &c, NodeId x) {
  constexpr float root_of_two_over_pi = 0.797884561F;
  constexpr float cubic = 0.044715F;
  const NodeId polynomial = affine(c, c.append(OpKind::square, {x}),
                                   2 * root_of_two_over_pi * cubic, 2 * root_of_two_over_pi);
  return multiply(c, x, c.append(OpKind::sigmoid, {multiply(c, x, polynomial)}));
}

NodeId hard_sigmoid(Composer &c, NodeId x, float scale, float offset) {
  return clip(c, affine(c, x, scale, offset), 0, 1);
}

NodeId hard_swish(Composer &c, NodeId x) { return multiply(c, x, hard_sigmoid(c, x, 1.0F / 6)); }

NodeId silu(Composer &c, NodeId x) { return multiply(c, x, c.append(OpKind::sigmoid, {x})); }

// max(x, 0) + log(1 + exp(-|x|)): nothing overflows, and small results keep their digits.
NodeId softplus(Composer &c, NodeId x) {
  const NodeId magnitude = c.append(OpKind::abs, {x});
  const NodeId small = c.append(OpKind::exp, {c.append(OpKind::negate, {magnitude})});
  return add(c, c.append(OpKind::relu, {x}), c.append(OpKind::log1p, {small}));
}

NodeId log_sigmoid(Composer &c, NodeId x) {
  return c.append(OpKind::negate, {softplus(c, c.append(OpKind::negate, {x}))});
}

NodeId softsign(Composer &c, NodeId x) {
  return c.append(OpKind::divide, {x, affine(c, c.append(OpKind::abs, {x}), 1, 1)});
}

NodeId mish(Composer &c, NodeId x) {
  return multiply(c, x, c.append(OpKind::tanh, {softplus(c, x)}));
}

NodeId shrink(Composer &c, NodeId x, float threshold, float bias) {
  const NodeId above = c.append(OpKind::greater, {x, c.scalar_like(x, threshold)});
  const NodeId below = c.append(OpKind::greater, {c.scalar_like(x, -threshold), x});
  const NodeId moved_up =
      c.append(OpKind::select, {below, affine(c, x, 1, bias), c.scalar_like(x, 0)});
  return c.append(OpKind::select, {above, affine(c, x, 1, -bias), moved_up});
}

NodeId reciprocal(Composer &c, NodeId x) {
  return c.append(OpKind::divide, {c.scalar_like(x, 1), x});
}

} // namespace compose

} // namespace sinter

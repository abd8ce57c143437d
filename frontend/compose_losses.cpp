// Losses, a value a row.
#include "frontend/compose.h"

namespace sinter::compose {

namespace {

constexpr float kEpsilon = 1e-7F; // Keras's

NodeId subtract(Composer &c, NodeId a, NodeId b) { return c.append(OpKind::subtract, {a, b}); }
NodeId multiply(Composer &c, NodeId a, NodeId b) { return c.append(OpKind::multiply, {a, b}); }

NodeId row_mean(Composer &c, NodeId x) {
  return reduce(c, OpKind::reduce_mean, x, {c.rank(x) - 1}, /*keep_dims=*/false);
}

NodeId row_sum(Composer &c, NodeId x) {
  return reduce(c, OpKind::reduce_sum, x, {c.rank(x) - 1}, /*keep_dims=*/false);
}

} // namespace

// A class of no weight counts as 0 even where its probability is 0: 0 times infinity is no number.
NodeId negative_log_likelihood(Composer &c, NodeId log_probabilities, NodeId target) {
  const NodeId nothing = c.scalar_like(target, 0);
  const NodeId absent = c.append(OpKind::equal, {target, nothing});
  const NodeId terms = multiply(c, target, log_probabilities);
  const NodeId counted = c.append(OpKind::select, {absent, nothing, terms});
  return c.append(OpKind::negate, {row_sum(c, counted)});
}

NodeId mean_absolute_error(Composer &c, NodeId prediction, NodeId target) {
  return row_mean(c, c.append(OpKind::abs, {subtract(c, prediction, target)}));
}

// With m = min(|e|, delta): m * (|e| - m / 2), which is both cases in one.
NodeId huber(Composer &c, NodeId prediction, NodeId target, float delta) {
  const NodeId error = c.append(OpKind::abs, {subtract(c, prediction, target)});
  const NodeId small = c.append(OpKind::minimum, {error, c.scalar_like(error, delta)});
  return row_mean(c, multiply(c, small, subtract(c, error, affine(c, small, 0.5F))));
}

// |e| + log(1 + exp(-2 |e|)) - log(2), which does not overflow.
NodeId log_cosh(Composer &c, NodeId prediction, NodeId target) {
  constexpr float log_of_two = 0.693147181F;
  const NodeId error = c.append(OpKind::abs, {subtract(c, prediction, target)});
  const NodeId tail = c.append(OpKind::exp, {affine(c, error, -2)});
  const NodeId correction = affine(c, c.append(OpKind::log1p, {tail}), 1, -log_of_two);
  return row_mean(c, c.append(OpKind::add, {error, correction}));
}

NodeId hinge(Composer &c, NodeId prediction, NodeId target, bool squared) {
  const NodeId positive = c.append(OpKind::greater, {target, c.scalar_like(target, 0)});
  const NodeId sign =
      c.append(OpKind::select, {positive, c.scalar_like(target, 1), c.scalar_like(target, -1)});
  const NodeId margin = c.append(OpKind::relu, {affine(c, multiply(c, sign, prediction), -1, 1)});
  return row_mean(c, squared ? c.append(OpKind::square, {margin}) : margin);
}

NodeId kl_divergence(Composer &c, NodeId prediction, NodeId target) {
  const NodeId t = clip(c, target, kEpsilon, 1);
  const NodeId p = clip(c, prediction, kEpsilon, 1);
  return row_sum(c, multiply(c, t, c.append(OpKind::log, {c.append(OpKind::divide, {t, p})})));
}

NodeId poisson(Composer &c, NodeId prediction, NodeId target) {
  const NodeId logarithm = c.append(OpKind::log, {affine(c, prediction, 1, kEpsilon)});
  return row_mean(c, subtract(c, prediction, multiply(c, target, logarithm)));
}

} // namespace sinter::compose

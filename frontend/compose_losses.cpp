// Losses, a value a sample.
#include "frontend/compose.h"

#include <numeric>

namespace sinter::compose {

namespace {

constexpr float kEpsilon = 1e-7F; // Keras's

NodeId subtract(Composer &c, NodeId a, NodeId b) { return c.append(OpKind::subtract, {a, b}); }
NodeId multiply(Composer &c, NodeId a, NodeId b) { return c.append(OpKind::multiply, {a, b}); }

NodeId sample_mean(Composer &c, NodeId x) {
  std::vector<int64_t> axes(static_cast<size_t>(c.rank(x) - 1));
  std::iota(axes.begin(), axes.end(), 1);
  return reduce(c, OpKind::reduce_mean, x, axes, /*keep_dims=*/false);
}

NodeId class_sum(Composer &c, NodeId x) {
  return reduce(c, OpKind::reduce_sum, x, {c.rank(x) - 1}, /*keep_dims=*/false);
}

} // namespace

// A class of no weight counts as 0 even where its probability is 0: 0 times infinity is no number.
NodeId negative_log_likelihood(Composer &c, NodeId log_probabilities, NodeId target) {
  const NodeId nothing = c.scalar_like(target, 0);
  const NodeId absent = c.append(OpKind::equal, {target, nothing});
  const NodeId terms = multiply(c, target, log_probabilities);
  const NodeId counted = c.append(OpKind::select, {absent, nothing, terms});
  return c.append(OpKind::negate, {class_sum(c, counted)});
}

NodeId mean_absolute_error(Composer &c, NodeId prediction, NodeId target) {
  return sample_mean(c, c.append(OpKind::abs, {subtract(c, prediction, target)}));
}

// With m = min(|e|, delta): m * (|e| - m / 2), which is both cases in one.
NodeId huber(Composer &c, NodeId prediction, NodeId target, float delta) {
  const NodeId error = c.append(OpKind::abs, {subtract(c, prediction, target)});
  const NodeId small = c.append(OpKind::minimum, {error, c.scalar_like(error, delta)});
  return sample_mean(c, multiply(c, small, subtract(c, error, affine(c, small, 0.5F))));
}

// e + softplus(-2 e) - log(2), which does not overflow.
NodeId log_cosh(Composer &c, NodeId prediction, NodeId target) {
  constexpr float log_of_two = 0.693147181F;
  const NodeId error = subtract(c, prediction, target);
  const NodeId correction = affine(c, softplus(c, affine(c, error, -2)), 1, -log_of_two);
  return sample_mean(c, c.append(OpKind::add, {error, correction}));
}

NodeId hinge(Composer &c, NodeId prediction, NodeId target, bool squared) {
  const NodeId margin = c.append(OpKind::relu, {affine(c, multiply(c, target, prediction), -1, 1)});
  return sample_mean(c, squared ? c.append(OpKind::square, {margin}) : margin);
}

NodeId kl_divergence(Composer &c, NodeId prediction, NodeId target) {
  const NodeId t = clip(c, target, kEpsilon, 1);
  const NodeId p = clip(c, prediction, kEpsilon, 1);
  return class_sum(c, multiply(c, t, c.append(OpKind::log, {c.append(OpKind::divide, {t, p})})));
}

NodeId poisson(Composer &c, NodeId prediction, NodeId target) {
  const NodeId logarithm = c.append(OpKind::log, {affine(c, prediction, 1, kEpsilon)});
  return sample_mean(c, subtract(c, prediction, multiply(c, target, logarithm)));
}

} // namespace sinter::compose

// The algorithms of the optimizer steps: the formulas of optimizer.cpp, over storage.

#include "ir/ops/compute.h"
#include "ir/ops/compute_math.h"

namespace sinter {

using Halide::Expr;
using Values = std::vector<Expr>;

namespace {

float decay_of(const KernelBuilder &k) { return static_cast<float>(k.attrs<DecayAttrs>().decay); }

/// 1 - decay, rounded once.
float rest_of(const KernelBuilder &k) {
  return static_cast<float>(1 - k.attrs<DecayAttrs>().decay);
}

} // namespace

void compute_sgd_update(KernelBuilder &k) {
  k.define_elementwise([](const Values &v) { return v[0] - v[2] * v[1]; });
}

void compute_momentum_velocity(KernelBuilder &k) {
  const float decay = decay_of(k);
  k.define_elementwise([&](const Values &v) { return decay * v[0] - v[2] * v[1]; });
}

void compute_momentum_update(KernelBuilder &k) {
  k.define_elementwise([](const Values &v) { return v[0] + v[1]; });
}

void compute_nesterov_update(KernelBuilder &k) {
  const float decay = decay_of(k);
  k.define_elementwise([&](const Values &v) { return v[0] + decay * v[1] - v[3] * v[2]; });
}

void compute_moving_average(KernelBuilder &k) {
  k.define_elementwise([&](const Values &v) { return decay_of(k) * v[0] + rest_of(k) * v[1]; });
}

void compute_moving_square_average(KernelBuilder &k) {
  k.define_elementwise(
      [&](const Values &v) { return decay_of(k) * v[0] + rest_of(k) * (v[1] * v[1]); });
}

// In double: 1 - beta_2^step loses most of a float's digits at the first steps.
void compute_adam_rate(KernelBuilder &k) {
  const auto &attrs = k.attrs<AdamRateAttrs>();
  k.define_elementwise([&](const Values &v) {
    const Expr step = Halide::cast<double>(v[1]);
    const auto correction = [&](double beta) { return Expr(1.0) - Halide::pow(Expr(beta), step); };
    const Expr rate = Halide::cast<double>(v[0]) * Halide::sqrt(correction(attrs.beta_2)) /
                      correction(attrs.beta_1);
    return Halide::cast<float>(rate);
  });
}

void compute_adam_update(KernelBuilder &k) {
  const float epsilon = k.attrs<EpsilonAttrs>().epsilon;
  k.define_elementwise(
      [&](const Values &v) { return v[0] - v[3] * v[1] / (Halide::sqrt(v[2]) + epsilon); });
}

void compute_rmsprop_update(KernelBuilder &k) {
  const float epsilon = k.attrs<EpsilonAttrs>().epsilon;
  k.define_elementwise(
      [&](const Values &v) { return v[0] - v[3] * v[1] / Halide::sqrt(v[2] + epsilon); });
}

} // namespace sinter

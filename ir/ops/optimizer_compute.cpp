// The algorithms of the optimizer steps: the formulas of optimizer.cpp, over storage.

#include "ir/ops/compute.h"
#include "ir/ops/compute_math.h"

namespace sinter {

using Halide::Expr;
using Values = std::vector<Expr>;

void compute_sgd_update(KernelBuilder &k) {
  k.define_elementwise([](const Values &v) { return v[0] - v[2] * v[1]; });
}

void compute_momentum_velocity(KernelBuilder &k) {
  const float decay = k.attrs<DecayAttrs>().decay;
  k.define_elementwise([&](const Values &v) { return decay * v[0] - v[2] * v[1]; });
}

void compute_momentum_update(KernelBuilder &k) {
  k.define_elementwise([](const Values &v) { return v[0] + v[1]; });
}

void compute_nesterov_update(KernelBuilder &k) {
  const float decay = k.attrs<DecayAttrs>().decay;
  k.define_elementwise([&](const Values &v) { return v[0] + decay * v[1] - v[3] * v[2]; });
}

void compute_moving_average(KernelBuilder &k) {
  const float decay = k.attrs<DecayAttrs>().decay;
  k.define_elementwise([&](const Values &v) { return decay * v[0] + (1 - decay) * v[1]; });
}

void compute_moving_square_average(KernelBuilder &k) {
  const float decay = k.attrs<DecayAttrs>().decay;
  k.define_elementwise([&](const Values &v) { return decay * v[0] + (1 - decay) * (v[1] * v[1]); });
}

// In double: 1 - beta_2^step loses most of a float's digits at the first steps.
void compute_adam_rate(KernelBuilder &k) {
  const auto &attrs = k.attrs<AdamRateAttrs>();
  k.define_elementwise([&](const Values &v) {
    const Expr step = Halide::cast<double>(v[1]);
    const auto correction = [&](float beta) {
      return Expr(1.0) - Halide::pow(Expr(static_cast<double>(beta)), step);
    };
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

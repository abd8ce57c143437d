// Updates of weights and of the optimizers' state, in Keras's formulas.
#include "backends/reference/reference_ops.h"

#include <cmath>

namespace sinter::reference {

namespace {

double decay(const Evaluation &e) { return e.attrs<DecayAttrs>().decay; }
double epsilon(const Evaluation &e) { return static_cast<double>(e.attrs<EpsilonAttrs>().epsilon); }
double scalar(const Evaluation &e, size_t operand) { return e.operand(operand)[0]; }

} // namespace

// Operands (w, g, rate): w' = w - rate * g.
void sgd_update(const Evaluation &e) {
  const double rate = scalar(e, 2);
  for (int64_t i = 0; i < e.result.size(); ++i)
    e.result[i] = e.operand(0)[i] - rate * e.operand(1)[i];
}

// Operands (v, g, rate): v' = momentum * v - rate * g.
void momentum_velocity(const Evaluation &e) {
  const double momentum = decay(e);
  const double rate = scalar(e, 2);
  for (int64_t i = 0; i < e.result.size(); ++i)
    e.result[i] = momentum * e.operand(0)[i] - rate * e.operand(1)[i];
}

// Operands (w, v'): w' = w + v'.
void momentum_update(const Evaluation &e) {
  for (int64_t i = 0; i < e.result.size(); ++i)
    e.result[i] = e.operand(0)[i] + e.operand(1)[i];
}

// Operands (w, v', g, rate): w' = w + momentum * v' - rate * g.
void nesterov_update(const Evaluation &e) {
  const double momentum = decay(e);
  const double rate = scalar(e, 3);
  for (int64_t i = 0; i < e.result.size(); ++i)
    e.result[i] = e.operand(0)[i] + momentum * e.operand(1)[i] - rate * e.operand(2)[i];
}

// Operands (m, g): m' = decay * m + (1 - decay) * g.
void moving_average(const Evaluation &e) {
  const double d = decay(e);
  for (int64_t i = 0; i < e.result.size(); ++i)
    e.result[i] = d * e.operand(0)[i] + (1 - d) * e.operand(1)[i];
}

// Operands (v, g): v' = decay * v + (1 - decay) * g^2.
void moving_square_average(const Evaluation &e) {
  const double d = decay(e);
  for (int64_t i = 0; i < e.result.size(); ++i)
    e.result[i] = d * e.operand(0)[i] + (1 - d) * e.operand(1)[i] * e.operand(1)[i];
}

// Operands (rate, step): rate * sqrt(1 - beta_2^step) / (1 - beta_1^step).
void adam_rate(const Evaluation &e) {
  const AdamRateAttrs &attrs = e.attrs<AdamRateAttrs>();
  const double step = scalar(e, 1);
  e.result[0] = scalar(e, 0) * std::sqrt(1 - std::pow(attrs.beta_2, step)) /
                (1 - std::pow(attrs.beta_1, step));
}

// Operands (w, m, v, rate): w' = w - rate * m / (sqrt(v) + epsilon).
void adam_update(const Evaluation &e) {
  const double rate = scalar(e, 3);
  for (int64_t i = 0; i < e.result.size(); ++i)
    e.result[i] =
        e.operand(0)[i] - rate * e.operand(1)[i] / (std::sqrt(e.operand(2)[i]) + epsilon(e));
}

// Operands (w, g, v, rate): w' = w - rate * g / sqrt(v + epsilon).
void rmsprop_update(const Evaluation &e) {
  const double rate = scalar(e, 3);
  for (int64_t i = 0; i < e.result.size(); ++i)
    e.result[i] =
        e.operand(0)[i] - rate * e.operand(1)[i] / std::sqrt(e.operand(2)[i] + epsilon(e));
}

} // namespace sinter::reference

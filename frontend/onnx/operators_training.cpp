// The optimizers of ai.onnx.preview.training, as the IR's own update operations. A node updates
// several tensors: its operands are the rate, the step, then all tensors, all gradients and all
// states of each kind; its results are the new tensors and states in that order.

#include "frontend/onnx/operator_table.h"

namespace sinter {

namespace {

NodeId affine(OperatorContext &c, NodeId x, float scale, float offset) {
  return c.append(OpKind::affine, {x}, AffineAttrs{scale, offset});
}

NodeId rate_of(OperatorContext &c) { return c.reshape(c.real_tensor(0), {}); }

/// Tensors that the node updates, from the number of its operands.
size_t tensor_count(const OperatorContext &c, size_t operands_each) {
  c.require(c.operand_count() > 2 && (c.operand_count() - 2) % operands_each == 0,
            "has {} operands", c.operand_count());
  return (c.operand_count() - 2) / operands_each;
}

/// gradient + norm_coefficient * tensor
NodeId regularized(OperatorContext &c, NodeId tensor, NodeId gradient) {
  const float coefficient = c.real("norm_coefficient", 0);
  if (coefficient == 0)
    return gradient;
  return c.append(OpKind::add, {gradient, affine(c, tensor, coefficient, 0)});
}

/// Rate / (1 + step * decay_factor); w - rate * g / (sqrt(h + g^2) + epsilon)
void import_adagrad(OperatorContext &c) {
  const size_t count = tensor_count(c, 3);
  const NodeId step = c.reshape(c.real_tensor(1), {});
  const NodeId slowed = affine(c, step, c.real("decay_factor", 0), 1);
  const NodeId rate = c.append(OpKind::divide, {rate_of(c), slowed});
  for (size_t i = 0; i < count; ++i) {
    const NodeId tensor = c.real_tensor(2 + i);
    const NodeId gradient = regularized(c, tensor, c.real_tensor(2 + count + i));
    const NodeId square = c.append(OpKind::square, {gradient});
    const NodeId sum = c.append(OpKind::add, {c.real_tensor(2 + 2 * count + i), square});
    const NodeId update = c.append(OpKind::adam_update, {tensor, gradient, sum, rate},
                                   EpsilonAttrs{c.real("epsilon", 1e-6F)});
    c.result(update, i);
    c.result(sum, count + i);
  }
}

/// The rate is corrected for the step, except in step 0.
NodeId adam_rate(OperatorContext &c, float alpha, float beta) {
  const NodeId rate = rate_of(c);
  const NodeId step = c.reshape(c.real_tensor(1), {});
  const NodeId corrected = c.append(OpKind::adam_rate, {rate, step}, AdamRateAttrs{alpha, beta});
  const NodeId started = c.append(OpKind::greater, {step, c.scalar(0)});
  return c.append(OpKind::select, {started, corrected, rate});
}

void import_adam(OperatorContext &c) {
  const size_t count = tensor_count(c, 4);
  const float alpha = c.real("alpha", 0.9F);
  const float beta = c.real("beta", 0.999F);
  const NodeId rate = adam_rate(c, alpha, beta);
  for (size_t i = 0; i < count; ++i) {
    const NodeId tensor = c.real_tensor(2 + i);
    const NodeId gradient = regularized(c, tensor, c.real_tensor(2 + count + i));
    const NodeId mean = c.append(OpKind::moving_average,
                                 {c.real_tensor(2 + 2 * count + i), gradient}, DecayAttrs{alpha});
    const NodeId square = c.append(OpKind::moving_square_average,
                                   {c.real_tensor(2 + 3 * count + i), gradient}, DecayAttrs{beta});
    NodeId update = c.append(OpKind::adam_update, {tensor, mean, square, rate},
                             EpsilonAttrs{c.real("epsilon", 1e-6F)});
    const float shrink = c.real("norm_coefficient_post", 0);
    c.result(shrink == 0 ? update : affine(c, update, 1 - shrink, 0), i);
    c.result(mean, count + i);
    c.result(square, 2 * count + i);
  }
}

/// ONNX's velocity adds up gradients, the IR's adds up steps: with v' = -rate * v the two agree,
/// so the new velocity is momentum_velocity at a rate of -1. In step 0 the gradient counts fully,
/// later times beta.
void import_momentum(OperatorContext &c) {
  const size_t count = tensor_count(c, 3);
  const float alpha = c.real("alpha", 0);
  const NodeId rate = rate_of(c);
  const NodeId step = c.reshape(c.real_tensor(1), {});
  const NodeId started = c.append(OpKind::greater, {step, c.scalar(0)});
  const NodeId share =
      c.append(OpKind::select, {started, c.scalar(c.real("beta", 1)), c.scalar(1)});
  const bool nesterov = c.text("mode", "standard") == "nesterov";
  for (size_t i = 0; i < count; ++i) {
    const NodeId tensor = c.real_tensor(2 + i);
    const NodeId gradient = regularized(c, tensor, c.real_tensor(2 + count + i));
    const NodeId shared = c.append(OpKind::multiply, {gradient, share});
    const NodeId velocity =
        c.append(OpKind::momentum_velocity,
                 {c.real_tensor(2 + 2 * count + i), shared, c.scalar(-1)}, DecayAttrs{alpha});
    const NodeId taken = c.append(OpKind::negate, {c.append(OpKind::multiply, {velocity, rate})});
    c.result(nesterov ? c.append(OpKind::nesterov_update, {tensor, taken, gradient, rate},
                                 DecayAttrs{alpha})
                      : c.append(OpKind::momentum_update, {tensor, taken}),
             i);
    c.result(velocity, count + i);
  }
}

} // namespace

const OnnxOperators &onnx_training_operators() {
  static const OnnxOperators operators = {
      {"Adagrad", import_adagrad},
      {"Adam", import_adam},
      {"Momentum", import_momentum},
  };
  return operators;
}

} // namespace sinter

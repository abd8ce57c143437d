// Activations, as compositions of the IR's operations.

#include "frontend/onnx/building.h"
#include "frontend/onnx/operator_table.h"

#include <algorithm>

namespace sinter {

namespace {

NodeId sum(OperatorContext &c, NodeId a, NodeId b) { return c.append(OpKind::add, {a, b}); }
NodeId product(OperatorContext &c, NodeId a, NodeId b) {
  return c.append(OpKind::multiply, {a, b});
}
NodeId affine(OperatorContext &c, NodeId x, float scale, float offset = 0) {
  return c.append(OpKind::affine, {x}, AffineAttrs{scale, offset});
}
NodeId positive_part(OperatorContext &c, NodeId x) { return c.append(OpKind::relu, {x}); }
NodeId negative_part(OperatorContext &c, NodeId x) {
  return c.append(OpKind::minimum, {x, c.scalar(0)});
}
NodeId clipped(OperatorContext &c, NodeId x, float low, float high) {
  return c.append(OpKind::minimum, {c.append(OpKind::maximum, {x, c.scalar(low)}), c.scalar(high)});
}

/// log(1 + exp(x)), without overflow: max(x, 0) + log1p(exp(-|x|))
NodeId softplus(OperatorContext &c, NodeId x) {
  const NodeId magnitude = c.append(OpKind::abs, {x});
  const NodeId small = c.append(OpKind::exp, {c.append(OpKind::negate, {magnitude})});
  return sum(c, positive_part(c, x), c.append(OpKind::log1p, {small}));
}

/// max(x, 0) + alpha * (exp(min(x, 0) / divisor) - 1)
NodeId exponential_unit(OperatorContext &c, NodeId x, float alpha, float divisor) {
  NodeId negative = negative_part(c, x);
  if (divisor != 1)
    negative = affine(c, negative, 1 / divisor);
  return sum(c, positive_part(c, x), affine(c, c.append(OpKind::expm1, {negative}), alpha));
}

void import_relu(OperatorContext &c) {
  if (is_float(c.type(0)))
    return c.result(c.append(OpKind::relu, {c.tensor(0)}));
  const NodeId zero = c.constant_node(HostTensor::of_integers({}, {0}, c.type(0)));
  c.result(c.append(OpKind::maximum, {c.tensor(0), zero}));
}

void import_sigmoid(OperatorContext &c) { c.result(c.append(OpKind::sigmoid, {c.real_tensor(0)})); }

void import_tanh(OperatorContext &c) { c.result(c.append(OpKind::tanh, {c.real_tensor(0)})); }

void import_leaky_relu(OperatorContext &c) {
  const NodeId x = c.real_tensor(0);
  c.result(sum(c, positive_part(c, x), affine(c, negative_part(c, x), c.real("alpha", 0.01F))));
}

/// A slope a channel, as [c, 1, 1]; before opset 7 as [c].
void import_prelu(OperatorContext &c) {
  const NodeId x = c.real_tensor(0);
  Shape slope = c.shape(1);
  const Shape shape = c.shape(0);
  const bool channels = c.opset() < 7 && slope.size() == 1 && shape.size() > 1 &&
                        (slope[0] == shape[1] || slope[0] == 1);
  if (channels)
    slope.resize(shape.size() - 1, 1);
  const NodeId negative = product(c, negative_part(c, x), c.reshape(c.weight(1), slope));
  c.result(sum(c, positive_part(c, x), negative));
}

void import_elu(OperatorContext &c) {
  c.result(exponential_unit(c, c.real_tensor(0), c.real("alpha", 1), 1));
}

void import_celu(OperatorContext &c) {
  const float alpha = c.real("alpha", 1);
  c.result(exponential_unit(c, c.real_tensor(0), alpha, alpha));
}

void import_selu(OperatorContext &c) {
  const float alpha = c.real("alpha", 1.67326319217681884765625F);
  const float gamma = c.real("gamma", 1.05070102214813232421875F);
  c.result(affine(c, exponential_unit(c, c.real_tensor(0), alpha, 1), gamma));
}

/// x * Phi(x), Phi the normal distribution's; or its approximation by a tanh.
void import_gelu(OperatorContext &c) {
  const NodeId x = c.real_tensor(0);
  NodeId phi;
  if (c.text("approximate", "none") == "tanh") {
    constexpr float kRootOfTwoByPi = 0.7978845608F;
    const NodeId cube = product(c, c.append(OpKind::square, {x}), x);
    const NodeId inner = affine(c, sum(c, x, affine(c, cube, 0.044715F)), kRootOfTwoByPi);
    phi = c.append(OpKind::tanh, {inner});
  } else {
    constexpr float kRootOfHalf = 0.70710678118654752F;
    phi = c.append(OpKind::erf, {affine(c, x, kRootOfHalf)});
  }
  c.result(product(c, x, affine(c, phi, 0.5F, 0.5F)));
}

void import_hard_sigmoid(OperatorContext &c) {
  const NodeId line = affine(c, c.real_tensor(0), c.real("alpha", 0.2F), c.real("beta", 0.5F));
  c.result(clipped(c, line, 0, 1));
}

void import_hard_swish(OperatorContext &c) {
  const NodeId x = c.real_tensor(0);
  c.result(product(c, x, clipped(c, affine(c, x, 1.0F / 6, 0.5F), 0, 1)));
}

void import_mish(OperatorContext &c) {
  const NodeId x = c.real_tensor(0);
  c.result(product(c, x, c.append(OpKind::tanh, {softplus(c, x)})));
}

void import_softplus(OperatorContext &c) { c.result(softplus(c, c.real_tensor(0))); }

void import_softsign(OperatorContext &c) {
  const NodeId x = c.real_tensor(0);
  c.result(c.append(OpKind::divide, {x, affine(c, c.append(OpKind::abs, {x}), 1, 1)}));
}

void import_thresholded_relu(OperatorContext &c) {
  const NodeId x = c.real_tensor(0);
  const NodeId above = c.append(OpKind::greater, {x, c.scalar(c.real("alpha", 1))});
  c.result(c.append(OpKind::select, {above, x, c.scalar(0)}));
}

/// x + bias below -lambd, x - bias above lambd, else 0
void import_shrink(OperatorContext &c) {
  const NodeId x = c.real_tensor(0);
  const float bias = c.real("bias", 0);
  const float limit = c.real("lambd", 0.5F);
  const NodeId below = c.append(OpKind::greater, {c.scalar(-limit), x});
  const NodeId above = c.append(OpKind::greater, {x, c.scalar(limit)});
  const NodeId high = c.append(OpKind::select, {above, affine(c, x, 1, -bias), c.scalar(0)});
  c.result(c.append(OpKind::select, {below, affine(c, x, 1, bias), high}));
}

/// The axis that a softmax goes along as the last one of the operand: by a transpose, or before
/// opset 13, where it goes over all dimensions from the axis on, by a reshape.
struct Rows {
  NodeId x;
  Shape shape; // of the operand
  std::vector<int64_t> permutation;
};

Rows rows_of(OperatorContext &c) {
  Rows rows{c.real_tensor(0), c.shape(0), {}};
  const int rank = static_cast<int>(rows.shape.size());
  const bool flattens = c.opset() < 13;
  const int64_t axis = c.axis(c.integer("axis", flattens ? 1 : -1), rank);
  if (flattens) {
    const auto split = static_cast<size_t>(axis);
    Shape flat(rows.shape.begin(), rows.shape.begin() + axis);
    flat.push_back(extent_product_between(rows.shape, split, rows.shape.size()));
    rows.x = c.reshape(rows.x, flat);
    return rows;
  }
  rows.permutation = axis_to_end(axis, rank);
  rows.x = c.transpose(rows.x, rows.permutation);
  return rows;
}

void rows_result(OperatorContext &c, const Rows &rows, NodeId y) {
  c.result(rows.permutation.empty() ? c.reshape(y, rows.shape) : c.transpose(y, rows.permutation));
}

void import_softmax(OperatorContext &c) {
  const Rows rows = rows_of(c);
  rows_result(c, rows, c.append(OpKind::softmax, {rows.x}));
}

void import_log_softmax(OperatorContext &c) {
  const Rows rows = rows_of(c);
  rows_result(c, rows, log_softmax(c, rows.x));
}

/// 1 at the first largest element of each row, else 0.
void import_hardmax(OperatorContext &c) {
  const Rows rows = rows_of(c);
  const Shape shape = c.shape_of(rows.x);
  const NodeId largest =
      c.append(OpKind::argmax, {rows.x}, ArgmaxAttrs{static_cast<int64_t>(shape.size()) - 1});
  const int64_t depth = shape.back();
  rows_result(c, rows, c.append(OpKind::one_hot, {largest}, OneHotAttrs{depth}));
}

} // namespace

NodeId log_softmax(OperatorContext &c, NodeId x) {
  const ReduceAttrs last{{static_cast<int64_t>(c.shape_of(x).size()) - 1}, /*keep_dims=*/true};
  const NodeId largest = c.append(OpKind::reduce_max, {x}, last);
  const NodeId shifted = c.append(OpKind::subtract, {x, largest});
  const NodeId total = c.append(OpKind::reduce_sum, {c.append(OpKind::exp, {shifted})}, last);
  return c.append(OpKind::subtract, {shifted, c.append(OpKind::log, {total})});
}

const OnnxOperators &onnx_activation_operators() {
  static const OnnxOperators operators = {
      {"Celu", import_celu},
      {"Elu", import_elu},
      {"Gelu", import_gelu},
      {"HardSigmoid", import_hard_sigmoid},
      {"HardSwish", import_hard_swish},
      {"Hardmax", import_hardmax},
      {"LeakyRelu", import_leaky_relu},
      {"LogSoftmax", import_log_softmax},
      {"Mish", import_mish},
      {"PRelu", import_prelu},
      {"Relu", import_relu},
      {"Selu", import_selu},
      {"Shrink", import_shrink},
      {"Sigmoid", import_sigmoid},
      {"Softmax", import_softmax},
      {"Softplus", import_softplus},
      {"Softsign", import_softsign},
      {"Tanh", import_tanh},
      {"ThresholdedRelu", import_thresholded_relu},
  };
  return operators;
}

} // namespace sinter

// Normalisations, over a batch's statistics, over parts of a sample, over neighbouring channels.

#include "frontend/onnx/building.h"
#include "frontend/onnx/operator_table.h"

namespace sinter {

namespace {

NodeId sum(OperatorContext &c, NodeId a, NodeId b) { return c.append(OpKind::add, {a, b}); }
NodeId product(OperatorContext &c, NodeId a, NodeId b) {
  return c.append(OpKind::multiply, {a, b});
}
NodeId affine(OperatorContext &c, NodeId x, float scale, float offset) {
  return c.append(OpKind::affine, {x}, AffineAttrs{scale, offset});
}

/// A vector with one element a channel, against [n, c, ...].
NodeId per_channel(OperatorContext &c, size_t operand, int rank) {
  c.require(c.rank(operand) == 1, "expects one number a channel, got {}", str(c.shape(operand)));
  Shape shape = c.shape(operand);
  shape.resize(static_cast<size_t>(rank) - 1, 1);
  return c.reshape(c.weight(operand), shape);
}

/// With the batch's own statistics, of which the moving ones are results.
void normalize_by_batch(OperatorContext &c, float epsilon) {
  const int rank = c.rank(0);
  std::vector<int64_t> axes = compose::axes_between(2, rank);
  axes.insert(axes.begin(), 0);
  const NodeId operand = c.real_tensor(0);
  Composer composer = c.composer();
  const compose::Normalized x = compose::standardize(composer, operand, axes, epsilon);
  const NodeId scaled = product(c, x.y, per_channel(c, 1, rank));
  c.result(sum(c, scaled, per_channel(c, 2, rank)));
  const float momentum = c.real("momentum", 0.9F);
  const NodeId statistics[] = {x.mean, x.variance};
  for (size_t i = 0; i < 2; ++i) {
    const NodeId batch = c.reshape(statistics[i], c.shape(3 + i));
    const NodeId old = affine(c, c.weight(3 + i, {}, {}, "statistic"), momentum, 0);
    c.result(sum(c, old, affine(c, batch, 1 - momentum, 0)), 1 + i);
  }
}

void import_batch_normalization(OperatorContext &c) {
  const float epsilon = c.real("epsilon", 1e-5F);
  const int rank = c.rank(0);
  c.require(rank >= 2, "expects [n, c, ...], got {}", str(c.shape(0)));
  c.require(c.flag("spatial", true), "normalises each position by itself (spatial=0)");
  if (c.flag("training_mode", false))
    return normalize_by_batch(c, epsilon);
  BatchNormAttrs attributes;
  attributes.epsilon = epsilon;
  attributes.momentum = c.real("momentum", 0.9F);
  const NodeId x = c.transpose(c.real_tensor(0), channels_last_order(rank));
  const NodeId y = c.append(OpKind::batch_norm,
                            {x, c.weight(1), c.weight(2), c.weight(3, {}, {}, "statistic"),
                             c.weight(4, {}, {}, "statistic")},
                            attributes);
  c.result(c.transpose(y, channels_first_order(rank)));
}

void import_instance_normalization(OperatorContext &c) {
  const int rank = c.rank(0);
  c.require(rank >= 3, "expects [n, c, ...], got {}", str(c.shape(0)));
  const NodeId x = c.real_tensor(0);
  const NodeId scale = per_channel(c, 1, rank);
  const NodeId offset = per_channel(c, 2, rank);
  Composer composer = c.composer();
  const NodeId y =
      compose::standardize(composer, x, compose::axes_between(2, rank), c.real("epsilon", 1e-5F)).y;
  c.result(sum(c, product(c, y, scale), offset));
}

/// Over the dimensions from `axis` on.
void import_layer_normalization(OperatorContext &c) {
  const int64_t axis = c.axis(c.integer("axis", -1), c.rank(0));
  const NodeId x = c.real_tensor(0);
  const NodeId scale = c.weight(1);
  const NodeId offset = c.has_operand(2) ? c.weight(2) : NodeId{};
  Composer composer = c.composer();
  const compose::Normalized result =
      compose::layer_norm(composer, x, axis, scale, offset, c.real("epsilon", 1e-5F));
  c.result(result.y);
  c.result(result.mean, 1);
  c.result(result.inverse_deviation, 2);
}

/// Over groups of channels. The scale has one element a group (opset 18) or a channel (21).
void import_group_normalization(OperatorContext &c) {
  const Shape shape = c.shape(0);
  const int64_t groups = c.integer("num_groups", 0);
  c.require(shape.size() >= 3 && groups >= 1 && shape[1] % groups == 0,
            "expects [n, c, ...] with channels in multiples of {}, got {}", groups, str(shape));
  const int64_t rest = extent_product_between(shape, 2, shape.size());
  const NodeId apart = c.reshape(c.real_tensor(0), {shape[0], groups, shape[1] / groups, rest});
  Composer composer = c.composer();
  NodeId y = compose::standardize(composer, apart, {2, 3}, c.real("epsilon", 1e-5F)).y;
  const bool by_group = c.shape(1) == Shape{groups} && c.opset() < 21;
  if (!by_group)
    y = c.reshape(y, {shape[0], shape[1], rest});
  const int rank = by_group ? 4 : 3;
  y = sum(c, product(c, y, per_channel(c, 1, rank)), per_channel(c, 2, rank));
  c.result(c.reshape(y, shape));
}

void import_mean_variance_normalization(OperatorContext &c) {
  const std::vector<int64_t> axes = c.axes(c.integers("axes", {0, 2, 3}), c.rank(0));
  constexpr float kEpsilon = 1e-9F; // as the operator's own definition adds to the deviation
  const NodeId operand = c.real_tensor(0);
  Composer composer = c.composer();
  const compose::Normalized x = compose::standardize(composer, operand, axes, 0);
  const NodeId deviation = affine(c, c.append(OpKind::sqrt, {x.variance}), 1, kEpsilon);
  c.result(c.append(OpKind::divide, {x.centered, deviation}));
}

/// x / (bias + alpha * mean of x^2 over `size` neighbouring channels, those outside being 0)^beta.
void import_lrn(OperatorContext &c) {
  const int rank = c.rank(0);
  const int64_t size = c.integer("size", 0);
  c.require(rank >= 3 && size >= 1, "expects [n, c, ...] and a size, got {} and {}",
            str(c.shape(0)), size);
  const NodeId x = c.transpose(c.real_tensor(0), channels_last_order(rank));
  Composer composer = c.composer();
  const NodeId y = compose::local_response_norm(composer, x, {(size - 1) / 2, size / 2},
                                                c.real("alpha", 1e-4F) / static_cast<float>(size),
                                                c.real("beta", 0.75F), c.real("bias", 1));
  c.result(c.transpose(y, channels_first_order(rank)));
}

/// In training the IR draws masks for its dropout nodes; elsewhere they are the identity.
void import_dropout(OperatorContext &c) {
  const float ratio =
      c.has_operand(1) ? static_cast<float>(c.constant_number(1)) : c.real("ratio", 0.5F);
  const bool training = c.has_operand(2) && c.constant_number(2) != 0;
  c.require(!training || ratio == 0, "draws random numbers outside of training");
  c.require(ratio >= 0 && ratio < 1, "has ratio {}, expected one in [0, 1)", ratio);
  if (ratio == 0 || c.is_constant(0))
    c.forward(0);
  else
    c.result(
        c.append(OpKind::dropout, {c.real_tensor(0)}, DropoutAttrs{ratio, c.next_stream(), {}}));
  if (c.has_result(1)) {
    const NodeId one = c.constant_node(HostTensor::of_integers({}, {1}, DataType::boolean));
    c.result(broadcast_node(c, one, c.shape(0)), DataType::boolean, 1);
  }
}

} // namespace

const OnnxOperators &onnx_normalization_operators() {
  static const OnnxOperators operators = {
      {"BatchNormalization", import_batch_normalization},
      {"Dropout", import_dropout},
      {"GroupNormalization", import_group_normalization},
      {"InstanceNormalization", import_instance_normalization},
      {"LRN", import_lrn},
      {"LayerNormalization", import_layer_normalization},
      {"MeanVarianceNormalization", import_mean_variance_normalization},
  };
  return operators;
}

} // namespace sinter

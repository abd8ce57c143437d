// Normalisation.
#include "frontend/layer_table.h"

#include <algorithm>
#include <cmath>

namespace sinter {

namespace {

/// `x` with one axis moved to the end, or back from there.
NodeId move_axis(LayerBuilder &b, NodeId x, int64_t from, int64_t to) {
  if (from == to)
    return x;
  Permutation order = identity_order(b.type(x).rank());
  order.erase(order.begin() + from);
  order.insert(order.begin() + to, from);
  return b.append(OpKind::transpose, {x}, TransposeAttrs{order});
}

/// The argument `axis` as a dimension of x that is not the batch.
int64_t checked_axis(const LayerBuilder &b, NodeId x) {
  const Value &value = b.arguments()["axis"];
  const std::vector<Value> *items = sequence_items(value);
  const auto *given = std::get_if<int64_t>(items && items->size() == 1 ? &(*items)[0] : &value);
  const int64_t rank = b.type(x).rank();
  const int64_t axis = !given ? 0 : *given < 0 ? *given + rank : *given;
  if (axis < 1 || axis >= rank)
    b.fail("along axis {} is not supported for an input {}", describe(value), str(b.shape(x)));
  return axis;
}

NodeId apply_batch_normalization(LayerBuilder &b, const std::vector<NodeId> &inputs) {
  const Arguments &arguments = b.arguments();
  const int64_t axis = checked_axis(b, inputs[0]);
  const int64_t last = b.type(inputs[0]).rank() - 1;
  if (arguments.number("epsilon") < 0)
    b.fail("needs an epsilon of at least 0, got {}", arguments.number("epsilon"));
  const NodeId x = move_axis(b, inputs[0], axis, last);
  const Shape channels{b.shape(x).back()};
  const NodeId gamma = arguments.boolean("scale")
                           ? b.parameter("gamma", channels, arguments["gamma_initializer"])
                           : b.constant(channels, 1);
  const NodeId beta = arguments.boolean("center")
                          ? b.parameter("beta", channels, arguments["beta_initializer"])
                          : b.constant(channels, 0);
  const NodeId mean =
      b.parameter("moving_mean", channels, arguments["moving_mean_initializer"], "statistic");
  const NodeId variance = b.parameter("moving_variance", channels,
                                      arguments["moving_variance_initializer"], "statistic");
  BatchNormAttrs attrs{arguments.real("epsilon"), arguments.number("momentum")};
  attrs.frozen = b.inference();
  return move_axis(b, b.append(OpKind::batch_norm, {x, gamma, beta, mean, variance}, attrs), last,
                   axis);
}

/// (x - mean) / sqrt(variance + epsilon) * gamma + beta, the statistics over the last dimension of
/// each sample's every position. Ba et al. 2016.
NodeId apply_layer_normalization(LayerBuilder &b, const std::vector<NodeId> &inputs) {
  const Arguments &arguments = b.arguments();
  const int64_t last = b.type(inputs[0]).rank() - 1;
  const int64_t axis = checked_axis(b, inputs[0]);
  const NodeId x = move_axis(b, inputs[0], axis, last);
  const Shape channels{b.shape(x).back()};
  const NodeId gamma = arguments.boolean("scale")
                           ? b.parameter("gamma", channels, arguments["gamma_initializer"])
                           : NodeId{};
  const NodeId beta = arguments.boolean("center")
                          ? b.parameter("beta", channels, arguments["beta_initializer"])
                          : NodeId{};
  Composer composer = b.composer();
  const NodeId y = compose::layer_norm(composer, x, last, gamma, beta, arguments.real("epsilon")).y;
  return move_axis(b, y, last, axis);
}

/// One value for every channel, or one for all.
std::vector<float> channel_values(const LayerBuilder &b, const char *name, int64_t channels) {
  const Value &value = b.arguments()[name];
  const std::vector<Value> *items = sequence_items(value);
  std::vector<float> values;
  for (const Value &item : items ? *items : std::vector<Value>{value}) {
    if (!is_number(item) || !std::isfinite(to_number(item)))
      b.fail("needs {} as a number or one a channel, got {}", name, describe(value));
    values.push_back(static_cast<float>(to_number(item)));
  }
  if (values.size() == 1)
    values.resize(static_cast<size_t>(channels), values[0]);
  if (static_cast<int64_t>(values.size()) != channels)
    b.fail("has {} values of {} for {} channels", values.size(), name, channels);
  return values;
}

constexpr float kSmallestDeviation = 1e-7F; // Keras's epsilon

/// The statistics that the script gives.
NodeId normalize_by_constants(LayerBuilder &b, NodeId x, int64_t channels) {
  std::vector<float> shift = channel_values(b, "mean", channels);
  std::vector<float> scale = channel_values(b, "variance", channels);
  for (size_t i = 0; i < scale.size(); ++i) {
    if (scale[i] < 0)
      b.fail("needs variances of at least 0, got {}", scale[i]);
    scale[i] = 1 / std::max(std::sqrt(scale[i]), kSmallestDeviation);
    shift[i] *= -scale[i];
  }
  const NodeId scaled = b.append(OpKind::multiply, {x, b.constant({channels}, scale)});
  return b.append(OpKind::bias_add, {scaled, b.constant({channels}, shift)});
}

/// Those that adapt() found, which are weights of a saved model; before it they are 0 and 1.
NodeId normalize_by_weights(LayerBuilder &b, NodeId x, int64_t channels) {
  const Shape shape = b.arguments().is_none("axis") ? Shape{} : Shape{channels};
  const NodeId mean = b.parameter("mean", shape, InitialValues{"zeros"}, "statistic");
  const NodeId variance = b.parameter("variance", shape, InitialValues{"ones"}, "statistic");
  const NodeId deviation = b.append(
      OpKind::maximum, {b.append(OpKind::sqrt, {variance}), b.constant({}, kSmallestDeviation)});
  return b.append(OpKind::divide, {b.append(OpKind::subtract, {x, mean}), deviation});
}

/// (x - mean) / sqrt(variance), of each channel or of everything.
NodeId apply_normalization(LayerBuilder &b, const std::vector<NodeId> &inputs) {
  const int64_t channels = b.shape(inputs[0]).back();
  if (!b.arguments().is_none("axis") && checked_axis(b, inputs[0]) != b.type(inputs[0]).rank() - 1)
    b.fail("along axis {} is not supported: only along the last one, or none",
           describe(b.arguments()["axis"]));
  const bool given = !b.arguments().is_none("mean");
  if (given == b.arguments().is_none("variance"))
    b.fail("needs both mean and variance, or neither");
  return given ? normalize_by_constants(b, inputs[0], channels)
               : normalize_by_weights(b, inputs[0], channels);
}

std::vector<ArgumentSpec> batch_normalization_arguments() {
  using Kind = ArgumentKind;
  return with_common_arguments({
      optional("axis", Kind::any, -1),
      optional("momentum", Kind::fraction, Value(0.99)),
      optional("epsilon", Kind::number, Value(0.001)),
      optional("center", Kind::boolean, Value(true)),
      optional("scale", Kind::boolean, Value(true)),
      optional("beta_initializer", Kind::initializer, "zeros"),
      optional("gamma_initializer", Kind::initializer, "ones"),
      optional("moving_mean_initializer", Kind::initializer, "zeros"),
      optional("moving_variance_initializer", Kind::initializer, "ones"),
      optional("beta_regularizer", Kind::regularizer),
      optional("gamma_regularizer", Kind::regularizer),
      optional("beta_constraint", Kind::constraint),
      optional("gamma_constraint", Kind::constraint),
      optional("synchronized", Kind::ignored),
  });
}

std::vector<ArgumentSpec> layer_normalization_arguments() {
  using Kind = ArgumentKind;
  return with_common_arguments({
      optional("axis", Kind::any, -1),
      optional("epsilon", Kind::number, Value(0.001)),
      optional("center", Kind::boolean, Value(true)),
      optional("scale", Kind::boolean, Value(true)),
      optional("beta_initializer", Kind::initializer, "zeros"),
      optional("gamma_initializer", Kind::initializer, "ones"),
      optional("beta_regularizer", Kind::regularizer),
      optional("gamma_regularizer", Kind::regularizer),
      optional("beta_constraint", Kind::constraint),
      optional("gamma_constraint", Kind::constraint),
  });
}

} // namespace

std::vector<LayerType> normalization_layers() {
  using Kind = ArgumentKind;
  return {
      {{"keras.layers.BatchNormalization", batch_normalization_arguments()},
       apply_batch_normalization},
      {{"keras.layers.LayerNormalization", layer_normalization_arguments()},
       apply_layer_normalization},
      {{"keras.layers.Normalization",
        with_common_arguments({optional("axis", Kind::any, -1), optional("mean", Kind::any),
                               optional("variance", Kind::any),
                               optional("invert", Kind::unsupported, Value(false))})},
       apply_normalization},
  };
}

} // namespace sinter

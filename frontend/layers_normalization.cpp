#include "frontend/layer_table.h"

namespace sinter {

namespace {

NodeId apply_batch_normalization(LayerBuilder &b, const std::vector<NodeId> &inputs) {
  const NodeId x = inputs[0];
  const Arguments &arguments = b.arguments();
  const int64_t axis = arguments.integer("axis");
  const int64_t last = b.type(x).rank() - 1;
  if (axis != -1 && axis != last)
    b.fail("along axis {} is not supported: only along the last, {}", axis, last);
  if (arguments.number("epsilon") < 0)
    b.fail("needs an epsilon of at least 0, got {}", arguments.number("epsilon"));
  if (!b.layer().trainable)
    b.fail("is not trainable: frozen batch normalisation is not supported yet");
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
  return b.append(OpKind::batch_norm, {x, gamma, beta, mean, variance},
                  BatchNormAttrs{arguments.real("epsilon"), arguments.real("momentum")});
}

/// The stream of random numbers is numbered when the model is finished: it counts the dropouts
/// of that model.
NodeId apply_dropout(LayerBuilder &b, const std::vector<NodeId> &inputs) {
  const float rate = b.arguments().real("rate");
  return rate == 0 ? inputs[0] : b.append(OpKind::dropout, {inputs[0]}, DropoutAttrs{rate, 0});
}

} // namespace

std::vector<LayerType> normalization_layers() {
  using Kind = ArgumentKind;
  return {
      {{"keras.layers.BatchNormalization",
        with_common_arguments({
            optional("axis", Kind::integer, -1),
            optional("momentum", Kind::fraction, Value(0.99)),
            optional("epsilon", Kind::number, Value(0.001)),
            optional("center", Kind::boolean, Value(true)),
            optional("scale", Kind::boolean, Value(true)),
            optional("beta_initializer", Kind::initializer, "zeros"),
            optional("gamma_initializer", Kind::initializer, "ones"),
            optional("moving_mean_initializer", Kind::initializer, "zeros"),
            optional("moving_variance_initializer", Kind::initializer, "ones"),
            optional("beta_regularizer", Kind::unsupported),
            optional("gamma_regularizer", Kind::unsupported),
            optional("beta_constraint", Kind::unsupported),
            optional("gamma_constraint", Kind::unsupported),
            optional("synchronized", Kind::ignored),
        })},
       apply_batch_normalization},
      {{"keras.layers.Dropout", with_common_arguments({required("rate", Kind::fraction),
                                                       optional("noise_shape", Kind::unsupported),
                                                       optional("seed", Kind::ignored)})},
       apply_dropout},
  };
}

} // namespace sinter

// Layers that are the identity but in training, when they drop values or add noise.
#include "frontend/layer_table.h"

#include <cmath>
#include <numeric>

namespace sinter {

namespace {

using Kind = ArgumentKind;

NodeId drop(LayerBuilder &b, NodeId x, std::vector<int64_t> shared) {
  const float rate = b.arguments().real("rate");
  return rate == 0 || b.inference()
             ? x
             : b.append(OpKind::dropout, {x}, DropoutAttrs{rate, 0, std::move(shared)});
}

/// noise_shape: 1 where values share their fate, else None or the input's extent.
std::vector<int64_t> shared_noise(LayerBuilder &b, NodeId x) {
  const Value &noise = b.arguments()["noise_shape"];
  if (std::holds_alternative<None>(noise))
    return {};
  const Shape shape = b.shape(x);
  const std::vector<Value> *extents = sequence_items(noise);
  std::vector<int64_t> shared;
  for (size_t d = 0; extents && extents->size() == shape.size() && d < shape.size(); ++d) {
    const auto *extent = std::get_if<int64_t>(&(*extents)[d]);
    if (extent && *extent == 1)
      shared.push_back(static_cast<int64_t>(d));
    else if (extent ? *extent != shape[d] : !std::holds_alternative<None>((*extents)[d]))
      extents = nullptr;
  }
  if (!extents || extents->size() != shape.size())
    b.fail("with noise_shape={} does not fit an input {}", describe(noise), str(shape));
  return shared;
}

NodeId apply_dropout(LayerBuilder &b, const std::vector<NodeId> &inputs) {
  return drop(b, inputs[0], shared_noise(b, inputs[0]));
}

/// Whole channels are dropped.
template <int rank>
NodeId apply_spatial_dropout(LayerBuilder &b, const std::vector<NodeId> &inputs) {
  b.require_rank(inputs[0], rank, rank == 4 ? kImages : kSequences);
  std::vector<int64_t> positions(rank - 2);
  std::iota(positions.begin(), positions.end(), 1);
  return drop(b, inputs[0], positions);
}

/// Normally distributed, of mean 0 and deviation 1, after G. Box and M. Muller, "A note on the
/// generation of random normal deviates", 1958.
NodeId random_normal(LayerBuilder &b, const Shape &shape) {
  constexpr float kTurn = 6.28318530717958648F;
  Composer c = b.composer();
  const NodeId positive = compose::affine(c, b.random_uniform(shape), -1, 1); // log's argument
  const NodeId squared = compose::affine(c, b.append(OpKind::log, {positive}), -2);
  const NodeId angle = compose::affine(c, b.random_uniform(shape), kTurn);
  return b.append(OpKind::multiply,
                  {b.append(OpKind::sqrt, {squared}), b.append(OpKind::cos, {angle})});
}

NodeId apply_gaussian_noise(LayerBuilder &b, const std::vector<NodeId> &inputs) {
  const float deviation = b.arguments().real("stddev");
  if (deviation < 0)
    b.fail("needs a stddev of at least 0, got {}", deviation);
  Composer c = b.composer();
  const NodeId noise = compose::affine(c, random_normal(b, b.shape(inputs[0])), deviation);
  return b.in_training(inputs[0], b.append(OpKind::add, {inputs[0], noise}));
}

/// Times a random number of mean 1 and dropout's deviation, sqrt(rate / (1 - rate)).
NodeId apply_gaussian_dropout(LayerBuilder &b, const std::vector<NodeId> &inputs) {
  const float rate = b.arguments().real("rate");
  Composer c = b.composer();
  const NodeId factor =
      compose::affine(c, random_normal(b, b.shape(inputs[0])), std::sqrt(rate / (1 - rate)), 1);
  return b.in_training(inputs[0], b.append(OpKind::multiply, {inputs[0], factor}));
}

/// What is dropped becomes what selu tends to, and the whole keeps its mean and variance
/// (G. Klambauer et al., "Self-normalizing neural networks", 2017).
NodeId apply_alpha_dropout(LayerBuilder &b, const std::vector<NodeId> &inputs) {
  constexpr float kDropped = -1.67326319F * 1.05070102F;
  const float rate = b.arguments().real("rate");
  const float scale = 1 / std::sqrt((1 - rate) * (1 + rate * kDropped * kDropped));
  const NodeId x = inputs[0];
  Shape shape = b.shape(x);
  for (const int64_t axis : shared_noise(b, x))
    shape[static_cast<size_t>(axis)] = 1;
  const NodeId kept =
      b.append(OpKind::greater_equal, {b.random_uniform(shape), b.constant({}, rate)});
  const NodeId mixed = b.append(OpKind::select, {kept, x, b.constant({}, kDropped)});
  Composer c = b.composer();
  return b.in_training(x, compose::affine(c, mixed, scale, -scale * kDropped * rate));
}

NodeId apply_activity_regularization(LayerBuilder &b, const std::vector<NodeId> &inputs) {
  b.penalize(inputs[0], {b.arguments().real("l1"), b.arguments().real("l2")});
  return inputs[0];
}

} // namespace

std::vector<LayerType> dropout_layers() {
  const ArgumentSpec rate = required("rate", Kind::fraction);
  const ArgumentSpec noise_shape = optional("noise_shape", Kind::any);
  const auto with = [](std::vector<ArgumentSpec> arguments) {
    arguments.push_back(optional("seed", Kind::ignored));
    return with_common_arguments(std::move(arguments));
  };
  return {
      {{"keras.layers.Dropout", with({rate, noise_shape})}, apply_dropout},
      {{"keras.layers.SpatialDropout1D", with({rate})}, apply_spatial_dropout<3>},
      {{"keras.layers.SpatialDropout2D",
        joined({{rate, data_format_argument(), optional("seed", Kind::ignored)}})},
       apply_spatial_dropout<4>},
      {{"keras.layers.GaussianNoise", with({required("stddev", Kind::number)})},
       apply_gaussian_noise},
      {{"keras.layers.GaussianDropout", with({rate})}, apply_gaussian_dropout},
      {{"keras.layers.AlphaDropout", with({rate, noise_shape})}, apply_alpha_dropout},
      {{"keras.layers.ActivityRegularization",
        with_common_arguments(
            {optional("l1", Kind::number, Value(0.0)), optional("l2", Kind::number, Value(0.0))})},
       apply_activity_regularization},
  };
}

} // namespace sinter

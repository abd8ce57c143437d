#include "random_graph.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace sinter {

namespace {

class RandomModel {
public:
  explicit RandomModel(uint32_t seed) : random_(seed) {}

  Model build() {
    x_ = append(OpKind::input, {},
                InputAttrs{"x",
                           "data",
                           {ElementType::f32, {kBatch, pick(4, 7), pick(4, 7), pick(1, 3)}, 0}});
    const int64_t steps = pick(3, 12);
    for (int64_t i = 0; i < steps; ++i)
      add_step();
    finish();
    return std::move(model_);
  }

private:
  int64_t pick(int64_t low, int64_t high) {
    return std::uniform_int_distribution<int64_t>(low, high)(random_);
  }
  NodeId append(OpKind kind, std::vector<NodeId> operands, Attrs attributes = NoAttrs{}) {
    return model_.graph.append(kind, std::move(operands), std::move(attributes));
  }
  const Shape &shape() const { return model_.graph.type(x_).shape; }

  NodeId parameter(const Shape &extents, const std::string &role = "weight") {
    ParameterAttrs attributes;
    attributes.name = "p" + std::to_string(parameters_++);
    attributes.role = role;
    attributes.initializer = role == "statistic" ? "ones" : "zeros";
    attributes.type = {ElementType::f32, extents, 0};
    return append(OpKind::parameter, {}, attributes);
  }
  NodeId constant(float value, const Shape &extents) {
    return append(OpKind::constant, {}, ConstantAttrs{{value}, {ElementType::f32, extents, 0}});
  }

  void add_step() {
    switch (pick(0, 18)) {
    case 0:
    case 1:
    case 2:
      return convolve();
    case 3:
    case 4:
      x_ = append(OpKind::relu, {x_});
      return;
    case 5:
      x_ = append(pick(0, 1) ? OpKind::tanh : OpKind::sigmoid, {x_});
      return;
    case 6:
    case 7:
      return pool();
    case 8:
      x_ = append(OpKind::batch_norm,
                  {x_, parameter({shape()[3]}), parameter({shape()[3]}),
                   parameter({shape()[3]}, "statistic"), parameter({shape()[3]}, "statistic")},
                  BatchNormAttrs{});
      return;
    case 9:
      x_ = append(OpKind::dropout, {x_},
                  DropoutAttrs{0.25F * static_cast<float>(pick(0, 2)), pick(0, 3), {}});
      return;
    case 10:
      x_ = append(
          OpKind::affine, {x_},
          AffineAttrs{0.5F * static_cast<float>(pick(1, 3)), static_cast<float>(pick(0, 1))});
      return;
    case 11:
      return there_and_back();
    case 12:
      return turn();
    case 13:
      x_ = append(OpKind::pad, {x_}, PadAttrs{{0, pick(0, 1), pick(0, 1), 0}, {0, 1, 0, 0}, 0});
      return;
    case 14:
      x_ = append(pick(0, 1) ? OpKind::add : OpKind::multiply,
                  {x_, constant(static_cast<float>(pick(0, 2)), {shape()[3]})});
      return;
    case 15:
      return residual();
    case 16:
      x_ = append(OpKind::concat, {x_, append(OpKind::abs, {x_})}, AxisAttrs{3});
      return;
    case 17:
      return split();
    default:
      x_ = append(OpKind::multiply, {x_, append(OpKind::sqrt, {constant(4, {1})})});
      return;
    }
  }

  void convolve() {
    const int64_t kernel = pick(1, std::min<int64_t>(3, std::min(shape()[1], shape()[2])));
    const int64_t filters = pick(1, 3) * (pick(0, 3) ? 1 : 16);
    const NodeId w = parameter({kernel, kernel, shape()[3], filters});
    Conv2dAttrs attributes;
    attributes.padding = {kernel / 2, kernel / 2, (kernel - 1) / 2, (kernel - 1) / 2};
    x_ = append(OpKind::conv2d, {x_, w}, attributes);
    if (pick(0, 1))
      x_ = append(OpKind::bias_add, {x_, parameter({filters})});
  }

  void pool() {
    if (std::min(shape()[1], shape()[2]) < 3)
      return;
    Pool2dAttrs attributes;
    attributes.size = {pick(2, 3), 2};
    attributes.strides = {2, pick(1, 2)};
    x_ = append(pick(0, 2) ? OpKind::max_pool2d : OpKind::average_pool2d, {x_}, attributes);
  }

  void there_and_back() {
    const Shape before = shape();
    const NodeId flat =
        append(OpKind::reshape, {x_}, ReshapeAttrs{{kBatch, model_.graph.type(x_).elements()}});
    const NodeId changed = pick(0, 1) ? append(OpKind::relu, {flat}) : flat;
    x_ = append(OpKind::reshape, {changed}, ReshapeAttrs{before});
  }

  void turn() {
    x_ = append(OpKind::transpose, {x_}, TransposeAttrs{{0, 2, 1, 3}});
    if (pick(0, 1))
      x_ = append(OpKind::transpose, {x_}, TransposeAttrs{{0, 2, 1, 3}});
  }

  void residual() {
    const NodeId shortcut = x_;
    x_ = append(OpKind::relu, {x_});
    const Shape before = shape();
    x_ = append(OpKind::conv2d, {x_, parameter({1, 1, before[3], before[3]})}, Conv2dAttrs{});
    x_ = append(pick(0, 1) ? OpKind::add : OpKind::subtract, {x_, shortcut});
  }

  /// Two parts of the channels, which may have some in common: joined again, or one of them.
  void split() {
    const Shape all = shape();
    const auto part = [&](int64_t begin, int64_t end) {
      return append(OpKind::slice, {x_},
                    SliceAttrs{{0, 0, 0, begin}, {kBatch, all[1], all[2], end}, {}});
    };
    const NodeId first = part(0, pick(1, all[3])), last = part(pick(0, all[3] - 1), all[3]);
    const NodeId changed = pick(0, 1) ? append(OpKind::tanh, {last}) : last;
    x_ = pick(0, 1) ? append(OpKind::concat, {changed, first}, AxisAttrs{3}) : changed;
  }

  void finish() {
    x_ = append(OpKind::reshape, {x_}, ReshapeAttrs{{kBatch, model_.graph.type(x_).elements()}});
    if (pick(0, 1))
      x_ = append(OpKind::dropout, {x_}, DropoutAttrs{0.5F, 7, {}});
    const int64_t classes = pick(2, 20);
    x_ = append(OpKind::matmul, {x_, parameter({shape()[1], classes})}, MatmulAttrs{});
    x_ = append(OpKind::bias_add, {x_, parameter({classes})});
    // Bounded logits: Keras clips probabilities below 1e-7, which the fused loss does not.
    x_ = append(OpKind::affine, {append(OpKind::tanh, {x_})}, AffineAttrs{4, 0});
    const NodeId prediction = append(OpKind::softmax, {x_});
    const NodeId labels =
        append(OpKind::input, {}, InputAttrs{"labels", "label", {ElementType::i32, {kBatch}, 0}});
    const NodeId target = append(OpKind::one_hot, {labels}, OneHotAttrs{classes});
    const auto mean = [&](NodeId samples) {
      return append(OpKind::reduce_mean, {samples}, ReduceAttrs{{0}, false});
    };
    model_.name = "random";
    model_.graph.outputs = {
        {"prediction", prediction},
        {"loss", mean(append(OpKind::categorical_crossentropy, {prediction, target}))},
        {"accuracy", mean(append(OpKind::categorical_accuracy, {prediction, target}))}};
    model_.training = TrainingSpec{};
  }

  std::mt19937 random_;
  Model model_;
  NodeId x_;
  int parameters_ = 0;
};

} // namespace

Model random_model(uint32_t seed) { return RandomModel(seed).build(); }

NamedArrays random_values(const Graph &graph, int64_t batch, uint32_t seed) {
  NamedArrays values;
  std::mt19937 random(seed);
  const auto fill = [&](const std::string &name, const TensorType &type, double low, double high) {
    Array array(type, batch);
    std::uniform_real_distribution<double> uniform(low, high);
    for (double &value : array.values)
      value = type.element == ElementType::f32 ? uniform(random) : std::floor(uniform(random));
    values[name] = array;
  };
  for (const Node &node : graph.nodes()) {
    if (node.kind == OpKind::input)
      fill(attrs<InputAttrs>(node).name, node.type, 0,
           node.type.element == ElementType::f32 ? 1 : 2);
    if (node.kind == OpKind::parameter && attrs<ParameterAttrs>(node).role == "weight")
      fill(attrs<ParameterAttrs>(node).name, node.type, -0.5, 0.5);
    else if (node.kind == OpKind::parameter)
      fill(attrs<ParameterAttrs>(node).name, node.type, 0.5, 1.5);
  }
  return values;
}

NamedArrays results(const Graph &graph, int64_t batch, const NamedArrays &values) {
  const std::vector<Array> all = evaluate(graph, batch, values);
  NamedArrays found;
  for (const Output &output : graph.outputs)
    found[output.name] = all[static_cast<size_t>(output.value.index)];
  for (const Update &update : graph.updates)
    found["update:" + attrs<ParameterAttrs>(graph[update.parameter]).name] =
        all[static_cast<size_t>(update.value.index)];
  return found;
}

double difference(const NamedArrays &expected, const NamedArrays &actual) {
  double largest = 0;
  for (const auto &[name, array] : expected) {
    const auto found = actual.find(name);
    if (found == actual.end() || found->second.size() != array.size())
      return std::numeric_limits<double>::infinity();
    double scale = 1;
    double error = 0;
    for (int64_t i = 0; i < array.size(); ++i) {
      scale = std::max(scale, std::fabs(array[i]));
      const double here = std::fabs(array[i] - found->second[i]);
      error = std::isnan(here) ? std::numeric_limits<double>::infinity() : std::max(error, here);
    }
    largest = std::max(largest, error / scale);
  }
  return largest;
}

} // namespace sinter

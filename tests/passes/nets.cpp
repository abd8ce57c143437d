#include "nets.h"

namespace sinter {

namespace {

class Net {
public:
  explicit Net(const std::string &name) { model_.name = name; }

  NodeId input(const std::string &name, const std::string &role, ElementType element,
               const Shape &shape) {
    return append(OpKind::input, {}, InputAttrs{name, role, {element, shape, 0}});
  }

  NodeId weight(const std::string &name, const Shape &shape, const std::string &role = "weight") {
    ParameterAttrs parameter;
    parameter.name = name;
    parameter.role = role;
    parameter.initializer = role == "statistic" ? "ones" : "uniform";
    parameter.a = -0.5F;
    parameter.b = 0.5F;
    parameter.type = {ElementType::f32, shape, 0};
    return append(OpKind::parameter, {}, parameter);
  }

  NodeId append(OpKind kind, std::vector<NodeId> operands, Attrs attributes = NoAttrs{}) {
    return model_.graph.append(kind, std::move(operands), std::move(attributes), layer_);
  }

  NodeId convolve(const std::string &layer, NodeId x, int64_t kernel, int64_t filters,
                  std::array<int64_t, 4> padding, std::array<int64_t, 2> strides = {1, 1}) {
    layer_ = layer;
    const NodeId w =
        weight(layer + "/kernel", {kernel, kernel, model_.graph.type(x).shape[3], filters});
    Conv2dAttrs convolution;
    convolution.padding = padding;
    convolution.strides = strides;
    const NodeId y = append(OpKind::conv2d, {x, w}, convolution);
    return append(OpKind::bias_add, {y, weight(layer + "/bias", {filters})});
  }

  NodeId dense(const std::string &layer, NodeId x, int64_t units) {
    layer_ = layer;
    const NodeId w = weight(layer + "/kernel", {model_.graph.type(x).shape[1], units});
    const NodeId y = append(OpKind::matmul, {x, w}, MatmulAttrs{});
    return append(OpKind::bias_add, {y, weight(layer + "/bias", {units})});
  }

  NodeId normalize(const std::string &layer, NodeId x) {
    layer_ = layer;
    const Shape channels{model_.graph.type(x).shape.back()};
    return append(OpKind::batch_norm,
                  {x, weight(layer + "/gamma", channels), weight(layer + "/beta", channels),
                   weight(layer + "/moving_mean", channels, "statistic"),
                   weight(layer + "/moving_variance", channels, "statistic")},
                  BatchNormAttrs{});
  }

  NodeId flatten(NodeId x) {
    return append(OpKind::reshape, {x}, ReshapeAttrs{{kBatch, model_.graph.type(x).elements()}});
  }

  void output(const std::string &name, NodeId value) {
    model_.graph.outputs.push_back({name, value});
  }
  void mean_output(const std::string &name, NodeId samples) {
    output(name, append(OpKind::reduce_mean, {samples}, ReduceAttrs{{0}, false}));
  }

  /// Softmax on the logits, with sparse labels.
  void classify(NodeId logits, int64_t classes) {
    layer_.clear();
    const NodeId prediction = append(OpKind::softmax, {logits});
    output("prediction", prediction);
    const NodeId labels = input("labels", "label", ElementType::i32, {kBatch});
    const NodeId target = append(OpKind::one_hot, {labels}, OneHotAttrs{classes});
    mean_output("loss", append(OpKind::categorical_crossentropy, {prediction, target}));
    mean_output("accuracy", append(OpKind::categorical_accuracy, {prediction, target}));
  }

  Model take(const OptimizerSpec &optimizer) {
    model_.training = TrainingSpec{};
    model_.training->optimizer = optimizer;
    return std::move(model_);
  }

private:
  Model model_;
  std::string layer_;
};

constexpr std::array<int64_t, 4> kSame3{1, 1, 1, 1};

} // namespace

Model fashion_net(int64_t size, int64_t width, float dropout) {
  Net net("fashion");
  NodeId x = net.input("x", "data", ElementType::f32, {kBatch, size, size, 1});
  x = net.append(OpKind::relu, {net.convolve("conv2d", x, 3, width, kSame3)});
  x = net.append(OpKind::max_pool2d, {x}, Pool2dAttrs{});
  x = net.append(OpKind::relu, {net.convolve("conv2d_1", x, 3, 2 * width, kSame3)});
  x = net.append(OpKind::max_pool2d, {x}, Pool2dAttrs{});
  x = net.append(OpKind::relu, {net.dense("dense", net.flatten(x), 100)});
  x = net.append(OpKind::dropout, {x}, DropoutAttrs{dropout, 0, {}});
  net.classify(net.dense("dense_1", x, 10), 10);
  return net.take({});
}

Model residual_net() {
  Net net("residual");
  NodeId x = net.input("x", "data", ElementType::f32, {kBatch, 8, 8, 3});
  x = net.append(OpKind::relu, {net.normalize("bn", net.convolve("conv2d", x, 3, 5, kSame3))});
  NodeId y =
      net.append(OpKind::relu, {net.normalize("bn_1", net.convolve("conv2d_1", x, 3, 5, kSame3))});
  y = net.normalize("bn_2", net.convolve("conv2d_2", y, 3, 5, kSame3));
  x = net.append(OpKind::relu, {net.append(OpKind::add, {y, x})});
  x = net.append(OpKind::max_pool2d, {x}, Pool2dAttrs{});
  x = net.append(OpKind::dropout, {x}, DropoutAttrs{0.25F, 0, {}});
  x = net.append(OpKind::reduce_mean, {x}, ReduceAttrs{{1, 2}, false});
  net.classify(net.dense("dense", x, 4), 4);
  OptimizerSpec sgd;
  sgd.kind = "sgd";
  sgd.momentum = 0.9F;
  return net.take(sgd);
}

Model binary_net() {
  Net net("binary");
  NodeId x = net.input("x", "data", ElementType::f32, {kBatch, 6, 6, 2});
  x = net.append(OpKind::affine, {x}, AffineAttrs{0.5F, -0.25F});
  x = net.append(OpKind::tanh, {net.convolve("conv2d", x, 3, 4, kSame3)});
  x = net.append(OpKind::average_pool2d, {x}, Pool2dAttrs{});
  x = net.append(OpKind::tanh, {net.convolve("conv2d_1", x, 2, 9, {0, 0, 0, 0})});
  x = net.append(OpKind::max_pool2d, {x}, Pool2dAttrs{});
  x = net.append(OpKind::dropout,
                 {net.append(OpKind::tanh, {net.dense("dense", net.flatten(x), 7)})},
                 DropoutAttrs{0.5F, 1, {}});
  const NodeId prediction = net.append(OpKind::sigmoid, {net.dense("dense_1", x, 1)});
  net.output("prediction", prediction);
  const NodeId target = net.input("target", "label", ElementType::f32, {kBatch, 1});
  net.mean_output("loss", net.append(OpKind::binary_crossentropy, {prediction, target}));
  net.mean_output("accuracy", net.append(OpKind::binary_accuracy, {prediction, target}));
  OptimizerSpec rmsprop;
  rmsprop.kind = "rmsprop";
  rmsprop.momentum = 0.5F;
  return net.take(rmsprop);
}

Model odd_net() {
  Net net("odd");
  NodeId x = net.input("x", "data", ElementType::f32, {kBatch, 9, 9, 2});
  x = net.append(OpKind::relu, {net.convolve("conv2d", x, 3, 4, {0, 1, 1, 0}, {2, 2})});
  Pool2dAttrs pool;
  pool.size = {3, 3};
  pool.padding = {1, 1, 0, 0};
  const NodeId a = net.append(OpKind::max_pool2d, {x}, pool);
  const NodeId b = net.append(OpKind::sigmoid, {net.append(OpKind::average_pool2d, {x}, pool)});
  x = net.append(OpKind::concat, {a, b}, AxisAttrs{3});
  x = net.append(OpKind::dropout, {net.flatten(x)}, DropoutAttrs{0.5F, 0, {}});
  x = net.append(OpKind::relu, {net.dense("dense", x, 3)});
  net.output("prediction", x);
  const NodeId target = net.input("target", "label", ElementType::f32, {kBatch, 3});
  net.mean_output("loss", net.append(OpKind::mean_squared_error, {x, target}));
  OptimizerSpec nesterov;
  nesterov.kind = "sgd";
  nesterov.momentum = 0.9F;
  nesterov.nesterov = true;
  return net.take(nesterov);
}

Model joined_net() {
  Net net("joined");
  NodeId x = net.input("x", "data", ElementType::f32, {kBatch, 9, 9, 3});
  x = net.append(OpKind::relu, {net.convolve("stem", x, 3, 12, {1, 1, 1, 1})});
  for (const std::string layer : {"dense_a", "dense_b"}) {
    const NodeId before = net.append(OpKind::relu, {net.normalize(layer + "/bn", x)});
    x = net.append(OpKind::concat, {x, net.convolve(layer, before, 3, 9, {1, 1, 1, 1})},
                   AxisAttrs{3});
  }
  const NodeId kept = net.append(OpKind::slice, {x}, SliceAttrs{{0, 0, 0, 0}, {kBatch, 9, 9, 14}});
  NodeId turned = net.append(OpKind::slice, {x}, SliceAttrs{{0, 0, 0, 14}, {kBatch, 9, 9, 30}});
  turned = net.append(OpKind::tanh, {net.convolve("turned", turned, 1, 16, {0, 0, 0, 0})});
  x = net.append(OpKind::concat, {kept, turned}, AxisAttrs{3});
  Pool2dAttrs pool;
  pool.size = {3, 3};
  pool.strides = {2, 2};
  const NodeId pooled = net.append(OpKind::max_pool2d, {x}, pool);
  const NodeId smaller = net.convolve("smaller", x, 3, 10, {0, 0, 0, 0}, {2, 2});
  x = net.append(
      OpKind::concat,
      {pooled, net.append(OpKind::relu, {smaller}), net.append(OpKind::average_pool2d, {x}, pool)},
      AxisAttrs{3});
  x = net.append(OpKind::reduce_mean, {x}, ReduceAttrs{{1, 2}, false});
  net.classify(net.dense("dense", x, 5), 5);
  return net.take({});
}

std::vector<Model> all_nets() {
  return {fashion_net(8, 3, 0.5F), residual_net(), binary_net(), odd_net(), joined_net()};
}

} // namespace sinter

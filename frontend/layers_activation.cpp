// The activation functions by name, and the layers that are activations.
#include "frontend/layer_table.h"
#include "frontend/modules.h"

namespace sinter {

namespace {

using Kind = ArgumentKind;

NodeId last_axis_softmax(Composer &c, NodeId x) { return c.append(OpKind::softmax, {x}); }
NodeId last_axis_log_softmax(Composer &c, NodeId x) {
  return compose::log_softmax(c, x, c.rank(x) - 1);
}
template <OpKind kind> NodeId op(Composer &c, NodeId x) { return c.append(kind, {x}); }
NodeId identity(Composer &, NodeId x) { return x; }
NodeId relu6(Composer &c, NodeId x) { return compose::clip(c, x, 0, 6); }
NodeId leaky_relu(Composer &c, NodeId x) { return compose::leaky_relu(c, x, 0.2F); }
NodeId elu(Composer &c, NodeId x) { return compose::elu(c, x); }
NodeId selu(Composer &c, NodeId x) { return compose::selu(c, x); }
NodeId celu(Composer &c, NodeId x) { return compose::celu(c, x); }
NodeId hard_sigmoid(Composer &c, NodeId x) { return compose::hard_sigmoid(c, x, 1.0F / 6); }

struct Activation {
  std::string_view name;
  NodeId (*append)(Composer &, NodeId);
  std::string_view module = "keras.activations";

  std::string path() const { return fmt::format("{}.{}", module, name); }
};

/// With Keras 3's defaults, which are not the same for both of its functions named gelu.
constexpr Activation kActivations[] = {{"linear", identity},
                                       {"relu", op<OpKind::relu>},
                                       {"tanh", op<OpKind::tanh>},
                                       {"sigmoid", op<OpKind::sigmoid>},
                                       {"softmax", last_axis_softmax},
                                       {"log_softmax", last_axis_log_softmax},
                                       {"relu6", relu6},
                                       {"leaky_relu", leaky_relu},
                                       {"elu", elu},
                                       {"selu", selu},
                                       {"celu", celu},
                                       {"gelu", compose::gelu},
                                       {"gelu", compose::gelu_tanh, "keras.ops"},
                                       {"silu", compose::silu},
                                       {"swish", compose::silu},
                                       {"mish", compose::mish},
                                       {"softplus", compose::softplus},
                                       {"softsign", compose::softsign},
                                       {"exponential", op<OpKind::exp>},
                                       {"hard_sigmoid", hard_sigmoid},
                                       {"hard_silu", compose::hard_swish},
                                       {"hard_swish", compose::hard_swish},
                                       {"log_sigmoid", compose::log_sigmoid}};

/// What every layer with an activation has done to its result is all that it does.
NodeId apply_activation(LayerBuilder &, const std::vector<NodeId> &inputs) { return inputs[0]; }

/// x at and above the threshold, negative_slope * (x - threshold) below it, at most max_value.
NodeId apply_relu(LayerBuilder &b, const std::vector<NodeId> &inputs) {
  const Arguments &arguments = b.arguments();
  const float slope = arguments.real("negative_slope");
  const float threshold = arguments.real("threshold");
  if (slope < 0 || threshold < 0)
    b.fail("needs a negative_slope and a threshold of at least 0, got {} and {}", slope, threshold);
  Composer c = b.composer();
  NodeId y;
  if (threshold == 0) {
    y = slope == 0 ? b.append(OpKind::relu, {inputs[0]}) : compose::leaky_relu(c, inputs[0], slope);
  } else {
    const NodeId above =
        b.append(OpKind::greater_equal, {inputs[0], c.scalar_like(inputs[0], threshold)});
    const NodeId below = compose::affine(c, inputs[0], slope, -slope * threshold);
    y = b.append(OpKind::select, {above, inputs[0], below});
  }
  if (arguments.is_none("max_value"))
    return y;
  if (arguments.number("max_value") < 0)
    b.fail("needs a max_value of at least 0, got {}", arguments.number("max_value"));
  return b.append(OpKind::minimum, {y, b.constant({}, arguments.real("max_value"))});
}

/// `alpha` is the slope's name before Keras 3, and in tf.nn.
NodeId apply_leaky_relu(LayerBuilder &b, const std::vector<NodeId> &inputs) {
  const Arguments &arguments = b.arguments();
  Composer c = b.composer();
  return compose::leaky_relu(
      c, inputs[0], arguments.real(arguments.is_none("alpha") ? "negative_slope" : "alpha"));
}

/// One slope for every value of a sample; those of shared axes are one.
NodeId apply_prelu(LayerBuilder &b, const std::vector<NodeId> &inputs) {
  const Arguments &arguments = b.arguments();
  Shape shape = b.shape(inputs[0]);
  const auto rank = static_cast<int64_t>(shape.size());
  shape.erase(shape.begin());
  const Value &shared = arguments["shared_axes"];
  const std::vector<Value> *items = sequence_items(shared);
  const bool none = std::holds_alternative<None>(shared);
  for (const Value &axis : items  ? *items
                           : none ? std::vector<Value>{}
                                  : std::vector<Value>{shared}) {
    const auto *given = std::get_if<int64_t>(&axis);
    if (!given || *given < 1 || *given >= rank)
      b.fail("has no axis {} to share in {}", describe(axis), str(b.shape(inputs[0])));
    shape[static_cast<size_t>(*given - 1)] = 1;
  }
  Composer c = b.composer();
  return compose::prelu(c, inputs[0], b.parameter("alpha", shape, arguments["alpha_initializer"]));
}

NodeId apply_elu(LayerBuilder &b, const std::vector<NodeId> &inputs) {
  Composer c = b.composer();
  return compose::elu(c, inputs[0], b.arguments().real("alpha"));
}

NodeId apply_celu(LayerBuilder &b, const std::vector<NodeId> &inputs) {
  Composer c = b.composer();
  return compose::celu(c, inputs[0], b.arguments().real("alpha"));
}

NodeId apply_gelu(LayerBuilder &b, const std::vector<NodeId> &inputs) {
  Composer c = b.composer();
  return b.arguments().boolean("approximate") ? compose::gelu_tanh(c, inputs[0])
                                              : compose::gelu(c, inputs[0]);
}

template <NodeId (*function)(Composer &, NodeId, int64_t)>
NodeId apply_along_axis(LayerBuilder &b, const std::vector<NodeId> &inputs) {
  const int64_t rank = b.type(inputs[0]).rank();
  const int64_t given = b.arguments().integer("axis");
  const int64_t axis = given < 0 ? given + rank : given;
  if (axis < 1 || axis >= rank)
    b.fail("along axis {} is not supported for an input {}", given, str(b.shape(inputs[0])));
  Composer c = b.composer();
  return function(c, inputs[0], axis);
}

} // namespace

const Native &find_activation(const Value &value, const SourceLocation &location) {
  if (std::holds_alternative<None>(value))
    return *find_native("keras.activations.linear");
  if (const auto *text = std::get_if<std::string>(&value)) {
    const Native *native = find_native("keras.activations." + *text);
    if (native && native->family == Family::activation)
      return *native;
    fail_unknown_name("keras.activations." + *text, location);
  }
  if (const auto *native = std::get_if<const Native *>(&value))
    if ((*native)->family == Family::activation)
      return **native;
  if (const auto *module = std::get_if<ModuleName>(&value))
    fail_unknown_name(module->path, location);
  throw CompileError(location, "{} is not supported as an activation", describe(value));
}

bool is_called_activation(const Value &value) {
  const auto *native = std::get_if<const Native *>(&value);
  return object<Function>(value) || object<Partial>(value) || layer_of_object(value) ||
         (native && (*native)->family == Family::function);
}

NodeId append_activation(LayerBuilder &b, const Native &activation, NodeId x) {
  Composer c = b.composer();
  for (const Activation &known : kActivations)
    if (known.path() == activation.path)
      return known.append(c, x);
  SINTER_UNREACHABLE("no activation {}", activation.path);
}

std::vector<std::string> activation_paths() {
  std::vector<std::string> paths;
  for (const Activation &known : kActivations)
    paths.push_back(known.path());
  return paths;
}

std::vector<LayerType> activation_layers() {
  const auto with = [](std::vector<ArgumentSpec> arguments) {
    return with_common_arguments(std::move(arguments));
  };
  const std::vector<ArgumentSpec> axis = with({optional("axis", Kind::integer, -1)});
  return {
      {{"keras.layers.Activation", with({required("activation", Kind::activation)})},
       apply_activation},
      {{"keras.layers.ReLU",
        with({optional("max_value", Kind::number), optional("negative_slope", Kind::number, 0),
              optional("threshold", Kind::number, 0)})},
       apply_relu},
      {{"keras.layers.LeakyReLU", with({optional("negative_slope", Kind::number, Value(0.3)),
                                        optional("alpha", Kind::number)})},
       apply_leaky_relu},
      {{"keras.layers.PReLU",
        with({optional("alpha_initializer", Kind::initializer, "zeros"),
              optional("alpha_regularizer", Kind::regularizer),
              optional("alpha_constraint", Kind::constraint), optional("shared_axes", Kind::any)})},
       apply_prelu},
      {{"keras.layers.ELU", with({optional("alpha", Kind::number, Value(1.0))})}, apply_elu},
      {{"keras.layers.Softmax", axis}, apply_along_axis<compose::softmax>},
      // What calls of activation functions are (configuration.cpp).
      {{"keras.ops.LeakyRelu",
        with({required("negative_slope", Kind::number), optional("alpha", Kind::number)})},
       apply_leaky_relu},
      {{"keras.ops.Elu", with({required("alpha", Kind::number)})}, apply_elu},
      {{"keras.ops.Celu", with({required("alpha", Kind::number)})}, apply_celu},
      {{"keras.ops.Gelu", with({required("approximate", Kind::boolean)})}, apply_gelu},
      {{"keras.ops.LogSoftmax", axis}, apply_along_axis<compose::log_softmax>},
  };
}

} // namespace sinter

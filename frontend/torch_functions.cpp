// torch.nn.functional, functions of torch, and the methods of tensors: each makes and applies a
// layer of torch.nn, or one of layers_tensor.cpp.
#include "frontend/interpreter.h"
#include "frontend/keras_session.h"
#include "frontend/layer_table.h"
#include "frontend/torch_modules.h"

#include <algorithm>

namespace sinter {

namespace {

using Kind = ArgumentKind;
using Specs = std::vector<ArgumentSpec>;

/// A function that is a layer applied once: its arguments behind the input are the layer's.
struct FunctionalLayer {
  std::string_view path, layer;
};

constexpr FunctionalLayer kFunctional[] = {
    {"torch.nn.functional.relu", "torch.nn.ReLU"},
    {"torch.nn.functional.relu6", "torch.nn.ReLU6"},
    {"torch.nn.functional.leaky_relu", "torch.nn.LeakyReLU"},
    {"torch.nn.functional.elu", "torch.nn.ELU"},
    {"torch.nn.functional.sigmoid", "torch.nn.Sigmoid"},
    {"torch.nn.functional.tanh", "torch.nn.Tanh"},
    {"torch.nn.functional.silu", "torch.nn.SiLU"},
    {"torch.nn.functional.mish", "torch.nn.Mish"},
    {"torch.nn.functional.softplus", "torch.nn.Softplus"},
    {"torch.nn.functional.hardswish", "torch.nn.Hardswish"},
    {"torch.nn.functional.hardsigmoid", "torch.nn.Hardsigmoid"},
    {"torch.nn.functional.gelu", "torch.nn.GELU"},
    {"torch.nn.functional.softmax", "torch.nn.Softmax"},
    {"torch.nn.functional.log_softmax", "torch.nn.LogSoftmax"},
    {"torch.nn.functional.max_pool2d", "torch.nn.MaxPool2d"},
    {"torch.nn.functional.avg_pool2d", "torch.nn.AvgPool2d"},
    {"torch.nn.functional.adaptive_avg_pool2d", "torch.nn.AdaptiveAvgPool2d"},
    {"torch.nn.functional.adaptive_max_pool2d", "torch.nn.AdaptiveMaxPool2d"},
    {"torch.nn.functional.dropout", "torch.nn.Dropout"},
    {"torch.nn.functional.dropout2d", "torch.nn.Dropout2d"},
    {"torch.nn.functional.local_response_norm", "torch.nn.LocalResponseNorm"},
    {"torch.nn.functional.interpolate", "torch.nn.Upsample"},
    {"torch.relu", "torch.nn.ReLU"},
    {"torch.sigmoid", "torch.nn.Sigmoid"},
    {"torch.tanh", "torch.nn.Tanh"},
    {"torch.softmax", "torch.nn.Softmax"},
    {"torch.log_softmax", "torch.nn.LogSoftmax"},
    {"tensor.relu", "torch.nn.ReLU"},
    {"tensor.sigmoid", "torch.nn.Sigmoid"},
    {"tensor.tanh", "torch.nn.Tanh"},
    {"tensor.softmax", "torch.nn.Softmax"},
    {"tensor.log_softmax", "torch.nn.LogSoftmax"}};

bool is_method(const Native &native) { return native.path.rfind("tensor.", 0) == 0; }

/// The tensor that a function or method works on; null for data, which are not known here.
KerasTensor *input_of(const Call &call) {
  const Value &value = is_method(call.native) ? call.self : call.arguments["input"];
  if (object<Opaque>(value) || object<DataArray>(value))
    return nullptr;
  KerasTensor *tensor = object<KerasTensor>(value);
  if (!tensor)
    throw CompileError(call.location, "{} needs a tensor, got {}", call.native.path,
                       describe(value));
  return tensor;
}

Value unknown(Interpreter &interpreter, const Call &call) {
  return interpreter.opaque(std::string(call.native.path), call.location);
}

using Named = std::vector<std::pair<std::string, Value>>;

Value apply_to_input(Interpreter &interpreter, const Call &call, std::string_view layer,
                     const Named &arguments) {
  KerasTensor *tensor = input_of(call);
  if (!tensor)
    return unknown(interpreter, call);
  return interpreter.keras().apply_operation(layer, arguments, {tensor}, call.location);
}

Value call_functional(Interpreter &interpreter, const Call &call) {
  const auto *entry = std::find_if(std::begin(kFunctional), std::end(kFunctional),
                                   [&](const auto &f) { return f.path == call.native.path; });
  // F.dropout(x, training=False); self.training is not known and means what it says.
  if (call.arguments.has("training"))
    if (const auto *training = std::get_if<bool>(&call.arguments["training"]);
        training && !*training)
      return call.arguments["input"];
  Named arguments;
  for (const ArgumentSpec &spec : layer_type(entry->layer).native.arguments)
    if (call.arguments.has(spec.name) && call.arguments.given(spec.name))
      arguments.emplace_back(spec.name, call.arguments[spec.name]);
  return apply_to_input(interpreter, call, entry->layer, arguments);
}

/// x.view(x.size(0), -1), x.reshape(-1, 16, 5, 5): the first extent is the batch.
Value call_view(Interpreter &interpreter, const Call &call) {
  const std::vector<Value> &given = call.arguments.items("shape");
  const bool wrapped = given.size() == 1 && sequence_items(given[0]);
  const Value shape = wrapped ? given[0] : Value(interpreter.tuple(given));
  return apply_to_input(interpreter, call, "keras.ops.Reshape", {{"shape", shape}});
}

Value call_flatten(Interpreter &interpreter, const Call &call) {
  return apply_to_input(
      interpreter, call, "torch.nn.Flatten",
      {{"start_dim", call.arguments["start_dim"]}, {"end_dim", call.arguments["end_dim"]}});
}

template <char const *layer> Value call_reduction(Interpreter &interpreter, const Call &call) {
  return apply_to_input(interpreter, call, layer,
                        {{"axis", call.arguments["dim"]}, {"keepdims", call.arguments["keepdim"]}});
}
constexpr char kMean[] = "keras.ops.Mean";
constexpr char kSum[] = "keras.ops.Sum";

/// x.size() and x.size(1); the batch is None.
Value call_size(Interpreter &interpreter, const Call &call) {
  const Value shape = attribute(interpreter, call.self, "shape", call.location);
  return call.arguments.is_none("dim")
             ? shape
             : subscript(interpreter, shape, call.arguments["dim"], call.location);
}

Value call_permute(Interpreter &interpreter, const Call &call) {
  const std::vector<Value> &given = call.arguments.items("dims");
  const bool wrapped = given.size() == 1 && sequence_items(given[0]);
  return apply_to_input(interpreter, call, "keras.ops.Transpose",
                        {{"axes", wrapped ? given[0] : Value(interpreter.tuple(given))}});
}

Value call_unsqueeze(Interpreter &interpreter, const Call &call) {
  return apply_to_input(interpreter, call, "keras.ops.ExpandDims",
                        {{"axis", call.arguments["dim"]}});
}

Value call_squeeze(Interpreter &interpreter, const Call &call) {
  return apply_to_input(interpreter, call, "keras.ops.Squeeze", {{"axis", call.arguments["dim"]}});
}

/// x.contiguous(), x.to(device)
Value call_self(Interpreter &, const Call &call) { return call.self; }

Value call_cat(Interpreter &interpreter, const Call &call) {
  return interpreter.keras().apply_operation(
      "keras.layers.Concatenate", {{"axis", call.arguments["dim"]}},
      tensor_arguments(interpreter, call, "tensors"), call.location);
}

/// F.pad(x, (left, right, top, bottom))
Value call_pad(Interpreter &interpreter, const Call &call) {
  return apply_to_input(interpreter, call, "torch.nn.ZeroPad2d",
                        {{"padding", call.arguments["pad"]}});
}

/// torch.randn(1, 3, 224, 224), torch.rand(size=(1, 3, 224, 224)): an example, whose shape is known
/// and whose values are not.
Value call_example(Interpreter &interpreter, const Call &call) {
  std::vector<Value> given = call.arguments.items("extents");
  if (!call.arguments.is_none("size"))
    given.push_back(call.arguments["size"]);
  const std::vector<Value> *items = given.size() == 1 ? sequence_items(given[0]) : nullptr;
  Opaque *example = interpreter.make<Opaque>(std::string(call.native.path), call.location);
  for (const Value &item : items ? *items : given) {
    const auto *extent = std::get_if<int64_t>(&item);
    if (!extent || *extent < 1)
      return interpreter.opaque(std::string(call.native.path), call.location);
    example->shape.push_back(*extent);
  }
  return example;
}

Specs with_input(Specs arguments) {
  arguments.insert(arguments.begin(), required("input", Kind::any));
  return arguments;
}

} // namespace

std::vector<Native> torch_function_natives() {
  std::vector<Native> all;
  for (const FunctionalLayer &function : kFunctional) {
    const Native &layer = layer_type(function.layer).native;
    const bool method = function.path.rfind("tensor.", 0) == 0;
    all.push_back(
        {function.path, method ? layer.arguments : with_input(layer.arguments), call_functional});
  }
  const Specs shape = {optional("shape", Kind::rest)};
  const Specs dims = {optional("dims", Kind::rest)};
  const Specs dim = {required("dim", Kind::any)};
  const Specs any_dim = {optional("dim", Kind::any)};
  const Specs reduction = {optional("dim", Kind::any),
                           optional("keepdim", Kind::boolean, Value(false))};
  const Specs ends = {optional("start_dim", Kind::integer, 0),
                      optional("end_dim", Kind::integer, -1)};
  const Specs anything = {optional("values", Kind::rest), optional("options", Kind::keywords)};
  const Specs size = {optional("extents", Kind::rest), optional("size", Kind::any),
                      optional("options", Kind::keywords)};
  const Specs tensors = {required("tensors", Kind::any), optional("dim", Kind::integer, 0)};
  for (Native native : std::vector<Native>{
           {"tensor.view", shape, call_view},
           {"tensor.reshape", shape, call_view},
           {"tensor.flatten", ends, call_flatten},
           {"torch.flatten", with_input(ends), call_flatten},
           {"tensor.mean", reduction, call_reduction<kMean>},
           {"torch.mean", with_input(reduction), call_reduction<kMean>},
           {"tensor.sum", reduction, call_reduction<kSum>},
           {"torch.sum", with_input(reduction), call_reduction<kSum>},
           {"tensor.size", any_dim, call_size},
           {"tensor.permute", dims, call_permute},
           {"tensor.unsqueeze", dim, call_unsqueeze},
           {"torch.unsqueeze", with_input(dim), call_unsqueeze},
           {"tensor.squeeze", any_dim, call_squeeze},
           {"torch.squeeze", with_input(any_dim), call_squeeze},
           {"tensor.contiguous", {}, call_self},
           {"tensor.to", anything, call_self},
           {"torch.cat", tensors, call_cat},
           {"torch.concat", tensors, call_cat},
           {"torch.nn.functional.pad",
            with_input({required("pad", Kind::any), choice("mode", "constant", "constant"),
                        optional("value", Kind::unsupported, 0)}),
            call_pad},
           {"torch.randn", size, call_example},
           {"torch.rand", size, call_example},
           {"torch.zeros", size, call_example},
           {"torch.ones", size, call_example}})
    all.push_back(std::move(native));
  return all;
}

} // namespace sinter

// torch.nn.functional, functions of torch, and the methods of tensors: each makes and applies a
// layer of torch.nn, or one of layers_tensor.cpp.
#include "frontend/interpreter.h"
#include "frontend/keras_session.h"
#include "frontend/layer_table.h"
#include "frontend/modules.h"
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
  const Value &value = is_method(call.native)         ? call.self
                       : call.arguments.has("tensor") ? call.arguments["tensor"]
                                                      : call.arguments["input"];
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

/// x.transpose(1, 2), torch.transpose(x, 1, 2)
Value call_transpose(Interpreter &interpreter, const Call &call) {
  const KerasTensor *tensor = input_of(call);
  if (!tensor)
    return unknown(interpreter, call);
  const int64_t rank = interpreter.keras().graph().type(tensor->node).rank();
  std::vector<Value> axes;
  for (int64_t i = 0; i < rank; ++i)
    axes.emplace_back(i);
  const auto axis = [&](const char *name) {
    const int64_t given = call.arguments.integer(name);
    if (given < -rank || given >= rank)
      throw CompileError(call.location, "{} has no dimension {} in {}", call.native.path, given,
                         rank);
    return static_cast<size_t>(given < 0 ? given + rank : given);
  };
  std::swap(axes[axis("dim0")], axes[axis("dim1")]);
  return apply_to_input(interpreter, call, "keras.ops.Transpose",
                        {{"axes", interpreter.tuple(std::move(axes))}});
}

/// The parts of x along a dimension, of those extents.
Value split_along(Interpreter &interpreter, const Call &call, int64_t dim,
                  const std::vector<int64_t> &extents) {
  const int64_t rank = interpreter.keras().graph().type(input_of(call)->node).rank();
  std::vector<Value> index(static_cast<size_t>(rank),
                           interpreter.make<Slice>(None{}, None{}, None{}));
  std::vector<Value> parts;
  int64_t begin = 0;
  for (const int64_t extent : extents) {
    index[static_cast<size_t>(dim)] = interpreter.make<Slice>(begin, begin + extent, None{});
    parts.push_back(
        subscript(interpreter, input_of(call), interpreter.tuple(index), call.location));
    begin += extent;
  }
  return interpreter.tuple(std::move(parts));
}

/// x.chunk(2, dim=1), torch.split(x, 4, dim=1), x.split([4, 8], dim=1)
Value call_split(Interpreter &interpreter, const Call &call) {
  const KerasTensor *tensor = input_of(call);
  if (!tensor)
    return unknown(interpreter, call);
  const Shape &shape = interpreter.keras().graph().type(tensor->node).shape;
  const auto rank = static_cast<int64_t>(shape.size());
  const int64_t given = call.arguments.integer("dim");
  const int64_t dim = given < 0 ? given + rank : given;
  if (dim < 1 || dim >= rank)
    throw CompileError(call.location, "{} along dimension {} of {} is not supported",
                       call.native.path, given, str(shape));
  const int64_t length = shape[static_cast<size_t>(dim)];
  const bool chunks = call.native.name() == "chunk";
  const Value &size = call.arguments[chunks ? "chunks" : "split_size_or_sections"];
  std::vector<int64_t> extents;
  int64_t rest = length;
  const std::vector<Value> *sections = chunks ? nullptr : sequence_items(size);
  const auto *number = std::get_if<int64_t>(&size);
  const int64_t step = number && *number > 0 ? (chunks ? (length - 1) / *number + 1 : *number) : 0;
  for (size_t i = 0; sections ? i < sections->size() : step > 0 && rest > 0; ++i) {
    const auto *section = sections ? std::get_if<int64_t>(&(*sections)[i]) : nullptr;
    extents.push_back(sections ? (section ? *section : 0) : std::min(step, rest));
    rest -= extents.back();
  }
  if (extents.empty() || rest != 0 || *std::min_element(extents.begin(), extents.end()) < 1)
    throw CompileError(call.location, "{} cannot divide {} into {}", call.native.path, length,
                       describe(size));
  return split_along(interpreter, call, dim, extents);
}

/// x.expand_as(y), of what broadcasts to y
Value call_expand_as(Interpreter &interpreter, const Call &call) {
  KerasTensor *tensor = input_of(call);
  KerasTensor *other = object<KerasTensor>(call.arguments["other"]);
  if (!tensor || !other)
    return unknown(interpreter, call);
  const Graph &graph = interpreter.keras().graph();
  const Shape &target = graph.type(other->node).shape;
  const Shape &shape = graph.type(tensor->node).shape;
  if (shape.size() != target.size() || broadcast_shapes(shape, target) != target)
    throw CompileError(call.location, "expand_as: {} does not expand to {}", str(shape),
                       str(target));
  return interpreter.keras().apply_operation("keras.ops.ExpandAs", {}, {tensor, other},
                                             call.location);
}

/// torch.cuda.is_available(): the program runs on processors.
Value call_is_available(Interpreter &, const Call &) { return false; }
Value call_device_count(Interpreter &, const Call &) { return int64_t{0}; }

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

/// What is in an example, if a Parameter is made of it.
InitialValues initial_values(std::string_view function) {
  if (function == "randn")
    return {"normal", 0, 1};
  if (function == "rand")
    return {"uniform", 0, 1};
  return {function == "ones" ? "ones" : "zeros"};
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
  example->start = initial_values(call.native.name());
  return example;
}

/// torch.full((3, 4), 0.5)
Value call_full(Interpreter &interpreter, const Call &call) {
  CallArguments size;
  size.positional = {call.arguments["size"]};
  const Native &ones = *find_native("torch.ones");
  const Value example = call_example(
      interpreter, {ones, bind(interpreter, ones, size, call.location), call.location});
  const Opaque *known = object<Opaque>(example);
  return known && known->start
             ? Value(scaled_example(interpreter, *known, call.arguments.number("fill_value")))
             : example;
}

Specs with_input(Specs arguments) {
  arguments.insert(arguments.begin(), required("input", Kind::any));
  return arguments;
}

/// What changes a tensor's shape, or takes parts of it.
std::vector<Native> shape_natives() {
  const Specs shape = {optional("shape", Kind::rest)};
  const Specs dims = {optional("dims", Kind::rest)};
  const Specs dim = {required("dim", Kind::any)};
  const Specs any_dim = {optional("dim", Kind::any)};
  const Specs ends = {optional("start_dim", Kind::integer, 0),
                      optional("end_dim", Kind::integer, -1)};
  const Specs axes = {required("dim0", Kind::integer), required("dim1", Kind::integer)};
  const Specs chunks = {required("chunks", Kind::positive), optional("dim", Kind::integer, 0)};
  const Specs sections = {required("split_size_or_sections", Kind::any),
                          optional("dim", Kind::integer, 0)};
  return {{"tensor.view", shape, call_view},
          {"tensor.reshape", shape, call_view},
          {"tensor.flatten", ends, call_flatten},
          {"torch.flatten", with_input(ends), call_flatten},
          {"tensor.size", any_dim, call_size},
          {"tensor.permute", dims, call_permute},
          {"tensor.unsqueeze", dim, call_unsqueeze},
          {"torch.unsqueeze", with_input(dim), call_unsqueeze},
          {"tensor.squeeze", any_dim, call_squeeze},
          {"torch.squeeze", with_input(any_dim), call_squeeze},
          {"tensor.transpose", axes, call_transpose},
          {"torch.transpose", with_input(axes), call_transpose},
          {"tensor.chunk", chunks, call_split},
          {"torch.chunk", with_input(chunks), call_split},
          {"tensor.split", sections, call_split},
          {"torch.split", {required("tensor", Kind::any), sections[0], sections[1]}, call_split},
          {"tensor.expand_as", {required("other", Kind::any)}, call_expand_as}};
}

} // namespace

std::vector<Native> torch_function_natives() {
  std::vector<Native> all = shape_natives();
  for (const FunctionalLayer &function : kFunctional) {
    const Native &layer = layer_type(function.layer).native;
    const bool method = function.path.rfind("tensor.", 0) == 0;
    all.push_back(
        {function.path, method ? layer.arguments : with_input(layer.arguments), call_functional});
  }
  const Specs reduction = {optional("dim", Kind::any),
                           optional("keepdim", Kind::boolean, Value(false))};
  const Specs anything = {optional("values", Kind::rest), optional("options", Kind::keywords)};
  const Specs size = {optional("extents", Kind::rest), optional("size", Kind::any),
                      optional("options", Kind::keywords)};
  const Specs tensors = {required("tensors", Kind::any), optional("dim", Kind::integer, 0)};
  for (Native native : std::vector<Native>{
           {"tensor.mean", reduction, call_reduction<kMean>},
           {"torch.mean", with_input(reduction), call_reduction<kMean>},
           {"tensor.sum", reduction, call_reduction<kSum>},
           {"torch.sum", with_input(reduction), call_reduction<kSum>},
           {"tensor.contiguous", {}, call_self},
           {"tensor.clone", {}, call_self},
           {"tensor.to", anything, call_self},
           {"torch.cuda.is_available", {}, call_is_available},
           {"torch.cuda.device_count", {}, call_device_count},
           {"torch.accelerator.is_available", {}, call_is_available},
           {"torch.backends.mps.is_available", {}, call_is_available},
           {"torch.cat", tensors, call_cat},
           {"torch.concat", tensors, call_cat},
           {"torch.nn.functional.pad",
            with_input({required("pad", Kind::any), choice("mode", "constant", "constant"),
                        optional("value", Kind::unsupported, 0)}),
            call_pad},
           {"torch.randn", size, call_example},
           {"torch.rand", size, call_example},
           {"torch.zeros", size, call_example},
           {"torch.empty", size, call_example},
           {"torch.full",
            {required("size", Kind::any), required("fill_value", Kind::number),
             optional("options", Kind::keywords)},
            call_full},
           {"torch.ones", size, call_example}})
    all.push_back(std::move(native));
  return all;
}

} // namespace sinter

// object.name
#include "frontend/classes.h"
#include "frontend/data_array.h"
#include "frontend/interpreter.h"
#include "frontend/keras_session.h"
#include "frontend/layer_table.h"
#include "frontend/modules.h"
#include "frontend/tensorflow_data.h"
#include "frontend/torch_modules.h"

namespace sinter {

namespace {

Value tensor_list(Interpreter &interpreter, const std::vector<KerasTensor *> &tensors) {
  return interpreter.list({tensors.begin(), tensors.end()});
}

/// One tensor alone, several as a list.
Value tensors(Interpreter &interpreter, const std::vector<KerasTensor *> &values) {
  return values.size() == 1 ? Value(values[0]) : tensor_list(interpreter, values);
}

std::optional<Value> tensor_attribute(Interpreter &interpreter, const KerasTensor &tensor,
                                      const std::string &name) {
  const Shape &shape = interpreter.keras().graph().type(tensor.node).shape;
  if (name == "data")
    return const_cast<KerasTensor *>(&tensor);
  if (name == "ndim")
    return static_cast<int64_t>(shape.size());
  if (name != "shape")
    return std::nullopt;
  std::vector<Value> dims;
  for (const int64_t extent : shape)
    dims.push_back(extent == kBatch ? Value(None{}) : Value(extent));
  return interpreter.tuple(std::move(dims));
}

std::optional<Value> layer_attribute(Interpreter &interpreter, const Layer &layer,
                                     const std::string &name, const SourceLocation &location) {
  if (name == "name")
    return layer.name;
  if (name == "trainable")
    return layer.trainable;
  if (name == "__class__" && layer.type)
    return &layer.type->native;
  if (is_torch_module(layer)) {
    if (name == "training")
      return interpreter.opaque("the training flag", location);
    const bool without =
        name == "bias" && layer.arguments.has("bias") && !layer.arguments.boolean("bias");
    if (name == "weight" || name == "bias") {
      Opaque *parameter = interpreter.make<Opaque>("a module's " + name, location);
      parameter->module = const_cast<Layer *>(&layer);
      parameter->parameter = name;
      return without ? Value(None{}) : Value(parameter);
    }
  }
  if (name == "weights" || name == "kernel" || name == "bias" || name == "variables" ||
      name == "trainable_weights" || name == "trainable_variables")
    return interpreter.opaque(name, location);
  if (name == "output" || name == "input") {
    if (layer.calls.size() != 1)
      throw CompileError(location, "layer '{}' was called {} times: it has no single {}",
                         layer.name, layer.calls.size(), name);
    return name == "output" ? Value(layer.calls[0]->outputs[0])
                            : tensors(interpreter, layer.calls[0]->inputs);
  }
  if (!layer.arguments.has(name))
    return std::nullopt;
  const Value &argument = layer.arguments[name];
  const bool of_window =
      name == "kernel_size" || name == "stride" || name == "padding" || name == "dilation";
  if (of_window && layer.arguments.has("in_channels") && std::holds_alternative<int64_t>(argument))
    return interpreter.tuple({argument, argument}); // torch's 2-D convolutions keep pairs
  return argument;
}

std::optional<Value> model_attribute(Interpreter &interpreter, const KerasModel &model,
                                     const std::string &name, const SourceLocation &location) {
  if (name == "layers") {
    std::vector<Value> layers;
    for (Layer *layer : model.layers)
      layers.push_back(layer_value(*layer));
    return interpreter.list(std::move(layers));
  }
  const bool output = name == "output" || name == "outputs";
  if (output || name == "input" || name == "inputs") {
    const std::vector<KerasTensor *> &values = output ? model.outputs : model.inputs;
    if (values.empty())
      throw CompileError(location, "model '{}' has no {} before its input shape is known",
                         model.layer.name, name);
    return name.back() == 's' ? tensor_list(interpreter, values) : tensors(interpreter, values);
  }
  if (name == "history" || name == "metrics_names" || name == "optimizer" || name == "metrics")
    return interpreter.opaque("model." + name, location);
  return layer_attribute(interpreter, model.layer, name, location);
}

std::optional<Value> find_attribute(Interpreter &interpreter, const Value &value,
                                    const std::string &name, const SourceLocation &location) {
  if (const Layer *layer = object<Layer>(value))
    return layer_attribute(interpreter, *layer, name, location);
  if (const KerasModel *model = object<KerasModel>(value))
    return model_attribute(interpreter, *model, name, location);
  if (const KerasTensor *tensor = object<KerasTensor>(value))
    return tensor_attribute(interpreter, *tensor, name);
  if (const DataArray *array = object<DataArray>(value)) {
    if (std::optional<Value> found = array_attribute(interpreter, *array, name))
      return found;
    return interpreter.opaque(fmt::format("{}.{}", array->str(), name), location);
  }
  const Function *function = object<Function>(value);
  if (function && name == "__name__")
    return function->name;
  if (const auto *native = std::get_if<const Native *>(&value); native && name == "__name__")
    return std::string((*native)->name());
  if (const Configured *configured = object<Configured>(value))
    if (const std::optional<Value> found = dataset_attribute(interpreter, *configured, name))
      return found;
  if (dataset_contents(value))
    return interpreter.opaque("a Dataset's " + name, location);
  if (const Configured *configured = object<Configured>(value))
    if (configured->arguments.has(name))
      return configured->arguments[name];
  return std::nullopt;
}

/// What changes a parameter of a torch module in place: it must not be passed over.
const Native *parameter_method(const Opaque &parameter, const std::string &name,
                               const SourceLocation &location) {
  const Native *method = find_native("parameter." + name);
  if (!method)
    throw CompileError(location, "{} has no method '{}' that a model script can use",
                       parameter.origin, name);
  return method;
}

} // namespace

Value attribute(Interpreter &interpreter, const Value &value, const std::string &name,
                const SourceLocation &location) {
  if (Opaque *unknown = object<Opaque>(value)) {
    if (unknown->criterion && name == "backward")
      return interpreter.make<BoundMethod>(value, find_native("unknown value.backward"));
    if (!unknown->parameter.empty() && name.size() > 1 && name.back() == '_' && name[0] != '_')
      return interpreter.make<BoundMethod>(value, parameter_method(*unknown, name, location));
    return unknown->start ? example_attribute(interpreter, *unknown, name) : value;
  }
  if (const auto *module = std::get_if<ModuleName>(&value))
    return resolve_name(module->path + '.' + name);
  if (const std::optional<Value> found = object_attribute(interpreter, value, name, location))
    return *found;
  const Super *super = object<Super>(value);
  if (super || instance_of(value)) {
    const Value &self = super ? super->self : value;
    if (const Native *method = super ? find_native("sequential." + name) : nullptr;
        method && sequential_parts(self))
      return interpreter.make<BoundMethod>(self, method);
    if (const Native *method = find_native(type_name(self) + '.' + name))
      return interpreter.make<BoundMethod>(self, method);
    if (super)
      throw CompileError(location, "super() has no attribute '{}' that a model script can use",
                         name);
  }
  if (const Native *method = find_native(type_name(value) + '.' + name))
    return interpreter.make<BoundMethod>(value, method);
  if (const std::optional<Value> found = find_attribute(interpreter, value, name, location))
    return *found;
  throw CompileError(location, "{} has no attribute '{}' that a model script can use",
                     describe(value), name);
}

} // namespace sinter

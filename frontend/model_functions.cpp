// Functions and methods that make, change and inspect models.
#include "frontend/data_array.h"
#include "frontend/interpreter.h"
#include "frontend/keras_session.h"
#include "frontend/layer_table.h"
#include "frontend/layer_tree.h"
#include "frontend/modules.h"
#include "frontend/training.h"

namespace sinter {

namespace {

KerasModel &self(const Call &call) { return *object<KerasModel>(call.self); }

Value make_sequential(Interpreter &interpreter, const Call &call) {
  KerasModel *model = interpreter.keras().make_sequential(call.arguments["name"], call.location);
  if (!call.arguments.is_none("layers"))
    for (const Value &layer : interpreter.iterate(call.arguments["layers"], call.location)) {
      const Layer *known = object<Layer>(layer);
      interpreter.keras().add(*model, layer, known ? known->location : call.location);
    }
  return model;
}

} // namespace

std::vector<KerasTensor *> tensor_arguments(Interpreter &interpreter, const Call &call,
                                            const char *name) {
  const Value &value = call.arguments[name];
  std::vector<KerasTensor *> result;
  const auto items = [&]() -> std::vector<Value> {
    if (const Dict *dict = object<Dict>(value)) {
      std::vector<Value> values;
      for (const auto &[key, item] : dict->items)
        values.push_back(item);
      return values;
    }
    return sequence_items(value) ? interpreter.iterate(value, call.location)
                                 : std::vector<Value>{value};
  };
  for (const Value &item : items()) {
    if (const Opaque *unknown = object<Opaque>(item))
      fail_unknown(*unknown, call.location, fmt::format("the {} of this model", name));
    KerasTensor *tensor = object<KerasTensor>(item);
    if (!tensor)
      throw CompileError(call.location, "the {} of a model must be tensors, got {}", name,
                         describe(item));
    result.push_back(tensor);
  }
  if (result.empty())
    throw CompileError(call.location, "a model needs {}", name);
  return result;
}

namespace {

Value make_model(Interpreter &interpreter, const Call &call) {
  const std::vector<KerasTensor *> inputs = tensor_arguments(interpreter, call, "inputs");
  KerasModel *model =
      interpreter.keras().make_functional(inputs, tensor_arguments(interpreter, call, "outputs"),
                                          call.arguments["name"], call.location);
  if (const Dict *dict = object<Dict>(call.arguments["outputs"]))
    for (const auto &[key, output] : dict->items)
      model->output_names.push_back(to_text(key));
  return model;
}

Value make_input(Interpreter &interpreter, const Call &call) {
  interpreter.require_certain(call.location, "making an input");
  const Arguments &arguments = call.arguments;
  const bool batched = arguments.is_none("shape");
  if (batched && arguments.is_none("batch_shape"))
    throw CompileError(call.location, "Input needs shape");
  const Shape shape =
      shape_from_value(arguments[batched ? "batch_shape" : "shape"], batched, call.location);
  return interpreter.keras().make_input(shape, arguments["name"], call.location);
}

/// keras.layers.add([a, b]): the layer of the same name, made and called.
Value merge_tensors(Interpreter &interpreter, const Call &call) {
  const std::string_view name = call.native.name();
  const std::string path =
      fmt::format("keras.layers.{}{}", static_cast<char>(name[0] & ~0x20), name.substr(1));
  std::vector<std::pair<std::string, Value>> arguments{{"name", call.arguments["name"]}};
  if (name == "concatenate")
    arguments.emplace_back("axis", call.arguments["axis"]);
  return interpreter.keras().apply_operation(
      path, arguments, tensor_arguments(interpreter, call, "inputs"), call.location);
}

Value clear_session(Interpreter &interpreter, const Call &) {
  interpreter.keras().forget_names();
  return None{};
}

Value fuzz_factor(Interpreter &, const Call &) { return 1e-7; }
Value image_data_format(Interpreter &, const Call &) { return std::string("channels_last"); }

/// A file that this script saved is the model it saved.
Value load_model_file(Interpreter &interpreter, const Call &call) {
  const Value &path = call.arguments["filepath"];
  if (KerasModel *model = interpreter.keras().find_saved(to_text(path)))
    return model;
  throw CompileError(call.location,
                     "load_model({}): this script saves no such file; compile the "
                     "saved model itself instead",
                     describe(path));
}

// ---- methods -----------------------------------------------------------------------------------

Value model_add(Interpreter &interpreter, const Call &call) {
  KerasModel &model = self(call);
  if (!model.sequential)
    throw CompileError(call.location, "layers can only be added to a Sequential model");
  const Layer *known = object<Layer>(call.arguments["layer"]);
  interpreter.keras().add(model, call.arguments["layer"], known ? known->location : call.location);
  return None{};
}

Value model_pop(Interpreter &interpreter, const Call &call) {
  interpreter.keras().pop(self(call), call.location);
  return None{};
}

Value model_build(Interpreter &interpreter, const Call &call) {
  interpreter.require_certain(call.location, "building this model");
  interpreter.keras().build(
      self(call),
      shape_from_value(call.arguments["input_shape"], /*with_batch=*/true, call.location),
      call.location);
  return None{};
}

/// `sinter summary` prints the table.
Value model_summary(Interpreter &, const Call &) { return None{}; }

Value model_get_layer(Interpreter &, const Call &call) {
  const std::vector<Layer *> &layers = self(call).layers;
  if (!call.arguments.is_none("index")) {
    const int64_t index = call.arguments.integer("index");
    if (index < 0 || index >= static_cast<int64_t>(layers.size()))
      throw CompileError(call.location, "index {} is outside the {} layers of model '{}'", index,
                         layers.size(), self(call).layer.name);
    return layer_value(*layers[static_cast<size_t>(index)]);
  }
  std::vector<std::string_view> names;
  for (Layer *layer : layers) {
    if (equal(call.arguments["name"], layer->name))
      return layer_value(*layer);
    names.push_back(layer->name);
  }
  throw CompileError(call.location, "model '{}' has no layer {}{}", self(call).layer.name,
                     describe(call.arguments["name"]),
                     suggestion(to_text(call.arguments["name"]), names));
}

Value count_params(Interpreter &interpreter, const Call &call) {
  int64_t count = 0;
  for (const Layer *layer : all_layers(interpreter, *layer_of_object(call.self), call.location))
    for (const NodeId parameter : layer->parameters)
      count += interpreter.keras().graph().type(parameter).elements();
  return count;
}

Value model_save(Interpreter &interpreter, const Call &call) {
  interpreter.skip(call.location, "saving is skipped: the program writes its weights itself");
  interpreter.keras().remember_saved(to_text(call.arguments["filepath"]), self(call));
  return None{};
}

Value model_load_weights(Interpreter &interpreter, const Call &call) {
  const Value &path = call.arguments["filepath"];
  const KerasModel *saved = interpreter.keras().find_saved(to_text(path));
  if (!saved)
    throw CompileError(call.location,
                       "load_weights({}): this script saves no such file; use --weights=FILE "
                       "instead",
                       describe(path));
  if (saved != &self(call))
    self(call).loaded = call.location;
  interpreter.skip(call.location, "loading weights is skipped: the program keeps its best itself");
  return None{};
}

/// Weights and configurations are not known when compiling.
Value unknown_result(Interpreter &interpreter, const Call &call) {
  return interpreter.opaque(std::string(call.native.name()), call.location);
}

std::vector<Native> constructors() {
  using Kind = ArgumentKind;
  const ArgumentSpec name = optional("name", Kind::text);
  std::vector<Native> natives = {
      {"keras.models.Sequential",
       {optional("layers", Kind::any), optional("trainable", Kind::unsupported, Value(true)), name},
       make_sequential},
      {"keras.models.Model",
       {required("inputs", Kind::any), required("outputs", Kind::any), name},
       make_model},
      {"keras.models.load_model",
       {required("filepath", Kind::any), optional("options", Kind::keywords)},
       load_model_file},
      {"keras.layers.Input",
       {optional("shape", Kind::any), optional("batch_size", Kind::ignored),
        optional("dtype", Kind::ignored), optional("sparse", Kind::unsupported, Value(false)),
        optional("batch_shape", Kind::any), name, optional("tensor", Kind::unsupported)},
       make_input},
      {"keras.backend.epsilon", {}, fuzz_factor},
      {"keras.backend.image_data_format", {}, image_data_format},
      {"keras.backend.clear_session", {optional("free_memory", Kind::ignored)}, clear_session},
      {"keras.utils.clear_session", {optional("free_memory", Kind::ignored)}, clear_session},
      {"keras.layers.concatenate",
       {required("inputs", Kind::any), optional("axis", Kind::integer, -1), name},
       merge_tensors}};
  for (const char *path : {"keras.layers.add", "keras.layers.subtract", "keras.layers.multiply",
                           "keras.layers.average", "keras.layers.maximum", "keras.layers.minimum"})
    natives.push_back({path, {required("inputs", Kind::any), name}, merge_tensors});
  return natives;
}

std::vector<Native> methods() {
  using Kind = ArgumentKind;
  const ArgumentSpec filepath = required("filepath", Kind::any);
  const std::vector<ArgumentSpec> anything = {optional("values", Kind::rest),
                                              optional("options", Kind::keywords)};
  return {
      {"model.add", {required("layer", Kind::any), optional("rebuild", Kind::ignored)}, model_add},
      {"model.pop", {optional("rebuild", Kind::ignored)}, model_pop},
      {"model.build", {required("input_shape", Kind::any)}, model_build},
      {"model.summary", anything, model_summary},
      {"model.get_layer",
       {optional("name", Kind::text), optional("index", Kind::integer)},
       model_get_layer},
      {"model.count_params", {}, count_params},
      {"model.save", {filepath, optional("options", Kind::keywords)}, model_save},
      {"model.save_weights", {filepath, optional("options", Kind::keywords)}, model_save},
      {"model.load_weights", {filepath, optional("options", Kind::keywords)}, model_load_weights},
      {"model.get_weights", {}, unknown_result},
      {"model.to_json", anything, unknown_result},
      {"layer.count_params", {}, count_params},
      {"layer.get_weights", {}, unknown_result}};
}

} // namespace

Value layer_value(Layer &layer) { return layer.model ? Value(layer.model) : Value(&layer); }

const std::vector<Native> &model_natives() {
  static const std::vector<Native> natives = [] {
    std::vector<Native> all;
    for (auto *family : {constructors, methods, training_methods, object_methods})
      for (Native &native : family())
        all.push_back(std::move(native));
    return all;
  }();
  return natives;
}

} // namespace sinter

// Layers and models of the script's classes: their calls run the script's call() on symbolic
// tensors, and look like one layer's call from outside.
#include "frontend/classes.h"
#include "frontend/data_array.h"
#include "frontend/interpreter.h"
#include "frontend/keras_session.h"
#include "frontend/layer_table.h"
#include "frontend/layer_tree.h"
#include "frontend/modules.h"
#include "frontend/torch_modules.h"

#include <algorithm>

namespace sinter {

namespace {

bool has_parameter(const Function &function, std::string_view name) {
  return std::any_of(function.parameters->begin(), function.parameters->end(),
                     [&](const Parameter &parameter) { return parameter.name == name; });
}

bool is_given(const CallArguments &arguments, std::string_view name) {
  return std::any_of(arguments.keywords.begin(), arguments.keywords.end(),
                     [&](const auto &keyword) { return keyword.first == name; });
}

} // namespace

Layer *layer_of_object(const Value &value) {
  if (Layer *layer = object<Layer>(value))
    return layer;
  KerasModel *model = object<KerasModel>(value);
  return model ? &model->layer : nullptr;
}

Value KerasSession::make_object(Instance &instance, const SourceLocation &location) {
  const bool is_model = instance.type->native->path.rfind("keras.models.", 0) == 0;
  KerasModel *model = is_model ? interpreter_.make<KerasModel>() : nullptr;
  Layer *layer = is_model ? &model->layer : interpreter_.make<Layer>();
  layer->model = model;
  layer->instance = &instance;
  layer->location = location;
  if (model)
    model->sequential = instance.type->native->path == "keras.models.Sequential";
  return layer_value(*layer);
}

void KerasSession::register_object(const Value &value) {
  KerasModel *model = object<KerasModel>(value);
  if (model && std::find(models_.begin(), models_.end(), model) == models_.end())
    models_.push_back(model);
  if (Layer *layer = layer_of_object(value); layer && is_torch_module(*layer))
    torch.module = layer;
}

/// The shapes that build() is given: (None, 28, 28, 1), or a list of such.
Value KerasSession::shapes_of(const CallArguments &arguments, const SourceLocation &location) {
  std::vector<Value> shapes;
  for (KerasTensor *tensor : tensors_among(interpreter_, arguments, location))
    shapes.push_back(attribute(interpreter_, tensor, "shape", location));
  return shapes.size() == 1 ? shapes[0] : interpreter_.list(std::move(shapes));
}

/// Runs build() before the first call, then call(). The layers that it uses are noted, and their
/// parameters named behind this layer.
Value KerasSession::trace(Layer &layer, const CallArguments &arguments,
                          const SourceLocation &location) {
  if (!layer.instance)
    return trace_lambda(layer, arguments, location);
  const Class &type = *layer.instance->type;
  const Value self = layer_value(layer);
  const bool is_module = is_torch_module(layer);
  if (is_module && type.native->name() == "Sequential" && !find_method(type, "forward") &&
      arguments.positional.size() == 1) {
    enter_scope(layer);
    Value result = run_sequential(interpreter_, *layer.instance, arguments.positional[0], location);
    leave_scope();
    return result;
  }
  const char *name = is_module ? "forward" : "call";
  const Function *method = find_method(type, name);
  if (!method)
    throw CompileError(type.location, "class {} has no {}(self, ...)", type.name, name);
  enter_scope(layer);
  const Function *build = find_method(type, "build");
  if (build && !layer.built) {
    layer.built = true;
    const CallArguments shapes{{shapes_of(arguments, location)}, {}};
    interpreter_.call(bind_method(interpreter_, *build, self), shapes, location);
  }
  CallArguments given = arguments;
  if (has_parameter(*method, "training") && !is_given(arguments, "training"))
    given.keywords.emplace_back("training", interpreter_.opaque("training", location));
  Value result = interpreter_.call(bind_method(interpreter_, *method, self), given, location);
  leave_scope();
  return result;
}

/// layers.Lambda(function, arguments={...})
Value KerasSession::trace_lambda(Layer &layer, const CallArguments &arguments,
                                 const SourceLocation &location) {
  CallArguments given = arguments;
  if (const Dict *more = object<Dict>(layer.arguments["arguments"]))
    for (const auto &[name, value] : more->items)
      given.keywords.emplace_back(to_text(name), value);
  enter_scope(layer);
  Value result = interpreter_.call(layer.arguments["function"], given, location);
  leave_scope();
  return result;
}

Value KerasSession::call_object_layer(Layer &layer, const CallArguments &arguments,
                                      const SourceLocation &location) {
  interpreter_.charge(kStepsPerLayer, location);
  LayerCall *call = interpreter_.make<LayerCall>();
  call->layer = &layer;
  call->location = location;
  call->arguments = arguments;
  call->inputs = tensors_among(interpreter_, arguments, location);
  for (const Value &argument : arguments.positional)
    if (const Opaque *unknown = object<Opaque>(argument))
      fail_unknown(*unknown, location, fmt::format("the input of '{}'", layer.name));
  const bool outer = inference_;
  for (const auto &[name, value] : arguments.keywords) // training=False holds for all within
    if (const auto *flag = std::get_if<bool>(&value); name == "training" && flag)
      inference_ = inference_ || !*flag;
  const Value inner = trace(layer, arguments, location);
  std::vector<KerasTensor *> inner_outputs;
  const Value result = map_tensors(interpreter_, inner, location, [&](KerasTensor *tensor) {
    inner_outputs.push_back(tensor);
    call->outputs.push_back(interpreter_.make<KerasTensor>(tensor->node, call));
    return call->outputs.back();
  });
  if (call->outputs.empty())
    throw CompileError(location, "call() of '{}' returns {}, not a tensor", layer.name,
                       describe(inner));
  finish_call(*call);
  inference_ = outer;
  if (layer.model && layer.model->inputs.empty())
    set_network(*layer.model, call->inputs, inner_outputs, location);
  return result;
}

/// A model of a script's class: the network that its call() makes of an input of that shape.
void KerasSession::build_object(KerasModel &model, const Shape &input,
                                const SourceLocation &location) {
  KerasTensor *tensor = make_input(input, None{}, location);
  const Value result = trace(model.layer, {{tensor}, {}}, location);
  std::vector<KerasTensor *> outputs;
  map_tensors(interpreter_, result, location, [&](KerasTensor *output) {
    outputs.push_back(output);
    return output;
  });
  if (outputs.empty())
    throw CompileError(location, "call() of '{}' returns {}, not a tensor", model.layer.name,
                       describe(result));
  set_network(model, {tensor}, outputs, location);
}

void KerasSession::set_network(KerasModel &model, std::vector<KerasTensor *> inputs,
                               std::vector<KerasTensor *> outputs, const SourceLocation &location) {
  model.layers = map_network(inputs, outputs, location).layers;
  model.inputs = std::move(inputs);
  model.outputs = std::move(outputs);
}

void KerasSession::enter_scope(Layer &layer) {
  enter(layer);
  scopes_.push_back(&layer);
}

void KerasSession::leave_scope() { scopes_.pop_back(); }

/// Notes a layer's use in the call that is traced, and where its parameters' names start.
void KerasSession::enter(Layer &layer) {
  if (layer.scope.empty() && !scopes_.empty() && !is_torch_module(layer))
    layer.scope = scopes_.back()->path() + '/';
  if (scopes_.empty())
    return;
  std::vector<Layer *> &used = scopes_.back()->used;
  if (std::find(used.begin(), used.end(), &layer) == used.end())
    used.push_back(&layer);
}

// ---- modules of torch.nn -----------------------------------------------------------------------

bool KerasSession::is_part(const Layer &module, const SourceLocation &location) {
  if (!torch.module || torch.module == &module)
    return false;
  const std::vector<Layer *> tree = tracked_tree(interpreter_, *torch.module, location);
  return std::find(tree.begin(), tree.end(), &module) != tree.end();
}

KerasModel *KerasSession::build_module(Layer &module, const Shape &input,
                                       const SourceLocation &location) {
  interpreter_.require_certain(location, "building this module");
  name_modules(interpreter_, is_part(module, location) ? *torch.module : module, location);
  KerasModel *&model = torch.models[&module];
  if (!model) {
    model = interpreter_.make<KerasModel>();
    model->layer.model = model;
    model->layer.name = module.name;
    model->layer.location = module.location;
    models_.push_back(model);
  }
  KerasTensor *tensor = make_input(input, std::string("input"), location);
  std::vector<KerasTensor *> outputs;
  if (module.instance)
    map_tensors(interpreter_, trace(module, {{tensor}, {}}, location), location,
                [&](KerasTensor *output) {
                  outputs.push_back(output);
                  return output;
                });
  else
    outputs = apply(module, {tensor}, location);
  if (outputs.empty())
    throw CompileError(location, "forward() of '{}' returns no tensor", module.name);
  set_network(*model, {tensor}, outputs, location);
  return model;
}

/// model(torch.randn(1, 3, 224, 224)), model(images) of a loader's batch: an unknown value, of a
/// shape that says what the module's input is.
Value KerasSession::call_module_on_example(Layer &module, const Opaque &example,
                                           const SourceLocation &location) {
  Shape shape = example.loader ? example.loader->images->shape : example.shape;
  if (shape.size() < 2 && torch.models.empty())
    fail_unknown(example, location, fmt::format("the input of '{}'", module.name));
  if (shape.size() < 2) // a prediction after training
    return interpreter_.opaque(fmt::format("calling '{}'", module.name), location);
  shape[0] = kBatch;
  if (!example.loader || torch.models.count(&module) == 0)
    build_module(module, shape, location);
  KerasModel &model = *torch.models.at(&module);
  Opaque *prediction =
      interpreter_.make<Opaque>(fmt::format("calling '{}'", module.name), location);
  prediction->module = &module;
  prediction->loader = example.loader;
  prediction->shape = graph_.type(model.outputs[0]->node).shape;
  const auto known = [&](const SampleSet &set) { return set.images == example.loader->images; };
  if (example.loader && std::none_of(model.evaluated.begin(), model.evaluated.end(), known))
    model.evaluated.push_back(
        {example.loader->images, example.loader->labels, example.loader->location});
  return prediction;
}

KerasTensor *KerasSession::add_weight(Layer &layer, const WeightRequest &request,
                                      const SourceLocation &location) {
  ParameterAttrs attrs;
  attrs.name = layer.path() + '/' + request.name;
  attrs.role = request.trainable ? "weight" : "statistic";
  attrs.type = {ElementType::f32, request.shape};
  if (!checked_element_count(request.shape))
    throw CompileError(location, "a weight of shape {} is beyond the limit of {} elements",
                       str(request.shape), kMaxElements);
  set_initializer(attrs, request.initializer, location);
  return append_weight(layer, attrs, location);
}

KerasTensor *KerasSession::append_weight(Layer &layer, const ParameterAttrs &attrs,
                                         const SourceLocation &location) {
  const NodeId node = graph_.append(OpKind::parameter, {}, attrs, layer.path(), location);
  layer.parameters.push_back(node);
  LayerCall *origin = interpreter_.make<LayerCall>();
  origin->layer = &layer;
  origin->location = location;
  return interpreter_.make<KerasTensor>(node, origin, /*leaf=*/true);
}

// ---- what Layer and Model themselves do --------------------------------------------------------

namespace {

Layer &self_layer(const Call &call) { return *layer_of_object(call.self); }

/// super().__init__(name=None, trainable=True, ...); a Model's may bring its inputs and outputs.
Value initialize_object(Interpreter &interpreter, const Call &call) {
  Layer &layer = self_layer(call);
  const Arguments &arguments = call.arguments;
  SINTER_ASSERT(layer.instance, "__init__ of a layer that is no object of a script's class");
  if (layer.name.empty())
    layer.name = interpreter.keras().unique_name(layer.instance->type->name, arguments["name"]);
  if (layer.name.empty())
    throw CompileError(call.location, "the name of a layer must not be empty");
  if (!arguments.boolean("trainable"))
    set_trainable(interpreter, layer, false, call.location);
  if (arguments.has("inputs") && !arguments.is_none("inputs"))
    interpreter.keras().set_network(*layer.model, tensor_arguments(interpreter, call, "inputs"),
                                    tensor_arguments(interpreter, call, "outputs"), call.location);
  if (arguments.has("layers") && !arguments.is_none("layers"))
    for (const Value &inner : interpreter.iterate(arguments["layers"], call.location))
      interpreter.keras().add(*layer.model, inner, call.location);
  return None{};
}

Shape weight_shape(const Value &value, const SourceLocation &location) {
  Shape shape;
  const std::vector<Value> *items = sequence_items(value);
  for (const Value &item : items ? *items : std::vector<Value>{value}) {
    const auto *extent = std::get_if<int64_t>(&item);
    if (!extent || *extent < 1)
      throw CompileError(location, "add_weight needs a shape of positive integers, got {}",
                         describe(value));
    shape.push_back(*extent);
  }
  return shape;
}

/// add_weight(shape, initializer, dtype) of Keras 3; Keras 2 has (name, shape, dtype, initializer).
Value call_add_weight(Interpreter &interpreter, const Call &call) {
  interpreter.require_certain(call.location, "add_weight()");
  Layer &layer = self_layer(call);
  const Arguments &arguments = call.arguments;
  const std::vector<Value> &positional = arguments.items("values");
  const bool keras_2 = !positional.empty() && std::holds_alternative<std::string>(positional[0]);
  const std::vector<std::string_view> order =
      keras_2 ? std::vector<std::string_view>{"name", "shape", "dtype", "initializer"}
              : std::vector<std::string_view>{"shape", "initializer", "dtype"};
  if (positional.size() > order.size())
    throw CompileError(call.location, "add_weight takes at most {} positional arguments, got {}",
                       order.size(), positional.size());
  const auto given = [&](std::string_view name) {
    for (size_t i = 0; i < positional.size(); ++i)
      if (order[i] == name)
        return positional[i];
    return arguments[name];
  };
  const Value shape = given("shape");
  const Value name = given("name");
  WeightRequest request;
  request.shape =
      std::holds_alternative<None>(shape) ? Shape{} : weight_shape(shape, call.location);
  request.trainable = arguments.boolean("trainable");
  request.initializer = given("initializer");
  if (std::holds_alternative<None>(request.initializer))
    request.initializer = std::string("glorot_uniform");
  const auto *text = std::get_if<std::string>(&name);
  request.name = text ? *text : fmt::format("variable_{}", layer.parameters.size());
  return interpreter.keras().add_weight(layer, request, call.location);
}

Value do_nothing(Interpreter &, const Call &) { return None{}; }

/// super().get_config() is a dict that the script may extend.
Value empty_config(Interpreter &interpreter, const Call &) { return interpreter.make<Dict>(); }

/// keras.layers.Layer() itself.
Value refuse_construction(Interpreter &, const Call &call) {
  throw CompileError(call.location, "{} can only be derived from", call.native.path);
}

std::vector<ArgumentSpec> init_arguments(std::vector<ArgumentSpec> first) {
  using Kind = ArgumentKind;
  const ArgumentSpec common[] = {optional("activity_regularizer", Kind::unsupported),
                                 optional("trainable", Kind::boolean, Value(true)),
                                 optional("dtype", Kind::ignored),
                                 optional("autocast", Kind::ignored),
                                 optional("name", Kind::any),
                                 optional("input_shape", Kind::ignored),
                                 optional("dynamic", Kind::ignored)};
  first.insert(first.end(), std::begin(common), std::end(common));
  return first;
}

} // namespace

std::vector<Native> object_methods() {
  using Kind = ArgumentKind;
  const std::vector<ArgumentSpec> anything = {optional("values", Kind::rest),
                                              optional("options", Kind::keywords)};
  const std::vector<ArgumentSpec> weight = {optional("values", Kind::rest),
                                            optional("shape", Kind::any),
                                            optional("initializer", Kind::any),
                                            optional("dtype", Kind::ignored),
                                            optional("trainable", Kind::boolean, Value(true)),
                                            optional("autocast", Kind::ignored),
                                            optional("regularizer", Kind::unsupported),
                                            optional("constraint", Kind::unsupported),
                                            optional("aggregation", Kind::ignored),
                                            optional("name", Kind::any)};
  return {{"keras.layers.Layer", anything, refuse_construction},
          {"torch.nn.Module", anything, refuse_construction},
          {"keras.callbacks.Callback", anything, refuse_construction},
          {"instance.__init__", anything, do_nothing},
          {"layer.__init__", init_arguments({}), initialize_object},
          {"model.__init__",
           init_arguments({optional("inputs", Kind::any), optional("outputs", Kind::any),
                           optional("layers", Kind::any)}),
           initialize_object},
          {"layer.build", {optional("input_shape", Kind::any)}, do_nothing},
          {"layer.add_weight", weight, call_add_weight},
          {"model.add_weight", weight, call_add_weight},
          {"layer.get_config", {}, empty_config},
          {"model.get_config", {}, empty_config}};
}

} // namespace sinter

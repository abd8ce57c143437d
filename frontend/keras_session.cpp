#include "frontend/keras_session.h"

#include "frontend/classes.h"
#include "frontend/data_array.h"
#include "frontend/interpreter.h"
#include "frontend/layer_table.h"
#include "frontend/modules.h"
#include "frontend/torch_modules.h"

#include <utility>

namespace sinter {

namespace {

constexpr std::string_view kInputLayer = "keras.layers.InputLayer";

bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }

bool is_input_layer(const Layer &layer) {
  return layer.type && layer.type->native.path == kInputLayer;
}

/// The shape that a first layer asks for, or nothing.
std::optional<Shape> declared_input_shape(const Layer &layer) {
  if (layer.model) {
    if (layer.model->inputs.size() != 1)
      return std::nullopt;
    return Shape();
  }
  const Arguments &arguments = layer.arguments;
  const auto given = [&](const char *name) {
    return arguments.has(name) && !arguments.is_none(name);
  };
  for (const char *name : {"input_shape", "shape"})
    if (given(name))
      return shape_from_value(arguments[name], /*with_batch=*/false, layer.location);
  for (const char *name : {"batch_input_shape", "batch_shape"})
    if (given(name))
      return shape_from_value(arguments[name], /*with_batch=*/true, layer.location);
  if (given("input_dim"))
    return Shape{kBatch, arguments.integer("input_dim")};
  return std::nullopt;
}

/// Models are made of models: how deep is bounded, so that no script overflows the stack.
class NestingGuard {
public:
  NestingGuard(int &depth, const SourceLocation &location) : depth_(depth) {
    constexpr int kMaxDepth = 100;
    if (depth >= kMaxDepth)
      throw CompileError(location, "models nest more than {} deep", kMaxDepth);
    ++depth_;
  }
  ~NestingGuard() { --depth_; }
  NestingGuard(const NestingGuard &) = delete;
  NestingGuard &operator=(const NestingGuard &) = delete;

private:
  int &depth_;
};

} // namespace

std::string snake_case_name(std::string_view class_name) {
  std::string text;
  for (size_t i = 0; i < class_name.size(); ++i) {
    const char c = class_name[i];
    const bool next_lower = i + 1 < class_name.size() && is_lower(class_name[i + 1]);
    if (i > 0 && is_upper(c) && (next_lower || is_lower(class_name[i - 1])))
      text += '_';
    text += is_upper(c) ? static_cast<char>(c | 0x20) : c;
  }
  return text;
}

std::string Layer::class_name() const {
  if (instance)
    return instance->type->name;
  if (model)
    return model->sequential ? "Sequential" : "Functional";
  return std::string(type->native.name());
}

bool Layer::runs_script() const {
  if (instance)
    return !model || !model->sequential;
  return type && !type->apply;
}

std::string KerasSession::unique_name(std::string_view class_name, const Value &given) {
  if (const auto *name = std::get_if<std::string>(&given))
    return *name;
  const std::string stem = snake_case_name(class_name);
  const int count = counts_[stem]++;
  return count == 0 ? stem : fmt::format("{}_{}", stem, count);
}

Layer *KerasSession::make_layer(const LayerType &type, const Arguments &arguments,
                                const SourceLocation &location) {
  Layer *layer = interpreter_.make<Layer>();
  layer->type = &type;
  layer->name =
      unique_name(type.native.name(), arguments.has("name") ? arguments["name"] : Value(None{}));
  if (layer->name.empty())
    throw CompileError(location, "the name of a layer must not be empty");
  layer->arguments = arguments;
  layer->location = location;
  layer->trainable = !arguments.has("trainable") || arguments.boolean("trainable");
  return layer;
}

void KerasSession::finish_call(LayerCall &call) {
  enter(*call.layer);
  call.inference = inference_;
  call.layer->calls.push_back(&call);
}

std::vector<KerasTensor *> KerasSession::record(Layer &layer,
                                                const std::vector<KerasTensor *> &inputs,
                                                const std::vector<NodeId> &outputs,
                                                const SourceLocation &location) {
  LayerCall *call = interpreter_.make<LayerCall>();
  call->layer = &layer;
  call->inputs = inputs;
  call->location = location;
  for (const NodeId output : outputs)
    call->outputs.push_back(interpreter_.make<KerasTensor>(output, call));
  finish_call(*call);
  return call->outputs;
}

std::vector<KerasTensor *> KerasSession::apply(Layer &layer,
                                               const std::vector<KerasTensor *> &inputs,
                                               const SourceLocation &location) {
  interpreter_.charge(kStepsPerLayer, location);
  if (layer.model)
    return record(layer, inputs, replay(*layer.model, inputs, location), location);
  const auto count = static_cast<int>(inputs.size());
  const LayerType &type = *layer.type;
  if (count < type.min_inputs || (type.max_inputs >= 0 && count > type.max_inputs))
    throw CompileError(location, "{} '{}' expects {}{} input{}, got {}", layer.class_name(),
                       layer.name, type.max_inputs < 0 ? "at least " : "", type.min_inputs,
                       type.min_inputs == 1 ? "" : "s", count);
  enter(layer);
  return record(layer, inputs, {append_layer(layer, inputs, location)}, location);
}

/// The nodes of one call. A layer that is told channels_first is given its images channels-last,
/// as everything here is, and gives them back as they came.
NodeId KerasSession::append_layer(Layer &layer, const std::vector<KerasTensor *> &inputs,
                                  const SourceLocation &location) {
  LayerBuilder b(graph_, rng_, layer, location, inference_);
  const Arguments &arguments = layer.arguments;
  const bool channels_first = arguments.has("data_format") && !arguments.is_none("data_format") &&
                              arguments.text("data_format") == "channels_first";
  std::vector<NodeId> nodes;
  for (const KerasTensor *input : inputs)
    nodes.push_back(
        !channels_first
            ? input->node
            : b.append(OpKind::transpose, {input->node},
                       TransposeAttrs{channels_last_order(b.type(input->node).rank())}));
  NodeId output = layer.type->apply(b, nodes);
  if (channels_first && b.type(output).rank() == b.type(nodes[0]).rank())
    output = b.append(OpKind::transpose, {output},
                      TransposeAttrs{channels_first_order(b.type(output).rank())});
  if (arguments.has("activation"))
    output = activate(b, layer, inputs, output, location);
  if (arguments.has("activity_regularizer") && !arguments.is_none("activity_regularizer"))
    b.penalize(output, find_penalty(arguments["activity_regularizer"], location));
  return output;
}

NodeId KerasSession::activate(LayerBuilder &b, Layer &layer,
                              const std::vector<KerasTensor *> &inputs, NodeId x,
                              const SourceLocation &location) {
  const Value &activation = layer.arguments["activation"];
  if (!is_called_activation(activation))
    return append_activation(b, find_activation(activation, location), x);
  const CallArguments arguments{{record(layer, inputs, {x}, location)[0]}, {}};
  layer.calls.pop_back(); // x is part of a call
  enter_scope(layer);
  const Value result = interpreter_.call(activation, arguments, location);
  leave_scope();
  const KerasTensor *tensor = object<KerasTensor>(result);
  if (!tensor)
    throw CompileError(location, "the activation of '{}' returns {}, not a tensor", layer.name,
                       describe(result));
  return tensor->node;
}

std::vector<KerasTensor *>
KerasSession::apply_for_inference(Layer &layer, const std::vector<KerasTensor *> &inputs,
                                  const SourceLocation &location) {
  const bool outer = std::exchange(inference_, true);
  std::vector<KerasTensor *> outputs = apply(layer, inputs, location);
  inference_ = outer;
  return outputs;
}

/// A call of a network once more, with other tensors in the place of its inputs.
std::vector<KerasTensor *>
KerasSession::repeat(const LayerCall &call,
                     const std::map<const KerasTensor *, KerasTensor *> &replaced,
                     const SourceLocation &location) {
  const auto replacement = [&](KerasTensor *tensor) {
    return tensor->leaf ? tensor : replaced.at(tensor);
  };
  if (call.layer->runs_script()) {
    CallArguments arguments = call.arguments;
    for (Value &value : arguments.positional)
      value = map_tensors(interpreter_, value, location, replacement);
    for (auto &keyword : arguments.keywords)
      keyword.second = map_tensors(interpreter_, keyword.second, location, replacement);
    call_object_layer(*call.layer, arguments, location);
    return call.layer->calls.back()->outputs;
  }
  std::vector<KerasTensor *> operands;
  for (KerasTensor *input : call.inputs)
    operands.push_back(replacement(input));
  return call.inference ? apply_for_inference(*call.layer, operands, location)
                        : apply(*call.layer, operands, location);
}

/// Applies every layer of a model to new inputs, sharing the parameters.
std::vector<NodeId> KerasSession::replay(KerasModel &model,
                                         const std::vector<KerasTensor *> &inputs,
                                         const SourceLocation &location) {
  const NestingGuard guard(nesting_, location);
  if (model.inputs.empty() && inputs.size() == 1)
    build(model, graph_.type(inputs[0]->node).shape, location);
  if (model.inputs.size() != inputs.size())
    throw CompileError(location, "model '{}' with {} inputs is called with {} tensors",
                       model.layer.name, model.inputs.size(), inputs.size());
  std::map<const KerasTensor *, KerasTensor *> replaced;
  for (size_t i = 0; i < inputs.size(); ++i) {
    const Shape &expected = graph_.type(model.inputs[i]->node).shape;
    const Shape &given = graph_.type(inputs[i]->node).shape;
    if (expected != given)
      throw CompileError(location, "model '{}' expects an input of shape {}, got {}",
                         model.layer.name, str(expected), str(given));
    replaced[model.inputs[i]] = inputs[i];
  }
  for (LayerCall *call : map_network(model.inputs, model.outputs, location).calls) {
    if (replaced.count(call->outputs[0]) > 0)
      continue;
    const std::vector<KerasTensor *> outputs = repeat(*call, replaced, location);
    call->layer->calls.pop_back(); // seen from outside, the model was called, not its layers
    for (size_t i = 0; i < outputs.size(); ++i)
      replaced[call->outputs[i]] = outputs[i];
  }
  std::vector<NodeId> nodes;
  for (const KerasTensor *output : model.outputs)
    nodes.push_back(replaced.at(output)->node);
  return nodes;
}

/// A call on samples shows a model the shape of its input; what it computes is not known here.
Value KerasSession::call_on_example(Layer &layer, const Value &example,
                                    const SourceLocation &location) {
  const DataArray *array = object<DataArray>(example);
  if (layer.model && layer.model->inputs.empty()) {
    Shape shape = array->sample_shape();
    shape.insert(shape.begin(), kBatch);
    build(*layer.model, shape, location);
  } else {
    interpreter_.skip(location, fmt::format("calling '{}' on data is skipped: it has no meaning "
                                            "in a compiled program",
                                            layer.name));
  }
  return interpreter_.opaque(fmt::format("calling '{}'", layer.name), location);
}

Value KerasSession::call_layer(Layer &layer, const CallArguments &arguments,
                               const SourceLocation &location) {
  if (!arguments.positional.empty() && object<DataArray>(arguments.positional[0]))
    return call_on_example(layer, arguments.positional[0], location);
  const Opaque *example =
      arguments.positional.empty() ? nullptr : object<Opaque>(arguments.positional[0]);
  if (example && is_torch_module(layer))
    return call_module_on_example(layer, *example, location);
  interpreter_.require_certain(location, fmt::format("calling '{}'", layer.name));
  if (layer.runs_script())
    return call_object_layer(layer, arguments, location);
  bool inference = false;
  for (const auto &[name, value] : arguments.keywords) {
    const bool known = !object<Opaque>(value) && !std::holds_alternative<None>(value);
    if (name != "training" || (known && interpreter_.truth(value, location)))
      throw CompileError(location, "calling a layer with {}={} is not supported", name,
                         describe(value));
    inference = known;
  }
  if (arguments.positional.size() != 1)
    throw CompileError(location, "calling '{}' needs one tensor or one list of tensors, got {}",
                       layer.name, arguments.positional.size());
  const Value &argument = arguments.positional[0];
  const std::vector<Value> *items = sequence_items(argument);
  std::vector<KerasTensor *> inputs;
  for (const Value &item : items ? *items : std::vector<Value>{argument}) {
    if (const Opaque *unknown = object<Opaque>(item))
      fail_unknown(*unknown, location, fmt::format("the input of '{}'", layer.name));
    KerasTensor *tensor = object<KerasTensor>(item);
    if (!tensor)
      throw CompileError(location, "'{}' can be called on tensors only, got {}", layer.name,
                         describe(item));
    inputs.push_back(tensor);
  }
  const std::vector<KerasTensor *> outputs =
      inference ? apply_for_inference(layer, inputs, location) : apply(layer, inputs, location);
  return outputs.size() == 1 ? Value(outputs[0])
                             : interpreter_.list({outputs.begin(), outputs.end()});
}

KerasTensor *KerasSession::make_input(const Shape &shape, const Value &name,
                                      const SourceLocation &location) {
  const LayerType &type = layer_type(kInputLayer);
  std::vector<Value> dims(shape.begin() + 1, shape.end());
  CallArguments arguments;
  arguments.keywords = {{"shape", interpreter_.tuple(std::move(dims))}, {"name", name}};
  Layer *layer = make_layer(type, bind(interpreter_, type.native, arguments, location), location);
  return apply(*layer, {}, location)[0];
}

// ---- operators and functions on tensors --------------------------------------------------------

KerasTensor *KerasSession::apply_operation(
    std::string_view path, const std::vector<std::pair<std::string, Value>> &arguments,
    const std::vector<KerasTensor *> &inputs, const SourceLocation &location) {
  interpreter_.require_certain(location, "this operation");
  const LayerType &type = layer_type(path);
  CallArguments keywords;
  keywords.keywords = arguments;
  Layer *layer = make_layer(type, bind(interpreter_, type.native, keywords, location), location);
  return apply(*layer, inputs, location)[0];
}

Value KerasSession::tensor_arithmetic(const std::string &op, const Value &left, const Value &right,
                                      const SourceLocation &location) {
  KerasTensor *a = object<KerasTensor>(left);
  KerasTensor *b = object<KerasTensor>(right);
  const std::string path = op == "+"   ? "keras.ops.Add"
                           : op == "-" ? "keras.ops.Subtract"
                           : op == "*" ? "keras.ops.Multiply"
                           : op == "/" ? "keras.ops.TrueDivide"
                           : op == "@" ? "keras.ops.Matmul"
                                       : "";
  const Value &number = a ? right : left;
  if (op == "**" && a && is_number(number))
    return apply_operation("keras.ops.Power", {{"value", to_number(number)}}, {a}, location);
  const bool supported = !path.empty() && ((a && b) || (is_number(number) && op != "@")) &&
                         !(op == "/" && !a); // number / tensor
  if (!supported)
    throw CompileError(location, "'{}' of {} and {} is not supported", op, describe(left),
                       describe(right));
  if (a && b)
    return apply_operation(path, {}, {a, b}, location);
  const double value = to_number(number);
  if (op == "/" && value == 0)
    throw CompileError(location, "division by zero");
  // x op value as scale * x + offset
  const double scale = op == "*" ? value : op == "/" ? 1 / value : op == "-" && !a ? -1 : 1;
  const double offset = op == "+" || (op == "-" && !a) ? value : op == "-" ? -value : 0;
  return apply_operation(path, {{"scale", scale}, {"offset", offset}}, {a ? a : b}, location);
}

// ---- models ------------------------------------------------------------------------------------

KerasModel *KerasSession::make_sequential(const Value &name, const SourceLocation &location) {
  interpreter_.require_certain(location, "making this model");
  KerasModel *model = interpreter_.make<KerasModel>();
  model->sequential = true;
  model->layer.model = model;
  model->layer.location = location;
  model->layer.name = unique_name("Sequential", name);
  models_.push_back(model);
  return model;
}

KerasModel *KerasSession::make_functional(const std::vector<KerasTensor *> &inputs,
                                          const std::vector<KerasTensor *> &outputs,
                                          const Value &name, const SourceLocation &location) {
  interpreter_.require_certain(location, "making this model");
  KerasModel *model = interpreter_.make<KerasModel>();
  model->layer.model = model;
  model->layer.location = location;
  model->layer.name = unique_name("Functional", name);
  model->inputs = inputs;
  model->outputs = outputs;
  model->layers = map_network(inputs, outputs, location).layers;
  std::set<std::string> names;
  for (const Layer *layer : model->layers)
    if (!names.insert(layer->name).second)
      throw CompileError(layer->location, "two layers of model '{}' are named '{}'",
                         model->layer.name, layer->name);
  models_.push_back(model);
  return model;
}

Layer &KerasSession::layer_of(const Value &value, const SourceLocation &location) const {
  if (const Opaque *unknown = object<Opaque>(value))
    fail_unknown(*unknown, location, "a layer");
  if (Layer *layer = layer_of_object(value))
    return *layer;
  throw CompileError(location, "a Sequential model consists of layers, got {}", describe(value));
}

void KerasSession::add(KerasModel &model, const Value &value, const SourceLocation &location) {
  interpreter_.require_certain(location, "adding a layer");
  const bool empty = model.layers.empty() && model.inputs.empty();
  KerasTensor *tensor = object<KerasTensor>(value);
  if (tensor && is_input_layer(*tensor->producer->layer)) {
    if (!empty)
      throw CompileError(location, "an input must come first in model '{}'", model.layer.name);
    model.inputs = model.outputs = {tensor};
    return;
  }
  Layer &layer = layer_of(value, location);
  const std::optional<Shape> shape = empty ? declared_input_shape(layer) : std::nullopt;
  if (is_input_layer(layer)) {
    if (!empty)
      throw CompileError(location, "an input must come first in model '{}'", model.layer.name);
    model.inputs = model.outputs = apply(layer, {}, location);
    return;
  }
  interpreter_.charge(static_cast<int64_t>(model.layers.size()) / 16, location);
  for (const Layer *other : model.layers)
    if (other->name == layer.name)
      throw CompileError(location, "two layers of model '{}' are named '{}'", model.layer.name,
                         layer.name);
  if (shape) {
    const Shape input = layer.model ? graph_.type(layer.model->inputs[0]->node).shape : *shape;
    model.inputs = model.outputs = {make_input(input, None{}, layer.location)};
  }
  model.layers.push_back(&layer);
  if (!model.inputs.empty())
    append_to_sequence(model, layer);
}

void KerasSession::append_to_sequence(KerasModel &model, Layer &layer) {
  if (layer.runs_script()) {
    call_object_layer(layer, {{model.outputs[0]}, {}}, layer.location);
    model.outputs = layer.calls.back()->outputs;
  } else {
    model.outputs = apply(layer, model.outputs, layer.location);
  }
  if (model.outputs.size() != 1)
    throw CompileError(layer.location, "layer '{}' of a Sequential model has {} outputs",
                       layer.name, model.outputs.size());
}

void KerasSession::pop(KerasModel &model, const SourceLocation &location) {
  interpreter_.require_certain(location, "removing a layer");
  if (!model.sequential || model.layers.empty())
    throw CompileError(location, "model '{}' has no layer to remove", model.layer.name);
  model.layers.pop_back();
  if (!model.inputs.empty())
    model.outputs = model.outputs[0]->producer->inputs;
}

void KerasSession::build(KerasModel &model, const Shape &input, const SourceLocation &location) {
  if (!model.inputs.empty())
    return;
  if (model.layer.instance && !model.sequential)
    return build_object(model, input, location);
  if (model.layers.empty())
    throw CompileError(location, "model '{}' has no layers", model.layer.name);
  model.inputs = model.outputs = {make_input(input, None{}, location)};
  for (Layer *layer : model.layers)
    append_to_sequence(model, *layer);
}

KerasModel *KerasSession::find_saved(const std::string &path) const {
  const auto found = saved_.find(path);
  return found == saved_.end() ? nullptr : found->second;
}

KerasModel *KerasSession::chosen_model() const {
  if (chosen_)
    return chosen_;
  for (auto model = models_.rbegin(); model != models_.rend(); ++model)
    if ((*model)->compiled)
      return *model;
  return models_.empty() ? nullptr : models_.back();
}

} // namespace sinter

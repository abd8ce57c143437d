// From what the script built to ir::Model: the part of the session's graph that the chosen model
// needs, its layer records, its loss, its training and data.
#include "frontend/ends_with.h"
#include "frontend/initializers.h"
#include "frontend/interpreter.h"
#include "frontend/keras_session.h"
#include "frontend/layer_table.h"
#include "frontend/layer_tree.h"
#include "frontend/regularizers.h"
#include "frontend/torch_modules.h"
#include "frontend/training.h"
#include "ir/leaf_names.h"

#include <algorithm>

namespace sinter {

namespace {

/// Copies the nodes between a model's inputs and outputs out of the session's graph.
class Extraction {
public:
  Extraction(const Graph &source, const KerasModel &model) : source_(source), model_(model) {}

  Graph run(const std::set<int> &frozen, std::map<int, Value> initializers);
  NodeId at(NodeId old) const { return map_.at(static_cast<size_t>(old.index)); }

private:
  void mark_needed();
  std::string without_own_name(const std::string &) const;
  std::string rng_name() const;
  NodeId copy(NodeId old, Graph &target, const std::set<int> &frozen);

  const Graph &source_;
  const KerasModel &model_;
  std::vector<bool> needed_;
  std::vector<NodeId> map_;
  std::map<int, Value> initializers_; // of parameters, by node index
  int64_t streams_ = 0;               // of random numbers
};

void Extraction::mark_needed() {
  needed_.assign(static_cast<size_t>(source_.size()), false);
  for (const auto &tensors : {model_.inputs, model_.outputs})
    for (const KerasTensor *tensor : tensors)
      needed_[static_cast<size_t>(tensor->node.index)] = true;
  for (int i = source_.size() - 1; i >= 0; --i) {
    const bool cut = std::any_of(model_.inputs.begin(), model_.inputs.end(),
                                 [&](const KerasTensor *input) { return input->node.index == i; });
    if (!needed_[static_cast<size_t>(i)] || cut)
      continue;
    for (const NodeId operand : source_[NodeId{i}].inputs)
      needed_[static_cast<size_t>(operand.index)] = true;
  }
}

/// Of a model's input, which may be a tensor in the middle of a network.
std::string input_name(const Node &node) {
  return node.kind == OpKind::input ? attrs<InputAttrs>(node).name : node.layer;
}

/// The random numbers' key is named "rng", unless an input of the model is.
std::string Extraction::rng_name() const {
  LeafNames names{Graph()};
  for (const KerasTensor *input : model_.inputs)
    names.take(input_name(source_[input->node]));
  return names.take("rng");
}

NodeId Extraction::copy(NodeId old, Graph &target, const std::set<int> &frozen) {
  const Node &node = source_[old];
  for (const KerasTensor *input : model_.inputs)
    if (input->node == old && node.kind != OpKind::input) // a tensor in the middle of a network
      return target.append(OpKind::input, {}, InputAttrs{input_name(node), "data", node.type},
                           node.layer, node.location);
  Attrs attributes = node.attrs;
  if (auto *parameter = std::get_if<ParameterAttrs>(&attributes)) {
    parameter->name = without_own_name(parameter->name);
    if (const auto given = initializers_.find(old.index); given != initializers_.end())
      set_initializer(*parameter, given->second, node.location);
    if (frozen.count(old.index) > 0)
      parameter->role = "statistic"; // as much as to say: not trained
  }
  if (auto *input = std::get_if<InputAttrs>(&attributes); input && input->role == "rng")
    input->name = rng_name();
  if (auto *norm = std::get_if<BatchNormAttrs>(&attributes)) // gamma, beta, mean, variance
    norm->frozen = norm->frozen || frozen.count(node.inputs[3].index) > 0;
  if (auto *dropout = std::get_if<DropoutAttrs>(&attributes))
    dropout->stream = streams_++;
  if (auto *uniform = std::get_if<RandomUniformAttrs>(&attributes))
    uniform->stream = streams_++;
  std::vector<NodeId> operands;
  for (const NodeId operand : node.inputs)
    operands.push_back(at(operand));
  return target.append(node.kind, std::move(operands), std::move(attributes),
                       without_own_name(node.layer), node.location);
}

/// The layers of a model of a script's class are named behind it where they were made by a call
/// of it; in its own program they are not.
std::string Extraction::without_own_name(const std::string &name) const {
  const std::string prefix = model_.layer.path() + '/';
  const bool own = model_.layer.instance && name.rfind(prefix, 0) == 0;
  return own ? name.substr(prefix.size()) : name;
}

Graph Extraction::run(const std::set<int> &frozen, std::map<int, Value> initializers) {
  initializers_ = std::move(initializers);
  mark_needed();
  map_.assign(static_cast<size_t>(source_.size()), NodeId{});
  Graph target;
  for (int i = 0; i < source_.size(); ++i)
    if (needed_[static_cast<size_t>(i)])
      map_[static_cast<size_t>(i)] = copy({i}, target, frozen);
  return target;
}

/// The parameters that are not trained, by node index.
std::set<int> frozen_parameters(const std::vector<Layer *> &layers) {
  std::set<int> frozen;
  for (const Layer *layer : layers)
    if (!layer->trainable && !layer->model)
      for (const NodeId parameter : layer->parameters)
        frozen.insert(parameter.index);
  return frozen;
}

/// What torch.nn.init said of parameters, before or after they were made.
std::map<int, Value> given_initializers(const Graph &graph, const std::vector<Layer *> &layers) {
  std::map<int, Value> given;
  for (const Layer *layer : layers)
    for (const auto &[name, initializer] : layer->initializers)
      for (const NodeId parameter : layer->parameters)
        if (ends_with(attrs<ParameterAttrs>(graph[parameter]).name, '.' + name))
          given.emplace(parameter.index, initializer);
  return given;
}

/// The parameters of a layer and of those in it that lead to the model's output.
std::vector<NodeId> needed_parameters(Interpreter &interpreter, Layer &layer,
                                      const Extraction &extraction) {
  std::vector<NodeId> parameters;
  for (const Layer *part : all_layers(interpreter, layer, layer.location))
    for (const NodeId parameter : part->parameters)
      if (extraction.at(parameter).valid())
        parameters.push_back(extraction.at(parameter));
  return parameters;
}

/// The layers of a model within the model. It nests no deeper than calls may.
std::vector<LayerPart> layer_parts(Interpreter &interpreter, const Layer &layer,
                                   const Extraction &extraction) {
  std::vector<LayerPart> parts;
  for (Layer *inner : layer.model ? layer.model->layers : std::vector<Layer *>()) {
    interpreter.charge(kStepsPerLayer, layer.location);
    LayerPart part{inner->name, inner->class_name(), {}, {}};
    if (inner->model)
      part.parts = layer_parts(interpreter, *inner, extraction);
    else
      part.parameters = needed_parameters(interpreter, *inner, extraction);
    parts.push_back(std::move(part));
  }
  return parts;
}

std::vector<LayerRecord> layer_records(Interpreter &interpreter, const KerasModel &model,
                                       const Extraction &extraction) {
  std::map<const Layer *, std::vector<const LayerCall *>> calls;
  for (const LayerCall *call : map_network(model.inputs, model.outputs, model.layer.location).calls)
    calls[call->layer].push_back(call);
  std::vector<LayerRecord> records;
  for (Layer *layer : model.layers) {
    LayerRecord record;
    record.name = layer->name;
    record.type = layer->class_name();
    record.location = layer->location;
    for (const LayerCall *call : calls[layer]) {
      if (!record.output.valid())
        record.output = extraction.at(call->outputs[0]->node);
      for (const KerasTensor *input : call->inputs)
        if (!input->leaf && (!model.sequential || !input->producer->inputs.empty()))
          record.inbound.push_back(input->producer->layer->name);
    }
    record.parameters = needed_parameters(interpreter, *layer, extraction);
    record.parts = layer_parts(interpreter, *layer, extraction);
    records.push_back(std::move(record));
  }
  return records;
}

void check_parameter_names(const Graph &graph) {
  std::set<std::string> names;
  for (const NodeId id : graph.all(OpKind::parameter)) {
    const Node &node = graph[id];
    if (!names.insert(attrs<ParameterAttrs>(node).name).second)
      throw CompileError(node.location, "two layers are named '{}'", node.layer);
  }
}

/// "prediction", or "prediction:NAME" of several outputs, named by their dict or after their
/// layers.
std::vector<std::pair<std::string, const KerasTensor *>> named_outputs(const KerasModel &model) {
  if (model.outputs.size() == 1)
    return {{"prediction", model.outputs[0]}};
  std::vector<std::pair<std::string, const KerasTensor *>> named;
  std::map<std::string, int> taken;
  for (size_t i = 0; i < model.outputs.size(); ++i) {
    const KerasTensor *output = model.outputs[i];
    const std::string name = prediction_output(
        model.output_names.empty() ? output->producer->layer->name : model.output_names[i]);
    const int count = taken[name]++;
    named.emplace_back(count == 0 ? name : fmt::format("{}_{}", name, count), output);
  }
  return named;
}

/// What the layers' regularizers add to the loss, as scalars. Weights that are not trained are not
/// regularized, as in Keras; the activities of such a layer are.
std::vector<NodeId> append_penalties(Graph &graph, const std::vector<Layer *> &layers,
                                     const Extraction &extraction) {
  std::vector<NodeId> scalars;
  for (const Layer *layer : layers)
    for (const PenalizedValue &penalized : layer->penalties) {
      const NodeId node = extraction.at(penalized.node);
      if (!node.valid() || (!layer->trainable && graph[node].kind == OpKind::parameter))
        continue;
      const NodeId scalar = append_penalty(graph, node, penalized.penalty, layer->location);
      if (scalar.valid())
        scalars.push_back(scalar);
    }
  return scalars;
}

/// A Sequential, or one that is all that a module holds.
Value only_sequential(Layer *module) {
  if (!module || sequential_parts(module) || !module->instance)
    return module ? Value(module) : Value(None{});
  std::vector<Value> held;
  for (const auto &[name, field] : module->instance->fields)
    if (object<Layer>(field))
      held.push_back(field);
  return held.size() == 1 ? held[0] : Value(None{});
}

/// A Sequential whose parts are called one after another, to look at shapes, takes what the first
/// of them was called on.
KerasModel *build_walked(KerasSession &session, const SourceLocation &file) {
  Layer *module = session.torch.module;
  const auto parts = sequential_parts(only_sequential(module));
  const auto first = parts && !parts->empty()
                         ? session.torch.models.find(object<Layer>(parts->front().second))
                         : session.torch.models.end();
  if (first == session.torch.models.end())
    return nullptr;
  const Shape input = session.graph().type(first->second->inputs[0]->node).shape;
  return session.build_module(*module, input, file);
}

/// The chosen model; where that is a part of the last module, called to look at shapes, the whole.
KerasModel *chosen_model(KerasSession &session, const SourceLocation &file) {
  KerasModel *model = session.chosen_model();
  if (!model || model->compiled)
    return model;
  for (const auto &[module, built] : session.torch.models)
    if (built == model && session.is_part(*module, file)) {
      const auto whole = session.torch.models.find(session.torch.module);
      return whole == session.torch.models.end() ? build_walked(session, file) : whole->second;
    }
  return model;
}

KerasModel &checked_model(KerasSession &session, const SourceLocation &file) {
  KerasModel *model = chosen_model(session, file);
  if (const Layer *module = session.torch.module; !model && module)
    throw CompileError(module->location,
                       "the input shape of module '{}' is not known: call it on an example, "
                       "model(torch.zeros(1, 3, 32, 32))",
                       module->name);
  if (!model)
    throw CompileError(file, "the script builds no model");
  const SourceLocation &location = model->layer.location;
  if (model->layers.empty())
    throw CompileError(location, "model '{}' has no layers", model->layer.name);
  if (model->inputs.empty())
    throw CompileError(location,
                       "the input shape of model '{}' is not known: start it with "
                       "keras.Input(shape=...) or fit it",
                       model->layer.name);
  return *model;
}

} // namespace

Model finish_model(Interpreter &interpreter, const SourceLocation &file, Diagnostics &diagnostics) {
  KerasSession &session = interpreter.keras();
  session.compile_modules();
  KerasModel &chosen = checked_model(session, file);
  const std::vector<Layer *> layers = all_layers(interpreter, chosen.layer, file);
  Extraction extraction(session.graph(), chosen);
  Model model;
  model.name = chosen.layer.name;
  model.graph =
      extraction.run(frozen_parameters(layers), given_initializers(session.graph(), layers));
  for (const auto &[name, tensor] : named_outputs(chosen))
    model.graph.outputs.push_back({name, extraction.at(tensor->node)});
  check_parameter_names(model.graph);
  model.layers = layer_records(interpreter, chosen, extraction);
  const bool has_loss = chosen.compiled && !std::holds_alternative<None>(chosen.compiled->loss);
  if (chosen.fit && !has_loss)
    throw CompileError(chosen.fit->location, "model '{}' is compiled without a loss",
                       chosen.layer.name);
  if (has_loss) {
    append_losses(model.graph, *chosen.compiled, append_penalties(model.graph, layers, extraction));
    model.training = make_training_spec(chosen, model.graph, diagnostics);
  }
  if (chosen.fit || !chosen.evaluated.empty())
    model.data = make_data_spec(chosen, model.graph, diagnostics);
  return model;
}

} // namespace sinter

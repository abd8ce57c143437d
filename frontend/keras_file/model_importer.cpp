#include "frontend/keras_file/model_importer.h"

#include "frontend/json_text.h"
#include "frontend/layer_table.h"
#include "frontend/layer_tree.h"
#include "ir/diagnostics.h"

#include <fmt/ranges.h>

namespace sinter {

namespace {

using Json = nlohmann::json;

constexpr int kMaxDepth = 30; // of models within models

bool is_model(const Json &description) {
  const std::string name = plain_class_name(text_member(description, "class_name"));
  return name == "Sequential" || name == "Functional" || name == "Model";
}

/// The list of a model's layers: Keras before 2.2.3 wrote a Sequential's config as the list itself.
const Json &layer_list(const Json &description) {
  const Json &config = member(description, "config");
  return config.is_array() ? config : member(config, "layers");
}

/// What the file calls a layer: Keras 2 writes the name beside the config, too.
std::string layer_name(const Json &layer) {
  const std::string name = text_member(layer, "name");
  return name.empty() ? text_member(member(layer, "config"), "name") : name;
}

} // namespace

// ---- what is not supported ---------------------------------------------------------------------

void ModelImporter::problem(const Json &layer, const std::string &where, const std::string &text) {
  problems_.push_back(fmt::format("{} '{}{}': {}", text_member(layer, "class_name"), where,
                                  layer_name(layer), text));
}

void ModelImporter::check_layer(const Json &layer, const std::string &where, int depth) {
  if (is_model(layer) && depth < kMaxDepth)
    return check(layer, where + layer_name(layer) + "/", depth + 1);
  try {
    if (is_operator(layer))
      operators_[&layer] = read_operator(layer, reader_, file_);
    else
      layers_[&layer] = &reader_.layer(text_member(layer, "class_name"), member(layer, "config"));
  } catch (const CompileError &error) {
    problem(layer, where, error.text());
  }
}

void ModelImporter::check(const Json &description, const std::string &where, int depth) {
  const Json &layers = layer_list(description);
  if (!layers.is_array()) {
    problems_.push_back(fmt::format("model '{}' has no list of layers", layer_name(description)));
    return;
  }
  for (const Json &layer : layers) {
    interpreter_.charge(kStepsPerLayer, file_);
    check_layer(layer, where, depth);
    for (const Json &node : member(layer, "inbound_nodes"))
      if (!parse_call(node))
        problem(layer, where, "a call with arguments that are not supported");
  }
}

// ---- building ----------------------------------------------------------------------------------

struct ModelImporter::Network {
  std::map<std::string, Layer *> layers;
  std::map<std::string, const Json *> operators;
  std::map<std::pair<std::string, int64_t>, Tensors> outputs; // of a layer's calls

  /// The tensor that a reference means, or null when it is not there yet.
  KerasTensor *find(const TensorReference &reference) const {
    const auto found = outputs.find({reference.layer, reference.call});
    if (found == outputs.end() || reference.output >= static_cast<int64_t>(found->second.size()))
      return nullptr;
    return found->second[static_cast<size_t>(reference.output)];
  }
};

ImportedModel ModelImporter::import(const Json &description) {
  if (!is_model(description))
    throw CompileError(file_,
                       "the file holds a {}: only Sequential and functional models can be read, "
                       "other classes are Python code",
                       text_member(description, "class_name").empty()
                           ? "nothing that Keras writes"
                           : text_member(description, "class_name"));
  check(description, "", 0);
  if (!problems_.empty())
    throw CompileError(file_, "{} of the model's layers are not supported: {}", problems_.size(),
                       fmt::join(problems_, "; "));
  ImportedModel imported;
  imported.model = build(description, "", imported.root);
  return imported;
}

KerasModel *ModelImporter::build(const Json &description, const std::string &scope,
                                 ImportedLayer &into) {
  into.name = layer_name(description);
  const bool sequential = plain_class_name(text_member(description, "class_name")) == "Sequential";
  into.class_name = sequential ? "Sequential" : "Functional";
  KerasModel *model = sequential ? build_sequential(description, scope, into)
                                 : build_functional(description, scope, into);
  if (member(member(description, "config"), "trainable") == false)
    set_trainable(interpreter_, model->layer, false, file_);
  return model;
}

Layer &ModelImporter::make(const Json &layer, const std::string &scope, ImportedLayer &into) {
  ImportedLayer &record = into.layers.emplace_back();
  if (is_model(layer))
    return build(layer, scope + layer_name(layer) + "/", record)->layer;
  Layer &made = *layers_.at(&layer);
  if (!paths_.insert(made.path()).second) { // models within models may use a name again
    made.scope = scope;
    if (!paths_.insert(made.path()).second)
      throw CompileError(file_, "two layers are named '{}'", made.path());
  }
  record = {made.name, made.class_name(), made.path(), {}};
  return made;
}

KerasModel *ModelImporter::build_sequential(const Json &description, const std::string &scope,
                                            ImportedLayer &into) {
  KerasSession &session = interpreter_.keras();
  KerasModel *model = session.make_sequential(into.name, file_);
  for (const Json &layer : layer_list(description)) {
    if (is_operator(layer))
      throw CompileError(file_, "'{}' is no layer of a Sequential model", layer_name(layer));
    session.add(*model, layer_value(make(layer, scope, into)), file_);
  }
  const Json &built = member(member(description, "build_config"), "input_shape");
  const Json &older = member(member(description, "config"), "build_input_shape");
  const Json &shape = built.is_null() ? older : built;
  if (model->inputs.empty() && shape.is_array() && !shape.empty()) {
    Json batched = shape;
    batched[0] = nullptr;
    session.build(
        *model,
        shape_from_value(reader_.value(batched, "keras.layers"), /*with_batch=*/true, file_),
        file_);
  }
  return model;
}

KerasModel *ModelImporter::build_functional(const Json &description, const std::string &scope,
                                            ImportedLayer &into) {
  Network network;
  const Json &layers = layer_list(description);
  for (const Json &layer : layers) {
    const std::string name = layer_name(layer);
    if (network.layers.count(name) + network.operators.count(name) > 0)
      throw CompileError(file_, "two layers are named '{}'", name);
    if (is_operator(layer))
      network.operators[name] = &layer;
    else
      network.layers[name] = &make(layer, scope, into);
  }
  build_calls(network, layers);
  const Json &config = member(description, "config");
  const Tensors inputs = references(network, member(config, "input_layers"), "inputs");
  const Tensors outputs = references(network, member(config, "output_layers"), "outputs");
  return interpreter_.keras().make_functional(inputs, outputs, into.name, file_);
}

bool ModelImporter::try_call(Network &network, const PendingCall &call) {
  std::vector<Value> operands;
  for (const auto &operand : call.operands) {
    const auto *reference = std::get_if<TensorReference>(&operand);
    KerasTensor *tensor = reference ? network.find(*reference) : nullptr;
    if (reference && !tensor)
      return false;
    operands.push_back(tensor ? Value(tensor) : Value(std::get<double>(operand)));
  }
  const std::string name = layer_name(*call.layer);
  Tensors &outputs = network.outputs[{name, call.index}];
  if (network.operators.count(name) > 0) {
    outputs = {apply_operator(interpreter_, operators_.at(call.layer), operands, file_)};
    return true;
  }
  Tensors inputs;
  for (const Value &operand : operands)
    if (KerasTensor *tensor = object<KerasTensor>(operand))
      inputs.push_back(tensor);
  outputs = interpreter_.keras().apply(*network.layers.at(name), inputs, file_);
  return true;
}

void ModelImporter::build_calls(Network &network, const Json &layers) {
  std::vector<PendingCall> pending;
  for (const Json &layer : layers) {
    const Json &nodes = member(layer, "inbound_nodes");
    if (nodes.empty() && text_member(layer, "class_name") == "InputLayer")
      pending.push_back({&layer, 0, {}});
    int64_t index = 0;
    for (const Json &node : nodes)
      pending.push_back({&layer, index++, *parse_call(node)});
  }
  // Files list layers in an order in which this takes one round, or nearly so.
  while (!pending.empty()) {
    std::vector<PendingCall> waiting;
    interpreter_.charge(static_cast<int64_t>(pending.size()), file_);
    for (const PendingCall &call : pending)
      if (!try_call(network, call))
        waiting.push_back(call);
    if (waiting.size() == pending.size())
      throw CompileError(file_,
                         "the calls of layer '{}' depend on themselves, or on a layer that is "
                         "not there",
                         layer_name(*waiting[0].layer));
    pending = std::move(waiting);
  }
}

ModelImporter::Tensors ModelImporter::references(const Network &network, const Json &list,
                                                 const char *what) const {
  const auto references = parse_references(list);
  if (!references)
    throw CompileError(file_, "the list of the model's {} is malformed", what);
  Tensors tensors;
  for (const TensorReference &reference : *references) {
    KerasTensor *tensor = network.find(reference);
    if (!tensor)
      throw CompileError(file_,
                         "one of the model's {} is output {} of call {} of layer '{}', which "
                         "is not there",
                         what, reference.output, reference.call, reference.layer);
    tensors.push_back(tensor);
  }
  return tensors;
}

} // namespace sinter

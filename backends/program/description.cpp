#include "backends/program/description.h"

#include "runtime/sinter_runtime.h"

#include <nlohmann/json.hpp>

namespace sinter {

namespace {

using Json = nlohmann::ordered_json;

/// An object of a reflected struct's fields.
template <typename T> Json fields_json(const T &value) {
  Json object = Json::object();
  T::fields([&](const char *name, auto member) { object[name] = value.*member; });
  return object;
}

/// Extents for JSON, where the batch is null.
Json shape_json(const Shape &shape) {
  Json extents = Json::array();
  for (const int64_t extent : shape)
    extents.push_back(extent == kBatch ? Json(nullptr) : Json(extent));
  return extents;
}

Json tensor_json(const std::string &tensor, const TensorType &type) {
  return {{"name", tensor}, {"type", name(type.element)}, {"shape", shape_json(type.shape)}};
}

Json ports_json(const std::vector<Port> &ports) {
  Json tensors = Json::array();
  for (const Port &port : ports) {
    Json tensor = tensor_json(port.name, port.type);
    tensor["argument"] = port.argument;
    if (port.class_limit > 0)
      tensor["classes"] = port.class_limit;
    if (port.channels_first)
      tensor["channels_first"] = true;
    tensors.push_back(tensor);
  }
  return tensors;
}

Json parameters_json(const Program &program) {
  Json tensors = Json::array();
  int64_t trainable = 0;
  int64_t total = 0;
  for (const ParameterSlot &slot : program.parameters) {
    if (slot.attrs.role == "optimizer" || slot.attrs.role == "prepared")
      continue;
    const int64_t elements = slot.attrs.type.elements();
    total += elements;
    trainable += slot.attrs.role == "weight" ? elements : 0;
    Json tensor = tensor_json(slot.attrs.name, slot.attrs.type);
    tensor["trainable"] = slot.attrs.role == "weight";
    tensors.push_back(tensor);
  }
  return {{"total", total}, {"trainable", trainable}, {"tensors", tensors}};
}

Json layers_json(const Model &model) {
  Json layers = Json::array();
  for (const LayerRecord &layer : model.layers)
    layers.push_back({{"name", layer.name},
                      {"type", layer.type},
                      {"output_shape", shape_json(model.graph.type(layer.output).shape)}});
  return layers;
}

Json training_json(const TrainingSpec &training) {
  Json object = {{"epochs", training.epochs},
                 {"batch_size", training.batch_size},
                 {"shuffle", training.shuffle},
                 {"optimizer", fields_json(training.optimizer)}};
  if (training.early_stopping)
    object["early_stopping"] = fields_json(*training.early_stopping);
  if (training.checkpoint)
    object["checkpoint"] = fields_json(*training.checkpoint);
  if (training.optimizer.schedule)
    object["schedule"] = fields_json(*training.optimizer.schedule);
  if (training.plateau)
    object["plateau"] = fields_json(*training.plateau);
  if (training.epoch_rates)
    object["learning_rates"] = training.epoch_rates->values;
  return object;
}

Json subset_json(const Subset &subset) {
  Json steps = Json::array();
  for (const SubsetStep &step : subset.steps)
    steps.push_back(fields_json(step));
  return {{"source", subset.source}, {"steps", steps}};
}

Json data_json(const DataSpec &data) {
  Json scaling = Json::array();
  for (const ScalingStep &step : data.scaling)
    scaling.push_back(fields_json(step));
  return {{"dataset", data.dataset},          {"scaling", scaling},
          {"one_hot", data.one_hot},          {"reconstruct", data.reconstruct},
          {"train", subset_json(data.train)}, {"validation", subset_json(data.validation)},
          {"test", subset_json(data.test)}};
}

bool multiplies_bf16(const Graph &graph) {
  return !graph.all(OpKind::bf16_conv2d).empty() || !graph.all(OpKind::bf16_matmul).empty();
}

Json memory_json(const CompiledProgram &compiled) {
  Json object = {{"parameter_bytes", compiled.program.parameter_bytes}};
  static constexpr const char *kPhases[] = {"infer", "eval", "train"};
  for (const int phase : {SINTER_INFER, SINTER_EVAL, SINTER_TRAIN})
    if (const Plan *plan = compiled.phases[phase].plan)
      object[kPhases[phase]] = {{"kernels", plan->kernels.size()},
                                {"arena_fixed", plan->arena_fixed},
                                {"arena_per_sample", plan->arena_per_sample},
                                {"micro_batch_per_sample", plan->micro_batch_per_sample},
                                {"micro_batch_most", plan->micro_batch_most}};
  return object;
}

} // namespace

std::string describe_program(const CompiledProgram &compiled) {
  const Program &program = compiled.program;
  const Interface &interface = compiled.interface;
  Json variants = Json::array();
  for (const Variant &variant : compiled.variants)
    variants.push_back(variant.name);
  Json object = {{"name", program.model.name},
                 {"prefix", compiled.prefix},
                 {"target", compiled.target},
                 {"variants", variants},
                 {"precision", multiplies_bf16(program.infer.graph) ? "bf16" : "f32"},
                 {"inputs", ports_json(interface.inputs)},
                 {"outputs", ports_json(interface.outputs)}};
  if (!interface.labels.empty()) {
    object["labels"] = ports_json(interface.labels);
    object["metrics"] = interface.metrics;
  }
  object["layers"] = layers_json(program.model);
  object["parameters"] = parameters_json(program);
  object["memory"] = memory_json(compiled);
  if (program.train)
    object["training"] = training_json(*program.model.training);
  if (program.model.data)
    object["data"] = data_json(*program.model.data);
  // A name from a user's file may be no UTF-8.
  return object.dump(-1, ' ', /*ensure_ascii=*/true, Json::error_handler_t::replace);
}

} // namespace sinter

#include "backends/program/interface.h"

#include "runtime/sinter_runtime.h"

#include <algorithm>

namespace sinter {

namespace {

std::optional<NodeId> find_input(const Graph &graph, const std::string &role) {
  std::optional<NodeId> found;
  for (const NodeId id : graph.all(OpKind::input)) {
    if (attrs<InputAttrs>(graph[id]).role != role)
      continue;
    if (found)
      throw CompileError(graph[id].location,
                         "a program takes one {} tensor, the model has {} and {}", role,
                         attrs<InputAttrs>(graph[*found]).name, attrs<InputAttrs>(graph[id]).name);
    found = id;
  }
  return found;
}

std::vector<std::string> metric_names(const Graph &graph) {
  std::vector<std::string> names;
  for (const Output &output : graph.outputs) {
    if (output.name == "loss")
      names.insert(names.begin(), output.name);
    else if (output.name != "prediction")
      names.push_back(output.name);
  }
  if (names.size() > SINTER_MAX_METRICS)
    throw CompileError({}, "a program has at most {} metrics with the loss, the model has {}",
                       SINTER_MAX_METRICS, names.size());
  return names;
}

// Class numbers reach the loss through one_hot alone, so its depth bounds them.
int64_t find_class_limit(const Graph &graph) {
  int64_t limit = 0;
  for (const NodeId id : graph.all(OpKind::one_hot)) {
    const int64_t depth = attrs<OneHotAttrs>(graph[id]).depth;
    limit = limit == 0 ? depth : std::min(limit, depth);
  }
  return limit;
}

bool is_probability(const Graph &graph, NodeId id) {
  const OpKind kind = graph[id].kind;
  if (kind == OpKind::reshape)
    return is_probability(graph, graph[id].inputs[0]);
  return kind == OpKind::softmax || kind == OpKind::sigmoid;
}

bool has_validation(const Program &program) {
  return program.model.data && !program.model.data->validation.source.empty();
}

// Keras's "auto": higher is better for accuracies and areas under a curve.
bool wants_maximum(const std::string &monitor, const std::string &mode) {
  if (mode != "auto")
    return mode == "max";
  return monitor.find("acc") != std::string::npos || monitor.find("auc") != std::string::npos;
}

Monitor find_monitor(const std::string &text, const std::string &mode,
                     const std::vector<std::string> &metrics) {
  Monitor monitor;
  monitor.validation = text.rfind("val_", 0) == 0;
  monitor.maximize = wants_maximum(text, mode);
  const std::string metric = monitor.validation ? text.substr(4) : text;
  const auto found = std::find(metrics.begin(), metrics.end(), metric);
  if (found == metrics.end()) {
    std::string known;
    for (const std::string &name : metrics)
      known += (known.empty() ? "" : ", ") + name;
    throw CompileError({}, "cannot monitor {}, the model's metrics are {}", text, known);
  }
  monitor.metric = static_cast<int>(found - metrics.begin());
  return monitor;
}

Monitor choose_monitor(const Program &program, const std::vector<std::string> &metrics,
                       Diagnostics &diagnostics) {
  const TrainingSpec &training = *program.model.training;
  const auto &stopping = training.early_stopping;
  const auto &checkpoint = training.checkpoint;
  std::string text = "val_loss";
  std::string mode = "auto";
  float min_delta = 0;
  if (stopping) {
    text = stopping->monitor;
    mode = stopping->mode;
    min_delta = stopping->min_delta;
  } else if (checkpoint) {
    text = checkpoint->monitor;
    mode = checkpoint->mode;
  }
  if (stopping && checkpoint && checkpoint->monitor != text)
    diagnostics.warn({}, fmt::format("the checkpoint follows {}, which early stopping monitors, "
                                     "instead of {}",
                                     text, checkpoint->monitor));
  Monitor monitor = find_monitor(text, mode, metrics);
  monitor.min_delta = min_delta;
  if (monitor.validation && !has_validation(program)) {
    if (stopping || checkpoint)
      diagnostics.warn({}, fmt::format("{} is monitored instead of {}: there is no validation data",
                                       metrics[static_cast<size_t>(monitor.metric)], text));
    monitor.validation = false;
  }
  return monitor;
}

} // namespace

int64_t effective_patience(const EarlyStoppingSpec &spec) {
  return std::max<int64_t>(spec.patience, 1);
}

Shape sample_shape(const TensorType &type) {
  SINTER_ASSERT(type.batched(), "{} has no batch", type.str());
  return Shape(type.shape.begin() + 1, type.shape.end());
}

Interface describe_interface(const Program &program, Diagnostics &diagnostics) {
  const Graph &infer = program.infer.graph;
  const std::optional<NodeId> data = find_input(infer, "data");
  const NodeId prediction = infer.find_output("prediction");
  if (!data || !prediction.valid() || !infer.type(prediction).batched())
    throw CompileError({}, "a program needs an input tensor and a prediction for every sample");
  Interface result;
  result.input = infer.type(*data);
  result.output = infer.type(prediction);
  const NodeId forward_prediction = program.model.graph.find_output("prediction");
  result.output_is_probability =
      forward_prediction.valid() && is_probability(program.model.graph, forward_prediction);
  if (program.eval) {
    const Graph &eval = program.eval->graph;
    const std::optional<NodeId> label = find_input(eval, "label");
    if (!label)
      throw CompileError({}, "the loss does not depend on a label");
    result.label = eval.type(*label);
    result.metrics = metric_names(eval);
    if (result.label->element == ElementType::i32)
      result.class_limit = find_class_limit(eval);
  }
  if (program.train)
    result.monitor = choose_monitor(program, result.metrics, diagnostics);
  return result;
}

} // namespace sinter

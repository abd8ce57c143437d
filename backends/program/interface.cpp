#include "backends/program/interface.h"

#include "runtime/sinter_runtime.h"

#include <algorithm>
#include <cctype>
#include <fmt/format.h>
#include <set>

namespace sinter {

std::string capitals(std::string text) {
  for (char &c : text)
    c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return text;
}

namespace {

/// `name` with '_' for what no C identifier may hold; the letters before it make it one.
std::string c_word(const std::string &name) {
  std::string word;
  for (const char c : name)
    word += std::isalnum(static_cast<unsigned char>(c)) != 0 && c > 0 ? c : '_';
  return word;
}

/// How one sort of tensors is called in C.
struct Naming {
  const char *alone;  // "x"
  const char *prefix; // "x_"
  const char *macro;  // "INPUT"
};
constexpr Naming kInputs{"x", "x_", "INPUT"};
constexpr Naming kLabels{"labels", "label_", "LABEL"};
constexpr Naming kOutputs{"y", "y_", "OUTPUT"};

/// Names that differ in C as well, where capitals and odd characters are lost.
void name_arguments(std::vector<Port> &ports, const Naming &naming) {
  std::set<std::string> macros;
  for (Port &port : ports) {
    port.argument = naming.alone;
    port.macro = naming.macro;
    if (ports.size() == 1)
      continue;
    const std::string word = c_word(port.name);
    std::string suffix;
    for (int copy = 2; !macros.insert(capitals(word + suffix)).second; ++copy)
      suffix = fmt::format("_{}", copy);
    port.argument = naming.prefix + word + suffix;
    port.macro = fmt::format("{}_{}", naming.macro, capitals(word + suffix));
  }
}

std::vector<Port> find_inputs(const Graph &graph, const std::string &role, const Naming &naming) {
  std::vector<Port> ports;
  for (const NodeId id : graph.all(OpKind::input)) {
    const auto &input = attrs<InputAttrs>(graph[id]);
    if (input.role != role)
      continue;
    Port &port = ports.emplace_back();
    port.name = input.name;
    port.type = input.type;
    port.channels_first = input.channels_first;
  }
  name_arguments(ports, naming);
  return ports;
}

bool is_probability(const Graph &graph, NodeId id) {
  const OpKind kind = graph[id].kind;
  if (kind == OpKind::reshape)
    return is_probability(graph, graph[id].inputs[0]);
  return kind == OpKind::softmax || kind == OpKind::sigmoid;
}

std::vector<Port> find_outputs(const Graph &forward) {
  std::vector<Port> ports;
  for (const Output &output : forward.outputs) {
    if (!is_prediction(output))
      continue;
    Port &port = ports.emplace_back();
    port.name = prediction_name(output);
    port.type = forward.type(output.value);
    port.is_probability = is_probability(forward, output.value);
  }
  if (ports.empty())
    throw CompileError({}, "a program needs a prediction to compute, the model has none");
  name_arguments(ports, kOutputs);
  return ports;
}

std::vector<std::string> metric_names(const Graph &graph) {
  std::vector<std::string> names;
  for (const Output &output : graph.outputs) {
    if (output.name == "loss")
      names.insert(names.begin(), output.name);
    else if (!is_prediction(output))
      names.push_back(output.name);
  }
  if (names.size() > SINTER_MAX_METRICS)
    throw CompileError({}, "a program has at most {} metrics with the loss, the model has {}",
                       SINTER_MAX_METRICS, names.size());
  return names;
}

/// The name of the input that `id` is but another form of; "" when it is more.
std::string source_input(const Graph &graph, NodeId id) {
  while (graph[id].inputs.size() == 1)
    id = graph[id].inputs[0];
  return graph[id].kind == OpKind::input ? attrs<InputAttrs>(graph[id]).name : "";
}

/// Class numbers reach the loss through one_hot alone, so its depth bounds them.
int64_t find_class_limit(const Graph &graph, const std::string &label) {
  int64_t limit = 0;
  for (const NodeId id : graph.all(OpKind::one_hot)) {
    const int64_t depth = attrs<OneHotAttrs>(graph[id]).depth;
    if (source_input(graph, graph[id].inputs[0]) == label)
      limit = limit == 0 ? depth : std::min(limit, depth);
  }
  return limit;
}

std::vector<Port> find_labels(const Graph &forward, const Graph &eval) {
  std::vector<Port> labels = find_inputs(forward, "label", kLabels);
  if (labels.empty())
    throw CompileError({}, "the loss does not depend on a label");
  for (Port &label : labels)
    if (label.type.element == ElementType::i32)
      label.class_limit = find_class_limit(eval, label.name);
  return labels;
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

/// What a callback asks for, and whether the script has that callback.
struct MonitorRequest {
  std::string monitor = "val_loss";
  std::string mode = "auto";
  float min_delta = 0;
  bool in_script = false;
};

Monitor find_monitor(const MonitorRequest &request, const Program &program,
                     const std::vector<std::string> &metrics, Diagnostics &diagnostics) {
  Monitor monitor;
  monitor.validation = request.monitor.rfind("val_", 0) == 0;
  monitor.maximize = wants_maximum(request.monitor, request.mode);
  monitor.min_delta = request.min_delta;
  const std::string metric = monitor.validation ? request.monitor.substr(4) : request.monitor;
  const auto found = std::find(metrics.begin(), metrics.end(), metric);
  if (found == metrics.end())
    throw CompileError({}, "cannot monitor {}, the model's metrics are {}", request.monitor,
                       fmt::join(metrics, ", "));
  monitor.metric = static_cast<int>(found - metrics.begin());
  if (monitor.validation && !has_validation(program)) {
    if (request.in_script)
      diagnostics.warn({}, fmt::format("{} is monitored instead of {}: there is no validation data",
                                       metric, request.monitor));
    monitor.validation = false;
  }
  return monitor;
}

bool same_metric(const Monitor &a, const Monitor &b) {
  return a.metric == b.metric && a.validation == b.validation && a.maximize == b.maximize;
}

/// Each callback has its own; what the script leaves out follows the other one.
void choose_monitors(const Program &program, Interface &interface, Diagnostics &diagnostics) {
  const TrainingSpec &training = *program.model.training;
  const auto find = [&](const MonitorRequest &request) {
    return find_monitor(request, program, interface.metrics, diagnostics);
  };
  if (const auto &stopping = training.early_stopping)
    interface.stopping = find({stopping->monitor, stopping->mode, stopping->min_delta, true});
  const bool keeps_best = training.checkpoint && training.checkpoint->save_best_only;
  if (keeps_best)
    interface.checkpoint = find({training.checkpoint->monitor, training.checkpoint->mode, 0, true});
  if (!training.early_stopping)
    interface.stopping = keeps_best ? interface.checkpoint : find({});
  if (!keeps_best)
    interface.checkpoint = interface.stopping;

  if (const auto &plateau = training.plateau)
    interface.plateau = find({plateau->monitor, plateau->mode, plateau->min_delta, true});

  const bool restores = training.early_stopping && training.early_stopping->restore_best_weights;
  if (restores && training.checkpoint &&
      (!keeps_best || !same_metric(interface.stopping, interface.checkpoint)))
    diagnostics.warn({}, fmt::format("the program keeps the weights of the checkpoint ({}), not "
                                     "those that early stopping restores ({})",
                                     keeps_best ? training.checkpoint->monitor : "every epoch",
                                     training.early_stopping->monitor));
}

} // namespace

bool Interface::batched() const {
  for (const std::vector<Port> *ports : {&inputs, &labels, &outputs})
    for (const Port &port : *ports)
      if (port.type.batched())
        return true;
  return false;
}

int64_t effective_patience(const EarlyStoppingSpec &spec) {
  return std::max<int64_t>(spec.patience, 1);
}

Shape sample_shape(const TensorType &type) {
  return Shape(type.shape.begin() + (type.batched() ? 1 : 0), type.shape.end());
}

Interface describe_interface(const Program &program, Diagnostics &diagnostics) {
  const Graph &forward = program.model.graph;
  Interface interface;
  interface.inputs = find_inputs(forward, "data", kInputs);
  interface.outputs = find_outputs(forward);
  if (program.eval) {
    interface.labels = find_labels(forward, program.eval->graph);
    interface.metrics = metric_names(program.eval->graph);
  }
  if (program.train)
    choose_monitors(program, interface, diagnostics);
  return interface;
}

} // namespace sinter

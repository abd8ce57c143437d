// Losses and metrics as nodes: the label input, one value a sample, the mean over the batch.
#include "frontend/interpreter.h"
#include "frontend/keras_session.h"
#include "frontend/modules.h"
#include "frontend/training.h"

namespace sinter {

namespace {

enum class LossKind { sparse_categorical, categorical, binary, squared };

struct Loss {
  LossKind kind;
  bool from_logits = false;
};

constexpr std::pair<std::string_view, LossKind> kLosses[] = {
    {"sparse_categorical_crossentropy", LossKind::sparse_categorical},
    {"categorical_crossentropy", LossKind::categorical},
    {"binary_crossentropy", LossKind::binary},
    {"mean_squared_error", LossKind::squared},
    {"mse", LossKind::squared},
    {"SparseCategoricalCrossentropy", LossKind::sparse_categorical},
    {"CategoricalCrossentropy", LossKind::categorical},
    {"BinaryCrossentropy", LossKind::binary},
    {"MeanSquaredError", LossKind::squared}};

/// The name by which a loss or metric was given: as a string, a function or an object.
std::string_view given_name(const Value &value, Family family) {
  if (const auto *text = std::get_if<std::string>(&value))
    return *text;
  const auto *native = std::get_if<const Native *>(&value);
  if (native && (*native)->family == family)
    return (*native)->name();
  const Configured *configured = object<Configured>(value);
  return configured && configured->type->family == family ? configured->type->name()
                                                          : std::string_view();
}

Loss find_loss(const CompileRecord &compiled) {
  std::vector<std::string_view> known;
  std::string_view name = given_name(compiled.loss, Family::loss);
  if (name == "MSE")
    name = "mse";
  for (const auto &[candidate, kind] : kLosses) {
    known.push_back(candidate);
    if (name != candidate)
      continue;
    const Configured *configured = object<Configured>(compiled.loss);
    const bool logits = configured && configured->arguments.has("from_logits") &&
                        configured->arguments.boolean("from_logits");
    return {kind, logits};
  }
  throw CompileError(compiled.location, "unknown loss {}{}", describe(compiled.loss),
                     suggestion(name, known));
}

/// What losses and metrics are computed from.
struct Targets {
  Graph &graph;
  const CompileRecord &compiled;
  NodeId prediction;
  NodeId target; // dense, of the prediction's shape

  NodeId append(OpKind kind, std::vector<NodeId> inputs, Attrs attrs = NoAttrs{}) const {
    return graph.append(kind, std::move(inputs), std::move(attrs), {}, compiled.location);
  }
  /// The mean over the batch (and over rows, where samples have several) as an output.
  void output(const std::string &name, NodeId per_sample) const {
    std::vector<int64_t> axes;
    for (int64_t axis = 0; axis < graph.type(per_sample).rank(); ++axis)
      axes.push_back(axis);
    for (const Output &other : graph.outputs)
      if (other.name == name)
        throw CompileError(compiled.location, "two metrics are named '{}'", name);
    graph.outputs.push_back({name, append(OpKind::reduce_mean, {per_sample}, ReduceAttrs{axes})});
  }
};

/// The label input, and the dense target that it gives.
NodeId append_target(Graph &graph, const CompileRecord &compiled, const Loss &loss,
                     const TensorType &prediction) {
  const SourceLocation &location = compiled.location;
  InputAttrs label;
  label.name = "label";
  label.role = "label";
  label.type = prediction;
  if (loss.kind != LossKind::sparse_categorical)
    return graph.append(OpKind::input, {}, label, {}, location);
  label.type = {ElementType::i32, {prediction.shape.begin(), prediction.shape.end() - 1}};
  const NodeId numbers = graph.append(OpKind::input, {}, label, {}, location);
  return graph.append(OpKind::one_hot, {numbers}, OneHotAttrs{prediction.shape.back()}, {},
                      location);
}

void check_prediction(const CompileRecord &compiled, const Loss &loss,
                      const TensorType &prediction) {
  const bool categorical =
      loss.kind == LossKind::sparse_categorical || loss.kind == LossKind::categorical;
  if (prediction.rank() < 2 || (categorical && prediction.rank() != 2))
    throw CompileError(compiled.location, "{} expects a prediction [N,classes], got {}",
                       describe(compiled.loss), str(prediction.shape));
  if (categorical && prediction.shape.back() < 2)
    throw CompileError(compiled.location, "{} needs at least 2 classes, the prediction is {}",
                       describe(compiled.loss), str(prediction.shape));
}

void append_loss(const Targets &targets, const Loss &loss) {
  OpKind kind = OpKind::mean_squared_error;
  if (loss.kind == LossKind::binary)
    kind = loss.from_logits ? OpKind::sigmoid_cross_entropy : OpKind::binary_crossentropy;
  else if (loss.kind != LossKind::squared)
    kind = loss.from_logits ? OpKind::softmax_cross_entropy : OpKind::categorical_crossentropy;
  targets.output("loss", targets.append(kind, {targets.prediction, targets.target}));
}

/// The op of a metric. "accuracy" is what Keras makes of it: by the prediction's last extent.
OpKind metric_kind(std::string_view name, const Value &metric, const Targets &targets,
                   const Loss &loss) {
  const bool one_output = targets.graph.type(targets.prediction).shape.back() == 1;
  const bool sparse = loss.kind == LossKind::sparse_categorical;
  if (name == "accuracy" || name == "acc")
    return one_output ? OpKind::binary_accuracy : OpKind::categorical_accuracy;
  if (name == "binary_accuracy" || name == "BinaryAccuracy")
    return OpKind::binary_accuracy;
  const bool sparse_accuracy =
      name == "sparse_categorical_accuracy" || name == "SparseCategoricalAccuracy";
  const bool dense_accuracy = name == "categorical_accuracy" || name == "CategoricalAccuracy";
  if (sparse_accuracy || dense_accuracy) {
    if (sparse_accuracy != sparse)
      throw CompileError(targets.compiled.location,
                         "the metric {} expects labels as {}, the loss "
                         "as {}",
                         describe(metric), sparse ? "one-hot rows" : "class numbers",
                         sparse ? "class numbers" : "one-hot rows");
    return OpKind::categorical_accuracy;
  }
  if (name == "mse" || name == "MSE" || name == "mean_squared_error" || name == "MeanSquaredError")
    return OpKind::mean_squared_error;
  static const std::vector<std::string_view> known_metrics = {
      "accuracy", "binary_accuracy", "categorical_accuracy", "sparse_categorical_accuracy",
      "mean_squared_error"};
  throw CompileError(targets.compiled.location, "unknown metric {}{}", describe(metric),
                     suggestion(name, known_metrics));
}

void append_metric(const Targets &targets, const Value &metric, const Loss &loss) {
  if (const Opaque *unknown = object<Opaque>(metric))
    fail_unknown(*unknown, targets.compiled.location, "a metric");
  const std::string_view name = given_name(metric, Family::metric);
  const OpKind kind =
      metric_kind(name.empty() ? given_name(metric, Family::loss) : name, metric, targets, loss);
  // Keras logs a metric under the string it was given by, an object under its own name.
  std::string logged{name.empty() ? given_name(metric, Family::loss) : name};
  if (const Configured *configured = object<Configured>(metric))
    logged = configured->arguments.is_none("name") ? snake_case_name(logged)
                                                   : configured->arguments.text("name");
  targets.output(logged, targets.append(kind, {targets.prediction, targets.target}));
}

} // namespace

bool takes_class_numbers(const CompileRecord &compiled) {
  return find_loss(compiled).kind == LossKind::sparse_categorical;
}

void append_losses(Graph &graph, const CompileRecord &compiled) {
  const Loss loss = find_loss(compiled);
  const NodeId prediction = graph.find_output("prediction");
  const TensorType type = graph.type(prediction);
  check_prediction(compiled, loss, type);
  const Targets targets{graph, compiled, prediction, append_target(graph, compiled, loss, type)};
  append_loss(targets, loss);
  for (const Value &metric : compiled.metrics)
    append_metric(targets, metric, loss);
}

} // namespace sinter

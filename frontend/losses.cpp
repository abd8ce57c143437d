#include "frontend/losses.h"

#include "frontend/training.h"
#include "ir/leaf_names.h"

namespace sinter {

namespace {

/// Every name of a loss: the function's, the abbreviations', the class's.
constexpr std::pair<std::string_view, LossKind> kLosses[] = {
    {"sparse_categorical_crossentropy", LossKind::sparse_categorical},
    {"categorical_crossentropy", LossKind::categorical},
    {"binary_crossentropy", LossKind::binary},
    {"mean_squared_error", LossKind::squared},
    {"mean_absolute_error", LossKind::absolute},
    {"huber", LossKind::huber},
    {"huber_loss", LossKind::huber},
    {"hinge", LossKind::hinge},
    {"squared_hinge", LossKind::squared_hinge},
    {"log_cosh", LossKind::log_cosh},
    {"logcosh", LossKind::log_cosh},
    {"poisson", LossKind::poisson},
    {"kl_divergence", LossKind::kl_divergence},
    {"kullback_leibler_divergence", LossKind::kl_divergence},
    {"mse", LossKind::squared},
    {"MSE", LossKind::squared},
    {"mae", LossKind::absolute},
    {"MAE", LossKind::absolute},
    {"SparseCategoricalCrossentropy", LossKind::sparse_categorical},
    {"CategoricalCrossentropy", LossKind::categorical},
    {"BinaryCrossentropy", LossKind::binary},
    {"MeanSquaredError", LossKind::squared},
    {"MeanAbsoluteError", LossKind::absolute},
    {"Huber", LossKind::huber},
    {"Hinge", LossKind::hinge},
    {"SquaredHinge", LossKind::squared_hinge},
    {"LogCosh", LossKind::log_cosh},
    {"Poisson", LossKind::poisson},
    {"KLDivergence", LossKind::kl_divergence},
    {"CrossEntropyLoss", LossKind::sparse_categorical}, // torch.nn's, from here on
    {"NLLLoss", LossKind::negative_log_likelihood},
    {"MSELoss", LossKind::squared},
    {"L1Loss", LossKind::absolute},
    {"HuberLoss", LossKind::huber},
    {"SmoothL1Loss", LossKind::huber},
    {"BCELoss", LossKind::binary},
    {"BCEWithLogitsLoss", LossKind::binary}};

/// torch.nn's losses that take what comes before the softmax or the sigmoid.
bool takes_logits(std::string_view name) {
  return name == "CrossEntropyLoss" || name == "BCEWithLogitsLoss";
}

void check_prediction(const CompileRecord &compiled, const CompiledOutput &output,
                      const TensorType &prediction) {
  if (prediction.rank() < 2)
    throw CompileError(compiled.location, "{} expects a prediction [N,classes], got {}",
                       describe(output.loss_value), str(prediction.shape));
  if (output.loss->categorical() && prediction.shape.back() < 2)
    throw CompileError(compiled.location, "{} needs at least 2 classes, the prediction is {}",
                       describe(output.loss_value), str(prediction.shape));
}

/// The label input of that name and type; outputs that are told the same share one.
NodeId label_input(Graph &graph, const std::string &name, const TensorType &type,
                   const SourceLocation &location) {
  std::vector<NodeId> labels;
  for (const NodeId id : graph.all(OpKind::input))
    if (attrs<InputAttrs>(graph[id]).role == "label")
      labels.push_back(id);
  for (const NodeId id : labels)
    if (graph.type(id) == type)
      return id;
  InputAttrs label;
  label.name = LeafNames(graph).take(labels.empty() ? "label" : "label_" + name);
  label.role = "label";
  label.type = type;
  return graph.append(OpKind::input, {}, label, {}, location);
}

/// The dense target: the labels, or one-hot rows of class numbers.
NodeId append_target(Graph &graph, const CompiledOutput &output, const SourceLocation &location) {
  const TensorType prediction = graph.type(output.prediction);
  if (!output.loss->sparse())
    return label_input(graph, output.name, prediction, location);
  const TensorType numbers{ElementType::i32,
                           {prediction.shape.begin(), prediction.shape.end() - 1}};
  return graph.append(OpKind::one_hot, {label_input(graph, output.name, numbers, location)},
                      OneHotAttrs{prediction.shape.back()}, {}, location);
}

/// Keras: target * (1 - s) + s / classes; of a binary loss, s / 2.
NodeId smoothed(const Targets &t) {
  const float s = t.loss.label_smoothing;
  if (s == 0)
    return t.target;
  const auto classes = static_cast<float>(t.type(t.prediction).shape.back());
  return t.affine(t.target, 1 - s, t.loss.categorical() ? s / classes : s / 2);
}

} // namespace

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

std::optional<Loss> find_loss(std::string_view name) {
  for (const auto &[candidate, kind] : kLosses)
    if (name == candidate) {
      Loss loss;
      loss.kind = kind;
      loss.from_logits = takes_logits(name);
      return loss;
    }
  return std::nullopt;
}

Loss find_loss(const Value &value, const SourceLocation &location) {
  const std::string_view name = given_name(value, Family::loss);
  std::optional<Loss> loss = find_loss(name);
  if (!loss) {
    std::vector<std::string_view> known;
    for (const auto &[candidate, kind] : kLosses)
      known.push_back(candidate);
    throw CompileError(location, "unknown loss {}{}", describe(value), suggestion(name, known));
  }
  if (const Configured *configured = object<Configured>(value)) {
    const Arguments &arguments = configured->arguments;
    if (arguments.has("from_logits"))
      loss->from_logits = arguments.boolean("from_logits");
    if (arguments.has("label_smoothing"))
      loss->label_smoothing = arguments.real("label_smoothing");
    if (arguments.has("delta"))
      loss->delta = arguments.real("delta");
  }
  return *loss;
}

NodeId Targets::mean(NodeId per_sample) const {
  std::vector<int64_t> axes;
  for (int64_t axis = 0; axis < type(per_sample).rank(); ++axis)
    axes.push_back(axis);
  return append(OpKind::reduce_mean, {per_sample}, ReduceAttrs{axes});
}

NodeId append_loss(const Targets &t) {
  const bool logits = t.loss.from_logits;
  Composer c = t.composer();
  switch (t.loss.kind) {
  case LossKind::sparse_categorical:
  case LossKind::categorical:
    return t.append(logits ? OpKind::softmax_cross_entropy : OpKind::categorical_crossentropy,
                    {t.prediction, smoothed(t)});
  case LossKind::binary:
    return t.append(logits ? OpKind::sigmoid_cross_entropy : OpKind::binary_crossentropy,
                    {t.prediction, smoothed(t)});
  case LossKind::squared:
    return t.append(OpKind::mean_squared_error, {t.prediction, t.target});
  case LossKind::absolute:
    return compose::mean_absolute_error(c, t.prediction, t.target);
  case LossKind::huber:
    return compose::huber(c, t.prediction, t.target, t.loss.delta);
  case LossKind::hinge:
  case LossKind::squared_hinge:
    return compose::hinge(c, t.prediction, t.target, t.loss.kind == LossKind::squared_hinge);
  case LossKind::log_cosh:
    return compose::log_cosh(c, t.prediction, t.target);
  case LossKind::poisson:
    return compose::poisson(c, t.prediction, t.target);
  case LossKind::kl_divergence:
    return compose::kl_divergence(c, t.prediction, t.target);
  case LossKind::negative_log_likelihood:
    return compose::negative_log_likelihood(c, t.prediction, t.target);
  }
  SINTER_UNREACHABLE("loss {}", static_cast<int>(t.loss.kind));
}

void append_losses(Graph &graph, const CompileRecord &compiled,
                   const std::vector<NodeId> &penalties) {
  const std::vector<CompiledOutput> outputs = compiled_outputs(graph, compiled);
  std::vector<Output> logged;
  std::vector<Output> metrics;
  NodeId total;
  const auto add = [&](NodeId term) {
    total =
        total.valid() ? graph.append(OpKind::add, {total, term}, {}, {}, compiled.location) : term;
  };
  for (const CompiledOutput &output : outputs) {
    if (!output.loss)
      continue;
    check_prediction(compiled, output, graph.type(output.prediction));
    const Targets targets{graph, compiled, output.prediction,
                          append_target(graph, output, compiled.location), *output.loss};
    const NodeId loss = targets.mean(append_loss(targets));
    add(output.weight == 1 ? loss : targets.affine(loss, output.weight, 0));
    const std::string prefix = outputs.size() > 1 ? output.name + "_" : "";
    if (outputs.size() > 1)
      logged.push_back({prefix + "loss", loss});
    for (const Value &value : output.metrics) {
      const Metric metric = append_metric(targets, value);
      metrics.push_back({prefix + metric.name, targets.mean(metric.value)});
    }
  }
  for (const NodeId penalty : penalties)
    add(penalty);
  logged.insert(logged.begin(), {"loss", total});
  logged.insert(logged.end(), metrics.begin(), metrics.end());
  for (const Output &output : logged) {
    for (const Output &other : graph.outputs)
      if (other.name == output.name)
        throw CompileError(compiled.location, "two metrics are named '{}'", output.name);
    graph.outputs.push_back(output);
  }
}

} // namespace sinter

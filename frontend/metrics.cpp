#include "frontend/keras_session.h"
#include "frontend/losses.h"

namespace sinter {

namespace {

struct MetricName {
  std::string_view function, type; // "categorical_accuracy", "CategoricalAccuracy"
};

constexpr MetricName kAccuracy{"accuracy", "acc"};
constexpr MetricName kBinary{"binary_accuracy", "BinaryAccuracy"};
constexpr MetricName kCategorical{"categorical_accuracy", "CategoricalAccuracy"};
constexpr MetricName kSparse{"sparse_categorical_accuracy", "SparseCategoricalAccuracy"};
constexpr MetricName kTopK{"top_k_categorical_accuracy", "TopKCategoricalAccuracy"};
constexpr MetricName kSparseTopK{"sparse_top_k_categorical_accuracy",
                                 "SparseTopKCategoricalAccuracy"};

bool is(std::string_view name, const MetricName &metric) {
  return name == metric.function || name == metric.type;
}

/// Labels are class numbers for one family of metrics and rows for the other.
void require_labels(const Targets &t, const Value &metric, bool class_numbers) {
  if (class_numbers != t.loss.sparse())
    throw CompileError(t.compiled.location, "the metric {} expects labels as {}, the loss as {}",
                       describe(metric), class_numbers ? "class numbers" : "one-hot rows",
                       t.loss.sparse() ? "class numbers" : "one-hot rows");
}

/// 1 where fewer than k classes score higher than the true one: of the n classes, the true one
/// scores at least as high as n - k + 1.
NodeId top_k(const Targets &t, int64_t k) {
  const NodeId hits = t.append(OpKind::multiply, {t.prediction, t.target});
  const NodeId score = t.row(OpKind::reduce_sum, hits, /*keep_dims=*/true);
  const auto as_number = [&](NodeId mask) {
    return t.append(OpKind::cast, {mask}, CastAttrs{ElementType::f32});
  };
  const NodeId beaten =
      t.row(OpKind::reduce_sum, as_number(t.append(OpKind::greater_equal, {score, t.prediction})));
  const auto classes = static_cast<float>(t.type(t.prediction).shape.back());
  const NodeId limit = t.scalar(classes - static_cast<float>(k) + 0.5F);
  return as_number(t.append(OpKind::greater, {beaten, limit}));
}

NodeId accuracy(const Targets &t, std::string_view name, const Value &metric) {
  const bool one_output = t.type(t.prediction).shape.back() == 1;
  if (is(name, kBinary) || (is(name, kAccuracy) && one_output))
    return t.append(OpKind::binary_accuracy, {t.prediction, t.target});
  if (!is(name, kAccuracy))
    require_labels(t, metric, is(name, kSparse));
  return t.append(OpKind::categorical_accuracy, {t.prediction, t.target});
}

[[noreturn]] void fail_unknown_metric(const Targets &t, const Value &metric,
                                      std::string_view name) {
  static const std::vector<std::string_view> known = {
      kAccuracy.function, kBinary.function,     kCategorical.function, kSparse.function,
      kTopK.function,     kSparseTopK.function, "mean_squared_error",  "mean_absolute_error"};
  throw CompileError(t.compiled.location, "unknown metric {}{}", describe(metric),
                     suggestion(name, known));
}

NodeId metric_value(const Targets &t, std::string_view name, const Value &metric) {
  if (is(name, kAccuracy) || is(name, kBinary) || is(name, kCategorical) || is(name, kSparse))
    return accuracy(t, name, metric);
  if (is(name, kTopK) || is(name, kSparseTopK)) {
    require_labels(t, metric, is(name, kSparseTopK));
    const Configured *configured = object<Configured>(metric);
    return top_k(t, configured ? configured->arguments.integer("k") : 5);
  }
  const std::optional<Loss> loss = find_loss(name); // losses are metrics, too
  if (!loss)
    fail_unknown_metric(t, metric, name);
  if (loss->categorical())
    require_labels(t, metric, loss->sparse());
  return append_loss({t.graph, t.compiled, t.prediction, t.target, *loss});
}

} // namespace

Metric append_metric(const Targets &t, const Value &metric) {
  if (const Opaque *unknown = object<Opaque>(metric))
    fail_unknown(*unknown, t.compiled.location, "a metric");
  std::string_view name = given_name(metric, Family::metric);
  if (name.empty())
    name = given_name(metric, Family::loss);
  // Keras logs a metric under the string it was given by, an object under its own name.
  std::string logged{name};
  if (const Configured *configured = object<Configured>(metric))
    logged = configured->arguments.is_none("name") ? snake_case_name(logged)
                                                   : configured->arguments.text("name");
  return {logged, metric_value(t, name, metric)};
}

} // namespace sinter

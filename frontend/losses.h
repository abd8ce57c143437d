// Losses and metrics: what compile() names, and the nodes that compute it.
#pragma once

#include "frontend/compose.h"
#include "frontend/keras_objects.h"
#include "ir/diagnostics.h"

namespace sinter {

enum class LossKind {
  sparse_categorical,
  categorical,
  binary,
  squared,
  absolute,
  huber,
  hinge,
  squared_hinge,
  log_cosh,
  poisson,
  kl_divergence,
  negative_log_likelihood
};

struct Loss {
  LossKind kind = LossKind::squared;
  bool from_logits = false;
  float label_smoothing = 0;
  float delta = 1; // huber's

  bool sparse() const {
    return kind == LossKind::sparse_categorical || kind == LossKind::negative_log_likelihood;
  }
  bool categorical() const { return sparse() || kind == LossKind::categorical; }
};

/// One output of a model, and what compile() says about it. An output without a loss is not
/// trained.
struct CompiledOutput {
  std::string name; // of the layer that makes it
  NodeId prediction;
  std::optional<Loss> loss;
  Value loss_value = None{}; // the loss as the script gave it
  float weight = 1;
  std::vector<Value> metrics;
};

/// The outputs "prediction" and "prediction:NAME" of a graph, and which loss, weight and metrics
/// they have: compile() takes one for all, a list of one each, or a dict by name.
std::vector<CompiledOutput> compiled_outputs(const Graph &, const CompileRecord &);

/// What losses and metrics of one output are computed from.
struct Targets {
  Graph &graph;
  const CompileRecord &compiled;
  NodeId prediction;
  NodeId target; // dense, of the prediction's shape
  Loss loss;

  TensorType type(NodeId id) const { return graph.type(id); }
  NodeId append(OpKind kind, std::vector<NodeId> inputs, Attrs attrs = NoAttrs{}) const {
    return graph.append(kind, std::move(inputs), std::move(attrs), {}, compiled.location);
  }
  Composer composer() const { return {graph, "", compiled.location}; }
  NodeId affine(NodeId x, float scale, float offset) const {
    return append(OpKind::affine, {x}, AffineAttrs{scale, offset});
  }
  NodeId scalar(float value) const {
    return append(OpKind::constant, {}, ConstantAttrs{{value}, {ElementType::f32, {}}});
  }
  /// The mean, or the sum, along the last dimension.
  NodeId row(OpKind reduction, NodeId x, bool keep_dims = false) const {
    return append(reduction, {x}, ReduceAttrs{{type(x).rank() - 1}, keep_dims});
  }
  /// The mean over the batch, and over rows where samples have several.
  NodeId mean(NodeId per_sample) const;
};

/// The loss of that name, any of its spellings.
std::optional<Loss> find_loss(std::string_view name);
/// The loss that a name, a function or an object stands for; throws when there is none.
Loss find_loss(const Value &, const SourceLocation &);
/// One value a sample (and a row of it).
NodeId append_loss(const Targets &);
/// Its value a sample, and the name under which Keras logs it.
struct Metric {
  std::string name;
  NodeId value;
};
Metric append_metric(const Targets &, const Value &metric);

/// The name by which a loss or metric was given: as a string, a function or an object.
std::string_view given_name(const Value &, Family);

} // namespace sinter

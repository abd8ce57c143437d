#include "passes/specialize_for_training.h"

#include "ir/leaf_names.h"

#include <algorithm>
#include <numeric>

namespace sinter {

namespace {

/// The graph's rng key input, made at its first use.
class RngInput {
public:
  explicit RngInput(const Graph &before) : name_(LeafNames(before).take("rng")) {}

  NodeId get(Graph &graph) {
    if (!id_.valid())
      id_ = find(graph);
    if (!id_.valid())
      id_ = graph.append(OpKind::input, {}, InputAttrs{name_, "rng", {ElementType::i32, {4}, 0}});
    return id_;
  }

private:
  static NodeId find(const Graph &graph) {
    for (NodeId input : graph.all(OpKind::input))
      if (attrs<InputAttrs>(graph[input]).role == "rng")
        return input;
    return {};
  }

  std::string name_; // of one that is made
  NodeId id_;
};

NodeId expand_dropout(const RewriteContext &context, RngInput &rng) {
  const auto &dropout = attrs<DropoutAttrs>(context.node());
  const NodeId x = context.inputs[0];
  Shape shape = context.after.type(x).shape;
  for (const int64_t axis : dropout.shared)
    shape[static_cast<size_t>(axis)] = 1;
  const NodeId mask = context.append(OpKind::dropout_mask, {rng.get(context.after)},
                                     DropoutMaskAttrs{dropout.rate, dropout.stream, shape});
  return context.append(OpKind::multiply, {x, mask});
}

/// count / (count - 1), for the count of values that a channel of x has in the batch. A single
/// value has no sample variance: its own, which is 0, stays as it is.
NodeId sample_correction(const RewriteContext &context, NodeId x) {
  const Shape shape = context.after.type(x).shape;
  const auto positions =
      static_cast<float>(*checked_element_count({shape.begin() + 1, shape.end() - 1}));
  const NodeId one =
      context.append(OpKind::constant, {}, ConstantAttrs{{1}, {ElementType::f32, {}, 0}});
  const NodeId ones = context.append(OpKind::broadcast, {one}, BroadcastAttrs{{shape[0]}, {0}});
  const NodeId samples = context.append(OpKind::reduce_sum, {ones}, ReduceAttrs{{0}, false});
  const NodeId count = context.append(OpKind::affine, {samples}, AffineAttrs{positions, 0});
  const NodeId rest = context.append(OpKind::affine, {samples}, AffineAttrs{positions, -1});
  return context.append(OpKind::divide, {count, context.append(OpKind::maximum, {rest, one})});
}

/// Moves a moving statistic towards the batch's. A layer that is called several times moves it each
/// time.
void track(const RewriteContext &context, std::vector<Update> &updates, NodeId moving,
           NodeId statistic, double momentum) {
  if (context.after[moving].kind != OpKind::parameter)
    return;
  const auto known = std::find_if(updates.begin(), updates.end(),
                                  [&](const Update &update) { return update.parameter == moving; });
  Update &update = known != updates.end() ? *known : updates.emplace_back(Update{moving, moving});
  update.value =
      context.append(OpKind::moving_average, {update.value, statistic}, DecayAttrs{momentum});
}

NodeId expand_batch_norm(const RewriteContext &context, std::vector<Update> &updates) {
  const auto &norm = attrs<BatchNormAttrs>(context.node());
  const NodeId x = context.inputs[0];
  std::vector<int64_t> axes(static_cast<size_t>(context.after.type(x).rank() - 1));
  std::iota(axes.begin(), axes.end(), 0);
  const auto mean_of = [&](NodeId value) {
    return context.append(OpKind::reduce_mean, {value}, ReduceAttrs{axes, false});
  };
  const NodeId mean = norm.frozen ? context.inputs[3] : mean_of(x);
  const NodeId centered = context.append(OpKind::subtract, {x, mean});
  const NodeId variance =
      norm.frozen ? context.inputs[4] : mean_of(context.append(OpKind::square, {centered}));
  const NodeId shifted = context.append(OpKind::affine, {variance}, AffineAttrs{1, norm.epsilon});
  const NodeId inverse = context.append(OpKind::rsqrt, {shifted});
  const NodeId scale = context.append(OpKind::multiply, {inverse, context.inputs[1]});
  if (!norm.frozen) {
    track(context, updates, context.inputs[3], mean, norm.momentum);
    track(context, updates, context.inputs[4],
          norm.sample_variance
              ? context.append(OpKind::multiply, {variance, sample_correction(context, x)})
              : variance,
          norm.momentum);
  }
  const NodeId scaled = context.append(OpKind::multiply, {centered, scale});
  return context.append(OpKind::bias_add, {scaled, context.inputs[2]});
}

} // namespace

void specialize_for_training(Graph &graph) {
  RngInput rng(graph);
  std::vector<Update> updates;
  graph = rewrite(graph, [&](const RewriteContext &context) -> std::optional<NodeId> {
    if (context.node().kind == OpKind::dropout)
      return expand_dropout(context, rng);
    if (context.node().kind == OpKind::in_training)
      return context.inputs[1];
    if (context.node().kind == OpKind::batch_norm)
      return expand_batch_norm(context, updates);
    return std::nullopt;
  });
  graph.updates.insert(graph.updates.end(), updates.begin(), updates.end());
}

} // namespace sinter

#include "passes/cancel_transposes.h"

#include "ir/op.h"
#include "ir/permutation.h"
#include "passes/eliminate_dead_nodes.h"

#include <algorithm>

namespace sinter {

namespace {

using Result = std::optional<NodeId>;

size_t at(int64_t i) { return static_cast<size_t>(i); }

/// Only dimensions of extent 1 change places: the elements stay in their order.
bool keeps_order(const Shape &shape, const Permutation &permutation) {
  int64_t last = -1;
  for (int64_t axis : permutation) {
    if (shape[at(axis)] == 1)
      continue;
    if (axis < last)
      return false;
    last = axis;
  }
  return true;
}

/// The transpose that an operand is, in the new graph, or nullptr.
const Node *transpose_at(const RewriteContext &context, size_t i) {
  const Node &node = context.after[context.inputs[i]];
  return node.kind == OpKind::transpose ? &node : nullptr;
}

const Permutation &permutation_of(const Node &transpose) {
  return attrs<TransposeAttrs>(transpose).permutation;
}

NodeId transposed(const RewriteContext &context, NodeId x, const Permutation &permutation) {
  if (is_identity(permutation))
    return x;
  return context.append(OpKind::transpose, {x}, TransposeAttrs{permutation});
}

Result join_transposes(const RewriteContext &context) {
  if (context.node().kind != OpKind::transpose || !transpose_at(context, 0))
    return std::nullopt;
  const Node inner = *transpose_at(context, 0);
  return transposed(context, inner.inputs[0],
                    permuted(permutation_of(inner), permutation_of(context.node())));
}

/// The operand as it broadcasts against the result before `permutation`: with all dimensions, in
/// the order from before. Nothing where that would move more than the result's transpose does.
Result before_permutation(const RewriteContext &context, NodeId id,
                          const Permutation &permutation) {
  const Node node = context.after[id];
  if (node.type.shape.empty())
    return id;
  if (node.kind == OpKind::transpose && permutation_of(node) == permutation)
    return node.inputs[0];
  Shape shape(permutation.size() - node.type.shape.size(), 1);
  shape.insert(shape.end(), node.type.shape.begin(), node.type.shape.end());
  const Permutation back = inverse(permutation);
  const bool leaf = op_def(node.kind).traits.op_class == OpClass::leaf && !node.type.batched();
  if (node.type.blocked() || (!leaf && !keeps_order(shape, back)))
    return std::nullopt;
  // A batch that does not lead any more would be no batch; the type rules keep it in front.
  if (shape[0] != kBatch && std::count(shape.begin(), shape.end(), kBatch) > 0)
    return std::nullopt;
  const bool same_rank = shape == node.type.shape;
  if (keeps_order(shape, back))
    return context.append(OpKind::reshape, {id}, ReshapeAttrs{permuted(shape, back)});
  const NodeId full = same_rank ? id : context.append(OpKind::reshape, {id}, ReshapeAttrs{shape});
  return transposed(context, full, back);
}

Result sink_below_elementwise(const RewriteContext &context) {
  const Node &node = context.node();
  const Traits &traits = op_def(node.kind).traits;
  if (traits.op_class != OpClass::elementwise || traits.by_channel)
    return std::nullopt;
  const Shape &result = node.type.shape;
  std::optional<Permutation> permutation;
  for (size_t i = 0; i < context.inputs.size() && !permutation; ++i)
    if (const Node *found = transpose_at(context, i))
      if (found->type.shape == result)
        permutation = permutation_of(*found);
  if (!permutation)
    return std::nullopt;
  std::vector<NodeId> operands;
  for (NodeId input : context.inputs) {
    const Result operand = before_permutation(context, input, *permutation);
    if (!operand)
      return std::nullopt;
    operands.push_back(*operand);
  }
  return transposed(context, context.append(node.kind, std::move(operands), node.attrs),
                    *permutation);
}

Result sink_below_concat(const RewriteContext &context) {
  const Node &node = context.node();
  if (node.kind != OpKind::concat || !transpose_at(context, 0))
    return std::nullopt;
  const Permutation permutation = permutation_of(*transpose_at(context, 0));
  std::vector<NodeId> operands;
  for (size_t i = 0; i < context.inputs.size(); ++i) {
    const Node *operand = transpose_at(context, i);
    if (!operand || permutation_of(*operand) != permutation)
      return std::nullopt;
    operands.push_back(operand->inputs[0]);
  }
  const int64_t axis = permutation[at(attrs<AxisAttrs>(node).axis)];
  return transposed(context, context.append(OpKind::concat, std::move(operands), AxisAttrs{axis}),
                    permutation);
}

/// The attributes in the order of dimensions before the permutation; nothing for another kind.
std::optional<Attrs> renamed_attributes(const Node &node, const Permutation &permutation) {
  const Permutation back = inverse(permutation);
  const auto moved = [&](const std::vector<int64_t> &values) { // one a dimension, or none
    return values.empty() ? values : permuted(values, back);
  };
  if (const auto *pad = std::get_if<PadAttrs>(&node.attrs))
    return PadAttrs{moved(pad->low), moved(pad->high), pad->value, moved(pad->interior)};
  if (const auto *slice = std::get_if<SliceAttrs>(&node.attrs))
    return SliceAttrs{moved(slice->begin), moved(slice->end), moved(slice->step)};
  if (const auto *reverse = std::get_if<ReverseAttrs>(&node.attrs)) {
    ReverseAttrs renamed{permuted(permutation, reverse->axes)};
    std::sort(renamed.axes.begin(), renamed.axes.end());
    return renamed;
  }
  if (const auto *resample = std::get_if<ResampleAttrs>(&node.attrs)) {
    ResampleAttrs renamed = *resample;
    renamed.axis = permutation[at(resample->axis)];
    return renamed;
  }
  return std::nullopt;
}

Result sink_below_movement(const RewriteContext &context) {
  const Node &node = context.node();
  if (context.inputs.size() != 1 || !transpose_at(context, 0))
    return std::nullopt;
  const Node inner = *transpose_at(context, 0);
  const std::optional<Attrs> attributes = renamed_attributes(node, permutation_of(inner));
  if (!attributes)
    return std::nullopt;
  return transposed(context, context.append(node.kind, {inner.inputs[0]}, *attributes),
                    permutation_of(inner));
}

/// What is left of a permutation when some of its results are reduced away.
Permutation remaining(const Permutation &permutation, const std::vector<int64_t> &axes) {
  Permutation kept;
  for (size_t i = 0; i < permutation.size(); ++i)
    if (!std::binary_search(axes.begin(), axes.end(), static_cast<int64_t>(i)))
      kept.push_back(permutation[i]);
  Permutation sorted = kept;
  std::sort(sorted.begin(), sorted.end());
  for (int64_t &axis : kept)
    axis = std::lower_bound(sorted.begin(), sorted.end(), axis) - sorted.begin();
  return kept;
}

Result sink_below_reduction(const RewriteContext &context) {
  const Node &node = context.node();
  if (!std::holds_alternative<ReduceAttrs>(node.attrs) || !transpose_at(context, 0))
    return std::nullopt;
  const Node inner = *transpose_at(context, 0);
  const auto reduction = attrs<ReduceAttrs>(node);
  const Permutation permutation = permutation_of(inner);
  ReduceAttrs renamed{permuted(permutation, reduction.axes), reduction.keep_dims};
  std::sort(renamed.axes.begin(), renamed.axes.end());
  const NodeId reduced = context.append(node.kind, {inner.inputs[0]}, renamed);
  return transposed(context, reduced,
                    reduction.keep_dims ? permutation : remaining(permutation, reduction.axes));
}

Result skip_below_reshape(const RewriteContext &context) {
  if (context.node().kind != OpKind::reshape || !transpose_at(context, 0))
    return std::nullopt;
  const Node inner = *transpose_at(context, 0);
  if (!keeps_order(context.after.type(inner.inputs[0]).shape, permutation_of(inner)))
    return std::nullopt;
  return context.append(OpKind::reshape, {inner.inputs[0]}, context.node().attrs);
}

Result transpose_as_reshape(const RewriteContext &context) {
  const Node &node = context.node();
  if (node.kind != OpKind::transpose ||
      !keeps_order(context.before.type(node.inputs[0]).shape, permutation_of(node)))
    return std::nullopt;
  return context.append(OpKind::reshape, context.inputs, ReshapeAttrs{node.type.shape});
}

} // namespace

void cancel_transposes(Graph &graph) {
  graph = rewrite(graph, [](const RewriteContext &context) -> Result {
    for (const auto rule : {join_transposes, sink_below_elementwise, sink_below_concat,
                            sink_below_movement, sink_below_reduction, skip_below_reshape})
      if (Result replacement = rule(context))
        return replacement;
    return std::nullopt;
  });
  eliminate_dead_nodes(graph);
  graph = rewrite(graph, transpose_as_reshape);
  eliminate_dead_nodes(graph);
}

} // namespace sinter

#include "passes/fold_batch_norm.h"

#include "passes/eliminate_dead_nodes.h"

namespace sinter {

namespace {

NodeId expand(const RewriteContext &context, bool absorb_bias) {
  const NodeId gamma = context.inputs[1];
  const NodeId beta = context.inputs[2];
  const NodeId mean = context.inputs[3];
  const NodeId variance = context.inputs[4];
  const float epsilon = attrs<BatchNormAttrs>(context.node()).epsilon;
  const NodeId shifted = context.append(OpKind::affine, {variance}, AffineAttrs{1, epsilon});
  const NodeId inverse = context.append(OpKind::rsqrt, {shifted});
  const NodeId scale = context.append(OpKind::multiply, {gamma, inverse});
  NodeId x = context.inputs[0];
  NodeId center;
  if (absorb_bias) {
    const Node bias_add = context.after[x];
    x = bias_add.inputs[0];
    center = context.append(OpKind::subtract, {bias_add.inputs[1], mean});
  } else {
    center = context.append(OpKind::negate, {mean});
  }
  const NodeId moved = context.append(OpKind::multiply, {center, scale});
  const NodeId shift = context.append(OpKind::add, {moved, beta});
  const NodeId scaled = context.append(OpKind::multiply, {x, scale});
  return context.append(OpKind::bias_add, {scaled, shift});
}

} // namespace

void fold_batch_norm(Graph &graph) {
  const std::vector<std::vector<NodeId>> users = graph.users();
  graph = rewrite(graph, [&](const RewriteContext &context) -> std::optional<NodeId> {
    if (context.node().kind != OpKind::batch_norm)
      return std::nullopt;
    const NodeId x = context.node().inputs[0];
    const bool absorb_bias = context.before[x].kind == OpKind::bias_add &&
                             context.after[context.inputs[0]].kind == OpKind::bias_add &&
                             users[static_cast<size_t>(x.index)].size() == 1;
    return expand(context, absorb_bias);
  });
  eliminate_dead_nodes(graph);
}

} // namespace sinter

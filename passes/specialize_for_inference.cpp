#include "passes/specialize_for_inference.h"

#include "passes/eliminate_dead_nodes.h"

namespace sinter {

void specialize_for_inference(Graph &graph) {
  graph = rewrite(graph, [](const RewriteContext &context) -> std::optional<NodeId> {
    const OpKind kind = context.node().kind;
    if (kind == OpKind::dropout || kind == OpKind::in_training)
      return context.inputs[0];
    return std::nullopt;
  });
  eliminate_dead_nodes(graph);
}

} // namespace sinter

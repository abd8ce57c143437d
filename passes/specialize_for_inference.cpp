#include "passes/specialize_for_inference.h"

namespace sinter {

void specialize_for_inference(Graph &graph) {
  graph = rewrite(graph, [](const RewriteContext &context) -> std::optional<NodeId> {
    if (context.node().kind == OpKind::dropout)
      return context.inputs[0];
    return std::nullopt;
  });
}

} // namespace sinter

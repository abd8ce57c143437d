#include "passes/merge_common_subexpressions.h"

#include "ir/op.h"
#include "passes/eliminate_dead_nodes.h"

#include <algorithm>
#include <map>

namespace sinter {

void merge_common_subexpressions(Graph &graph) {
  using Key = std::pair<OpKind, std::vector<NodeId>>;
  std::map<Key, std::vector<NodeId>> seen; // candidates that differ in their attributes
  graph = rewrite(graph, [&](const RewriteContext &context) -> std::optional<NodeId> {
    const Node &node = context.node();
    Key key{node.kind, context.inputs};
    if (op_def(node.kind).traits.commutative)
      std::sort(key.second.begin(), key.second.end());
    std::vector<NodeId> &candidates = seen[key];
    for (NodeId candidate : candidates)
      if (context.after[candidate].attrs == node.attrs)
        return candidate;
    candidates.push_back(context.append(node.kind, context.inputs, node.attrs));
    return candidates.back();
  });
  eliminate_dead_nodes(graph);
}

} // namespace sinter

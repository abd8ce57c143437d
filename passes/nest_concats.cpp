#include "passes/nest_concats.h"

#include <algorithm>
#include <map>

namespace sinter {

namespace {

/// The concatenations so far, by axis and first operand, in the new graph.
using Known = std::map<std::pair<int64_t, NodeId>, std::vector<NodeId>>;

/// The concatenation of the most operands that are `operands` from `first` on, though not all.
NodeId longest_run(const Graph &graph, const std::vector<NodeId> &concats,
                   const std::vector<NodeId> &operands, size_t first) {
  NodeId longest;
  for (NodeId concat : concats) {
    const std::vector<NodeId> &run = graph[concat].inputs;
    const bool fits =
        run.size() > 1 && run.size() < operands.size() && run.size() <= operands.size() - first &&
        std::equal(run.begin(), run.end(), operands.begin() + static_cast<std::ptrdiff_t>(first));
    if (fits && (!longest.valid() || run.size() > graph[longest].inputs.size()))
      longest = concat;
  }
  return longest;
}

std::vector<NodeId> nested(const Graph &graph, const Known &known, int64_t axis,
                           const std::vector<NodeId> &operands) {
  std::vector<NodeId> result;
  for (size_t i = 0; i < operands.size();) {
    const auto concats = known.find({axis, operands[i]});
    const NodeId run =
        concats == known.end() ? NodeId{} : longest_run(graph, concats->second, operands, i);
    result.push_back(run.valid() ? run : operands[i]);
    i += run.valid() ? graph[run].inputs.size() : 1;
  }
  return result;
}

} // namespace

void nest_concats(Graph &graph) {
  Known known;
  graph = rewrite(graph, [&](const RewriteContext &context) -> std::optional<NodeId> {
    const Node &node = context.node();
    if (node.kind != OpKind::concat)
      return std::nullopt;
    const int64_t axis = attrs<AxisAttrs>(node).axis;
    std::vector<NodeId> operands = context.inputs;
    for (std::vector<NodeId> next;
         (next = nested(context.after, known, axis, operands)) != operands;)
      operands = next;
    const NodeId result = context.append(OpKind::concat, operands, node.attrs);
    known[{axis, operands.front()}].push_back(result);
    return result;
  });
}

} // namespace sinter

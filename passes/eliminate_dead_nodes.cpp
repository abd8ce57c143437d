#include "passes/eliminate_dead_nodes.h"

namespace sinter {

namespace {

std::vector<bool> find_live_nodes(const Graph &graph) {
  std::vector<bool> live(graph.nodes().size(), false);
  const auto mark = [&](NodeId id) { live[static_cast<size_t>(id.index)] = true; };
  for (const Output &output : graph.outputs)
    mark(output.value);
  for (const Update &update : graph.updates) {
    mark(update.parameter);
    mark(update.value);
  }
  for (int i = graph.size() - 1; i >= 0; --i) // users come after their operands
    if (live[static_cast<size_t>(i)])
      for (NodeId input : graph[{i}].inputs)
        mark(input);
  return live;
}

} // namespace

void eliminate_dead_nodes(Graph &graph) {
  const std::vector<bool> live = find_live_nodes(graph);
  Graph result;
  std::vector<NodeId> map(graph.nodes().size());
  const auto mapped = [&](NodeId id) { return map[static_cast<size_t>(id.index)]; };
  for (int i = 0; i < graph.size(); ++i) {
    if (!live[static_cast<size_t>(i)])
      continue;
    const Node &node = graph[{i}];
    std::vector<NodeId> inputs;
    for (NodeId input : node.inputs)
      inputs.push_back(mapped(input));
    map[static_cast<size_t>(i)] =
        result.append(node.kind, std::move(inputs), node.attrs, node.layer, node.location);
  }
  for (const Output &output : graph.outputs)
    result.outputs.push_back({output.name, mapped(output.value)});
  for (const Update &update : graph.updates)
    result.updates.push_back({mapped(update.parameter), mapped(update.value)});
  graph = std::move(result);
}

} // namespace sinter

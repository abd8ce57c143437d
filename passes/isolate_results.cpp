#include "passes/isolate_results.h"

#include "ir/op.h"
#include "ir/plan.h"

#include <algorithm>
#include <map>

namespace sinter {

namespace {

bool is_leaf(const Graph &graph, NodeId id) {
  return op_def(graph[id].kind).traits.op_class == OpClass::leaf;
}

NodeId copy(Graph &graph, NodeId value) {
  const std::string layer = graph[value].layer;
  const SourceLocation location = graph[value].location;
  const ElementType element = graph.type(value).element;
  if (element != ElementType::f32)
    return graph.append(OpKind::cast, {value}, CastAttrs{element}, layer, location);
  return graph.append(OpKind::affine, {value}, AffineAttrs{}, layer, location);
}

/// Edges "must run before" of the graph when updates are written in place: from operands to users,
/// and from the readers of a parameter to its new value.
std::vector<std::vector<NodeId>> execution_edges(const Graph &graph) {
  std::vector<std::vector<NodeId>> edges = graph.users();
  std::map<NodeId, NodeId> writers;
  for (const Update &update : graph.updates)
    writers[update.parameter] = storage_root(graph, update.value);
  for (int i = 0; i < graph.size(); ++i)
    for (NodeId input : graph[{i}].inputs) {
      const auto writer = writers.find(storage_root(graph, input));
      if (writer != writers.end() && writer->second != NodeId{i})
        edges[static_cast<size_t>(i)].push_back(writer->second);
    }
  return edges;
}

bool is_on_a_cycle(const std::vector<std::vector<NodeId>> &edges, NodeId start) {
  std::vector<bool> seen(edges.size(), false);
  std::vector<NodeId> open{start};
  while (!open.empty()) {
    const NodeId id = open.back();
    open.pop_back();
    for (NodeId next : edges[static_cast<size_t>(id.index)]) {
      if (next == start)
        return true;
      if (!seen[static_cast<size_t>(next.index)])
        open.push_back(next);
      seen[static_cast<size_t>(next.index)] = true;
    }
  }
  return false;
}

/// Whether one of the first `count` outputs is a prediction that lies where `root` lies.
bool is_predicted(const Graph &graph, NodeId root, size_t count) {
  return std::any_of(graph.outputs.begin(),
                     graph.outputs.begin() + static_cast<std::ptrdiff_t>(count),
                     [&](const Output &output) {
                       return is_prediction(output) && storage_root(graph, output.value) == root;
                     });
}

/// Whether a value's memory is spoken for, so that no parameter's can be it.
bool is_taken(const Graph &graph, size_t update) {
  const NodeId root = storage_root(graph, graph.updates[update].value);
  if (is_leaf(graph, root) || is_predicted(graph, root, graph.outputs.size()))
    return true;
  for (size_t i = 0; i < update; ++i)
    if (storage_root(graph, graph.updates[i].value) == root)
      return true;
  return false;
}

} // namespace

void isolate_results(Graph &graph) {
  for (size_t i = 0; i < graph.outputs.size(); ++i) {
    const Output &output = graph.outputs[i];
    const NodeId root = storage_root(graph, output.value);
    if (is_leaf(graph, root) || (is_prediction(output) && is_predicted(graph, root, i)))
      graph.outputs[i].value = copy(graph, output.value);
  }
  for (size_t i = 0; i < graph.updates.size(); ++i)
    if (is_taken(graph, i))
      graph.updates[i].value = copy(graph, graph.updates[i].value);
  std::vector<std::vector<NodeId>> edges = execution_edges(graph);
  for (Update &update : graph.updates)
    if (is_on_a_cycle(edges, storage_root(graph, update.value))) {
      update.value = copy(graph, update.value);
      edges = execution_edges(graph);
    }
}

} // namespace sinter

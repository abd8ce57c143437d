#include "passes/prepare_parameters.h"

#include "ir/op.h"
#include "ir/plan.h"
#include "passes/eliminate_dead_nodes.h"

#include <algorithm>
#include <fmt/format.h>
#include <set>

namespace sinter {

namespace {

/// How much larger than its parameters a value may be; F(4,3)'s filters are 4 times as large.
constexpr int64_t kMostGrowth = 8;

/// Which values depend on parameters alone, and how many bytes of them each does.
class Dependence {
public:
  explicit Dependence(const Graph &graph) : bytes_(graph.nodes().size(), kElsewhere) {
    for (int i = 0; i < graph.size(); ++i)
      bytes_[static_cast<size_t>(i)] = count(graph[{i}]);
  }

  /// Whether the value is computed from parameters, at least one, and constants.
  bool computed(const Graph &graph, NodeId id) const {
    return bytes_[static_cast<size_t>(id.index)] > 0 &&
           op_def(graph[id].kind).traits.op_class != OpClass::leaf;
  }
  int64_t bytes(NodeId id) const { return bytes_[static_cast<size_t>(id.index)]; }

private:
  static constexpr int64_t kElsewhere = -1;
  static constexpr int64_t kMany = int64_t{1} << 40; // bytes; no value has so many

  int64_t count(const Node &node) const {
    if (node.kind == OpKind::parameter)
      return node.type.storage_bytes();
    if (node.kind == OpKind::constant)
      return 0;
    if (op_def(node.kind).traits.op_class == OpClass::leaf || node.type.batched())
      return kElsewhere;
    int64_t total = 0;
    for (NodeId input : node.inputs) {
      const int64_t part = bytes_[static_cast<size_t>(input.index)];
      if (part == kElsewhere)
        return kElsewhere;
      total = std::min(total + part, kMany);
    }
    return total;
  }

  std::vector<int64_t> bytes_;
};

/// The values to take: those that something else reads.
std::set<NodeId> find_prepared(const Graph &graph) {
  const Dependence dependence(graph);
  std::set<NodeId> found;
  for (int i = 0; i < graph.size(); ++i) {
    if (dependence.computed(graph, {i}))
      continue;
    for (NodeId input : graph[{i}].inputs) {
      const NodeId root = storage_root(graph, input);
      if (dependence.computed(graph, root) &&
          graph.type(root).storage_bytes() <= kMostGrowth * dependence.bytes(root))
        found.insert(root);
    }
  }
  for (const Output &output : graph.outputs)
    found.erase(storage_root(graph, output.value));
  return found;
}

} // namespace

PreparedParameters::PreparedParameters(const Graph &forward) {
  const std::vector<NodeId> parameters = forward.all(OpKind::parameter);
  const auto is_taken = [&](NodeId id) {
    return attrs<ParameterAttrs>(forward[id]).name.rfind(prefix_, 0) == 0;
  };
  while (std::any_of(parameters.begin(), parameters.end(), is_taken))
    prefix_.insert(0, "_");
}

NodeId PreparedParameters::copy(const Graph &from, NodeId id, std::map<NodeId, NodeId> &copies) {
  const auto [copied, added] = copies.try_emplace(id);
  if (added)
    copied->second = append(from, id, copies);
  return copied->second;
}

NodeId PreparedParameters::append(const Graph &from, NodeId id, std::map<NodeId, NodeId> &copies) {
  const Node &node = from[id];
  std::vector<NodeId> inputs;
  for (NodeId input : node.inputs)
    inputs.push_back(copy(from, input, copies));
  for (int i = 0; i < graph_.size(); ++i) {
    const Node &known = graph_[{i}];
    if (known.kind == node.kind && known.inputs == inputs && known.attrs == node.attrs)
      return {i};
  }
  return graph_.append(node.kind, inputs, node.attrs, node.layer, node.location);
}

const ParameterAttrs &PreparedParameters::slot_of(NodeId value) {
  const auto [slot, added] = slots_.emplace(value, ParameterAttrs{});
  if (added) {
    slot->second.name = fmt::format("{}{}", prefix_, slots_.size() - 1);
    slot->second.role = "prepared";
    slot->second.type = graph_.type(value);
    graph_.updates.push_back({graph_.append(OpKind::parameter, {}, slot->second), value});
  }
  return slot->second;
}

void PreparedParameters::take_from(Graph &graph) {
  const std::set<NodeId> prepared = find_prepared(graph);
  std::map<NodeId, NodeId> copies;
  graph = rewrite(graph, [&](const RewriteContext &context) -> std::optional<NodeId> {
    if (prepared.count(context.old_id) == 0)
      return std::nullopt;
    const ParameterAttrs &slot = slot_of(copy(context.before, context.old_id, copies));
    const NodeId known = context.after.find_parameter(slot.name);
    return known.valid() ? known : context.append(OpKind::parameter, {}, slot);
  });
  eliminate_dead_nodes(graph);
}

} // namespace sinter

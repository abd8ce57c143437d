#include "passes/hoist_average_pools.h"

#include "passes/eliminate_dead_nodes.h"

#include <algorithm>

namespace sinter {

namespace {

bool is_padded(const std::array<int64_t, 4> &padding) {
  return std::any_of(padding.begin(), padding.end(), [](int64_t side) { return side != 0; });
}

/// A convolution that works on each position by itself.
bool is_pointwise_convolution(const Graph &graph, const Node &node) {
  if (node.kind != OpKind::conv2d)
    return false;
  const auto &attributes = attrs<Conv2dAttrs>(node);
  const Shape &filter = graph.type(node.inputs[1]).shape;
  return filter[0] == 1 && filter[1] == 1 && !is_padded(attributes.padding) &&
         attributes.strides == std::array<int64_t, 2>{1, 1};
}

bool commutes(const Graph &graph, const Node &node, const Pool2dAttrs &pool) {
  if (node.kind == OpKind::bias_add) // a mean that counts zeros around lowers the bias there
    return !(pool.count_include_pad && is_padded(pool.padding));
  return is_pointwise_convolution(graph, node);
}

bool has_fewer_positions(const Graph &graph, const Node &pool) {
  const Shape &from = graph.type(pool.inputs[0]).shape;
  const Shape &to = pool.type.shape;
  return to[1] * to[2] < from[1] * from[2];
}

class PoolHoisting {
public:
  explicit PoolHoisting(const Graph &graph) : graph_(graph), users_(graph.users()) {}

  /// What the pooling can move past: the nodes above it, nearest first, a convolution last.
  std::vector<NodeId> find_chain(const Node &pool) const {
    std::vector<NodeId> chain;
    if (pool.kind != OpKind::average_pool2d || !has_fewer_positions(graph_, pool))
      return chain;
    const auto &attributes = attrs<Pool2dAttrs>(pool);
    for (NodeId id = pool.inputs[0]; commutes(graph_, graph_[id], attributes) && is_read_once(id);
         id = graph_[id].inputs[0])
      chain.push_back(id);
    while (!chain.empty() && graph_[chain.back()].kind != OpKind::conv2d)
      chain.pop_back();
    return chain;
  }

private:
  bool is_read_once(NodeId id) const {
    const auto is_it = [&](const Output &output) { return output.value == id; };
    return users_[static_cast<size_t>(id.index)].size() == 1 &&
           std::none_of(graph_.outputs.begin(), graph_.outputs.end(), is_it);
  }

  const Graph &graph_;
  const std::vector<std::vector<NodeId>> users_;
};

/// The pooling of what the chain reads, and then the chain.
NodeId append_hoisted(const RewriteContext &context, const std::vector<NodeId> &chain) {
  const auto mapped = [&](NodeId old) { return context.map[static_cast<size_t>(old.index)]; };
  NodeId result =
      context.append(OpKind::average_pool2d, {mapped(context.before[chain.back()].inputs[0])},
                     context.node().attrs);
  for (auto id = chain.rbegin(); id != chain.rend(); ++id) {
    const Node &node = context.before[*id];
    result = context.after.append(node.kind, {result, mapped(node.inputs[1])}, node.attrs,
                                  node.layer, node.location);
  }
  return result;
}

} // namespace

void hoist_average_pools(Graph &graph) {
  for (bool changed = true; changed;) { // what one pooling makes room for, the next one uses
    changed = false;
    const PoolHoisting hoisting(graph);
    Graph after = rewrite(graph, [&](const RewriteContext &context) -> std::optional<NodeId> {
      const std::vector<NodeId> chain = hoisting.find_chain(context.node());
      if (chain.empty())
        return std::nullopt;
      changed = true;
      return append_hoisted(context, chain);
    });
    graph = std::move(after);
    eliminate_dead_nodes(graph);
  }
}

} // namespace sinter

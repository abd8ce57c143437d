#include "backends/halide/cpu/surroundings.h"

#include "ir/op.h"

#include <algorithm>

namespace sinter {

namespace {

const LoweredNode *find_node(const LoweredKernel &kernel, NodeId id) {
  for (const LoweredNode &node : kernel.nodes)
    if (node.id == id)
      return &node;
  return nullptr;
}

/// By node index: whether the value is made from the contraction's.
std::vector<bool> find_dependents(const Graph &graph, NodeId contraction) {
  std::vector<bool> dependent(static_cast<size_t>(graph.size()), false);
  dependent[static_cast<size_t>(contraction.index)] = true;
  for (int i = contraction.index + 1; i < graph.size(); ++i)
    for (NodeId input : graph[{i}].inputs)
      if (dependent[static_cast<size_t>(input.index)])
        dependent[static_cast<size_t>(i)] = true;
  return dependent;
}

} // namespace

Surroundings find_surroundings(const LoweredKernel &kernel, const LoweredNode &contraction) {
  Surroundings result;
  const Graph &graph = kernel.kernel.graph;
  const std::vector<bool> after = find_dependents(graph, contraction.id);
  const auto storage = [&](NodeId id) { return graph.type(id).storage_shape(); };
  for (const LoweredNode &node : kernel.nodes) {
    if (node.id == contraction.id)
      continue;
    if (!after[static_cast<size_t>(node.id.index)]) {
      result.plain_before = result.plain_before && node.stages.empty();
      continue;
    }
    if (node.op_class == OpClass::window && node.stages.empty()) {
      const LoweredNode *operand = find_node(kernel, graph[node.id].inputs[0]);
      result.plain_after =
          result.plain_after && operand && (!result.pooled || result.pooled == operand);
      result.pooled = operand;
      result.pools.push_back(&node);
    } else if (node.op_class != OpClass::elementwise || !node.stages.empty()) {
      result.plain_after = false;
    }
  }
  // Before the pooling all has the contraction's shape, behind it the pooled one, which is stored.
  const Shape full = storage(contraction.id);
  const Shape stored = result.pooled ? storage(result.pools[0]->id) : full;
  result.plain_after = result.plain_after && kernel.groups.size() == 1 &&
                       kernel.groups[0].type.storage_shape() == stored &&
                       (!result.pooled || storage(result.pooled->id) == full);
  for (const LoweredNode &node : kernel.nodes)
    if (after[static_cast<size_t>(node.id.index)])
      result.plain_after =
          result.plain_after && (storage(node.id) == full || storage(node.id) == stored);
  return result;
}

const TensorType &second_operand_type(const LoweredKernel &kernel, const LoweredNode &contraction,
                                      const Stage *copy) {
  const Graph &graph = kernel.kernel.graph;
  return copy ? copy->type : graph.type(graph[contraction.id].inputs[1]);
}

std::optional<std::string> contiguous_operand(const LoweredKernel &kernel,
                                              const LoweredNode &contraction, const Stage *copy,
                                              int64_t lanes) {
  const std::vector<NodeId> &inputs = kernel.kernel.inputs;
  const auto input =
      std::find(inputs.begin(), inputs.end(), kernel.kernel.graph[contraction.id].inputs[1]);
  if (copy || input == inputs.end() || kernel.kernel.graph.type(*input).block != lanes)
    return std::nullopt;
  return kernel.inputs[static_cast<size_t>(input - inputs.begin())].name();
}

} // namespace sinter

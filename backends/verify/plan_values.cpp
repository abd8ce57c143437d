#include "backends/verify/plan_values.h"

#include "ir/diagnostics.h"

#include <set>

namespace sinter {

namespace {

/// The values, having memory of their own, that kernels after `kernel` and the graph's outputs
/// need.
std::set<NodeId> needed_after(const Plan &plan, size_t kernel) {
  std::set<NodeId> needed;
  for (size_t k = kernel + 1; k < plan.kernels.size(); ++k)
    for (NodeId input : plan.kernels[k].inputs)
      needed.insert(plan.locate(input).owner);
  for (const Output &output : plan.graph.outputs)
    needed.insert(plan.locate(output.value).owner);
  return needed;
}

} // namespace

const Array &PlanValues::at(NodeId id) {
  const auto found = values_.find(id);
  if (found != values_.end())
    return found->second;
  const Node &node = plan_.graph[id];
  const NodeId root = plan_.storage_root(id);
  Array value;
  if (root != id) {
    value.values = at(root).values;
  } else if (node.kind == OpKind::constant || plan_.is_free(id)) {
    std::vector<const Array *> operands;
    for (NodeId input : node.inputs)
      operands.push_back(&at(input));
    value = evaluate_node(node, batch_, operands);
  } else {
    const bool leaf = node.kind == OpKind::input || node.kind == OpKind::parameter;
    SINTER_ASSERT(leaf, "%{} is read before a kernel writes it", id.index);
    value.values = inputs_.at(leaf_name(plan_.graph, id)).values;
  }
  value.type = node.type;
  value.batch = batch_;
  return values_.emplace(id, std::move(value)).first->second;
}

void PlanValues::retire(size_t kernel) {
  const std::set<NodeId> needed = needed_after(plan_, kernel);
  for (auto entry = values_.begin(); entry != values_.end();)
    entry =
        needed.count(plan_.locate(entry->first).owner) ? std::next(entry) : values_.erase(entry);
}

void round_to_storage(Array &array) {
  if (array.type.element == ElementType::f32)
    for (double &value : array.values)
      value = static_cast<double>(static_cast<float>(value));
}

} // namespace sinter

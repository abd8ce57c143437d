#include "backends/verify/plan_values.h"

#include "ir/diagnostics.h"

namespace sinter {

/// The values, having memory of their own, that kernels after `kernel` and the graph's outputs
/// need.
std::set<NodeId> PlanValues::needed_after(size_t kernel) const {
  std::set<NodeId> needed;
  const auto add = [&](NodeId id) {
    needed.insert(locations_[static_cast<size_t>(id.index)].owner);
  };
  for (size_t k = kernel + 1; k < plan_.kernels.size(); ++k)
    for (NodeId input : plan_.kernels[k].inputs)
      add(input);
  for (const Output &output : plan_.graph.outputs)
    add(output.value);
  return needed;
}

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

void PlanValues::run(const KernelLibrary &library, size_t plan_index, size_t kernel) {
  const Kernel &k = plan_.kernels[kernel];
  std::vector<const Array *> arguments;
  for (NodeId input : k.inputs)
    arguments.push_back(&at(input));
  std::vector<Array> results = library.run(plan_index, kernel, batch_, arguments);
  for (size_t i = 0; i < results.size(); ++i)
    set(k.outputs[i], std::move(results[i]));
  retire(kernel);
}

void PlanValues::retire(size_t kernel) {
  const std::set<NodeId> needed = needed_after(kernel);
  for (auto entry = values_.begin(); entry != values_.end();)
    entry = needed.count(locations_[static_cast<size_t>(entry->first.index)].owner)
                ? std::next(entry)
                : values_.erase(entry);
}

void round_to_storage(Array &array) {
  if (array.type.element == ElementType::f32)
    for (double &value : array.values)
      value = static_cast<double>(static_cast<float>(value));
}

} // namespace sinter

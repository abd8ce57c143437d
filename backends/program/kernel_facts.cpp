#include "backends/program/kernel_facts.h"

#include "ir/op.h"

#include <algorithm>

namespace sinter {

namespace {

void append_word(std::string &list, const char *separator, const std::string &word) {
  list += (list.empty() ? "" : separator) + word;
}

void count_bytes(KernelFacts &facts, const TensorType &type) {
  (type.batched() ? facts.bytes_per_sample : facts.bytes_fixed) +=
      static_cast<double>(type.storage_bytes());
}

} // namespace

KernelFacts kernel_facts(const Plan &plan, const Kernel &kernel) {
  KernelFacts facts;
  std::vector<std::string> layers;
  for (const NodeId id : kernel.nodes) {
    const Node &node = plan.graph[id];
    if (op_def(node.kind).traits.op_class == OpClass::leaf)
      continue; // a constant
    append_word(facts.ops, "+", name(node.kind));
    if (!node.layer.empty() && std::find(layers.begin(), layers.end(), node.layer) == layers.end())
      layers.push_back(node.layer);
    const Cost node_cost = cost(plan.graph, id);
    facts.flops_per_sample += node_cost.flops_per_sample;
    facts.flops_fixed += node_cost.flops_fixed;
  }
  for (const std::string &layer : layers)
    append_word(facts.layers, ", ", layer);
  for (const NodeId id : kernel.inputs)
    count_bytes(facts, plan.graph.type(id));
  for (const NodeId id : kernel.outputs)
    count_bytes(facts, plan.graph.type(id));
  return facts;
}

} // namespace sinter

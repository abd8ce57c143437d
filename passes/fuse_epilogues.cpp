#include "passes/fuse_epilogues.h"

#include "ir/op.h"
#include "passes/fusion_rules.h"

#include <algorithm>

namespace sinter {

namespace {

/// The operands, latest first: of two producers, the later one finds the other's value ready.
std::vector<NodeId> latest_first(std::vector<NodeId> operands) {
  std::sort(operands.begin(), operands.end(), [](NodeId a, NodeId b) { return b < a; });
  operands.erase(std::unique(operands.begin(), operands.end()), operands.end());
  return operands;
}

void join_producer(Partition &partition, NodeId id) {
  const bool elementwise =
      op_def(partition.graph()[id].kind).traits.op_class == OpClass::elementwise;
  const auto refuse = elementwise ? refuse_epilogue : refuse_pool;
  for (NodeId producer : latest_first(partition.graph()[id].inputs))
    if (partition.home(producer) >= 0 && !refuse(partition, producer, id) &&
        partition.merge(partition.home(producer), partition.home(id)))
      return;
}

void join_twin(Partition &partition, NodeId argmax) {
  for (NodeId pool :
       partition.users(storage_root(partition.graph(), partition.graph()[argmax].inputs[0])))
    if (partition.home(pool) != partition.home(argmax) && !refuse_twin(partition, pool, argmax))
      partition.merge(partition.home(pool), partition.home(argmax));
}

} // namespace

void fuse_epilogues(Plan &plan) {
  Partition partition(plan);
  for (int i = 0; i < plan.graph.size(); ++i) {
    const NodeId id{i};
    if (partition.home(id) < 0 || partition.nodes(partition.home(id)).size() != 1)
      continue;
    const OpKind kind = plan.graph[id].kind;
    const bool pools = std::holds_alternative<Pool2dAttrs>(plan.graph[id].attrs);
    if (pools || op_def(kind).traits.op_class == OpClass::elementwise)
      join_producer(partition, id);
    if (kind == OpKind::max_pool2d_argmax)
      join_twin(partition, id);
  }
  partition.write_to(plan);
}

} // namespace sinter

#include "passes/fuse_rows.h"

#include "ir/op.h"
#include "passes/fusion_rules.h"

namespace sinter {

namespace {

std::vector<NodeId> nodes_of_class(const Graph &graph, OpClass wanted) {
  std::vector<NodeId> result;
  for (int i = 0; i < graph.size(); ++i)
    if (op_def(graph[{i}].kind).traits.op_class == wanted)
      result.push_back({i});
  return result;
}

bool apart(const Partition &partition, NodeId a, NodeId b) {
  return partition.home(a) >= 0 && partition.home(b) >= 0 && partition.home(a) != partition.home(b);
}

} // namespace

void fuse_rows(Plan &plan) {
  Partition partition(plan);
  const std::vector<NodeId> rows = nodes_of_class(plan.graph, OpClass::row);
  for (size_t second = 0; second < rows.size(); ++second)
    for (size_t first = 0; first < second; ++first)
      if (apart(partition, rows[first], rows[second]) &&
          !refuse_shared_rows(partition, rows[first], rows[second]))
        partition.merge(partition.home(rows[first]), partition.home(rows[second]));
  for (NodeId mean : nodes_of_class(plan.graph, OpClass::reduction)) {
    const NodeId samples = plan.graph[mean].inputs[0];
    if (apart(partition, samples, mean) && !refuse_row_mean(partition, samples, mean))
      partition.merge(partition.home(samples), partition.home(mean));
  }
  partition.write_to(plan);
}

} // namespace sinter

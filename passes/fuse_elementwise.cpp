#include "passes/fuse_elementwise.h"

#include "passes/fusion_rules.h"

namespace sinter {

namespace {

void record_refusals(const Partition &partition, Plan &plan) {
  plan.refusals.clear();
  for (int i = 0; i < plan.graph.size(); ++i) {
    if (partition.home({i}) < 0)
      continue;
    for (NodeId user : partition.users({i}))
      if (!partition.contains(partition.home(user), {i}) && !partition.is_free(user) &&
          !partition.is_free({i}))
        plan.refusals.push_back({{i}, user, explain_refusal(partition, {i}, user)});
  }
}

} // namespace

void fuse_elementwise(Plan &plan) {
  Partition partition(plan);
  for (int i = 0; i < plan.graph.size(); ++i)
    for (NodeId producer : plan.graph[{i}].inputs)
      if (partition.home({i}) >= 0 && partition.home(producer) >= 0 &&
          partition.home(producer) != partition.home({i}) &&
          !refuse_pointwise(partition, producer, {i}))
        partition.merge(partition.home(producer), partition.home({i}));
  record_refusals(partition, plan);
  partition.write_to(plan);
}

} // namespace sinter

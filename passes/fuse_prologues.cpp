#include "passes/fuse_prologues.h"

#include "passes/fusion_rules.h"

namespace sinter {

void fuse_prologues(Plan &plan) {
  Partition partition(plan);
  for (int i = plan.graph.size() - 1; i >= 0; --i) // readers first: chains move as a whole
    if (partition.home({i}) >= 0 && !refuse_prologue(partition, {i}))
      partition.move_to_readers({i});
  partition.write_to(plan);
}

} // namespace sinter

#include "passes/make_plan.h"

#include "passes/partition.h"

namespace sinter {

Plan make_plan(Graph graph) {
  Plan plan;
  plan.graph = std::move(graph);
  Partition(plan.graph).write_to(plan);
  return plan;
}

} // namespace sinter

#include "passes/make_plan.h"

#include "passes/find_slices.h"

namespace sinter {

Plan make_plan(Graph graph) {
  Plan plan;
  plan.graph = std::move(graph);
  plan.slices = find_slices(Partition(plan));
  Partition(plan).write_to(plan);
  return plan;
}

} // namespace sinter

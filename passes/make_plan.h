// From a graph to a plan: one kernel for every node that is neither leaf nor view nor free, in an
// order of execution. Which values are slices of others is decided here, before fusion, so that no
// kernel is built around a copy that nobody needs. No node is added once there is a plan.
//
// Requires: eliminate_dead_nodes and isolate_results. Guarantees: verify(Plan) holds; nothing is
// placed in memory yet.
#pragma once

#include "ir/plan.h"

namespace sinter {

Plan make_plan(Graph);

} // namespace sinter

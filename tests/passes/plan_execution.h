// Plans on a model of their memory.
#pragma once

#include "ir/plan.h"

namespace sinter {

/// The batch of check_plan.
constexpr int64_t kBatchSize = 3;

/// Requires that the plan holds and that, executed kernel by kernel with every value at its place,
/// it has the same results as its graph.
void check_plan(const Plan &, uint32_t seed);

} // namespace sinter

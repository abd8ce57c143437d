// Learning rates that change from step to step: keras.optimizers.schedules.
#pragma once

#include "frontend/native.h"
#include "ir/model.h"

namespace sinter {

/// What an object of keras.optimizers.schedules means for an optimizer: the rate that the schedule
/// is relative to, and the schedule. Throws when its numbers make none.
void read_schedule(const Configured &, OptimizerSpec &);

/// The classes of keras.optimizers.schedules.
std::vector<Native> schedule_natives();

} // namespace sinter

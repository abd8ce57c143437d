// Programs for kernels of a device.
#pragma once

#include "passes/pipeline.h"

namespace sinter {

/// As build_program, but every kernel takes the whole batch at a time, and sums of products are
/// computed as the model states them: a device has caches of another kind, and no schedules yet for
/// Winograd's algorithm.
Program build_device_program(const Model &, ProgramOptions);

} // namespace sinter

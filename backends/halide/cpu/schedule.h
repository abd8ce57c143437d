// CPU schedules. A kernel's strategy follows from its heaviest stage: a contraction, else
// reductions, else a plain loop over its outputs. Nothing here may depend on the number of
// threads: parallel loops write disjoint parts, and sums have a fixed order.
#pragma once

#include "backends/halide/cpu/kernel_schedule.h"
#include "backends/halide/kernel_choice.h"
#include "backends/halide/kernels.h"
#include "backends/halide/lower_kernel.h"

namespace sinter {

/// Schedules every Func of the kernel, as `Decisions` says where it says something.
KernelSchedule schedule_kernel(const LoweredKernel &, const Variant &, Decisions &);

} // namespace sinter

// Direct convolution: conv2d and, over a spread gradient and a turned filter, its input gradient.
#pragma once

#include "backends/halide/cpu/kernel_schedule.h"
#include "backends/halide/kernel_choice.h"
#include "backends/halide/kernels.h"
#include "backends/halide/lower_kernel.h"

namespace sinter {

/// Schedules a kernel whose contraction is a convolution, with what stands before it staged an
/// image at a time and what stands behind it, up to one pooling, applied to the register tile.
KernelSchedule schedule_convolution(const LoweredKernel &, const LoweredNode &convolution,
                                    const Variant &, Decisions &);

} // namespace sinter

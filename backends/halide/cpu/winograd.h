// Winograd convolution.
#pragma once

#include "backends/halide/cpu/kernel_schedule.h"
#include "backends/halide/kernel_choice.h"
#include "backends/halide/kernels.h"
#include "backends/halide/lower_kernel.h"

#include <string>

namespace sinter {

/// Schedules a kernel whose contraction is winograd_conv2d, with what stands behind it, up to one
/// pooling whose windows lie within a tile, applied to the results of a tile.
KernelSchedule schedule_winograd(const LoweredKernel &, const LoweredNode &convolution,
                                 const Variant &, Decisions &);

/// A transformed filter: all points of a vector of filters at once.
std::string schedule_winograd_filter(const LoweredKernel &, const Variant &);

} // namespace sinter

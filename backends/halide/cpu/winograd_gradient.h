// The gradient of a filter by Winograd's algorithm.
#pragma once

#include "backends/halide/kernel_choice.h"
#include "backends/halide/kernels.h"
#include "backends/halide/lower_kernel.h"

#include <string>

namespace sinter {

/// Schedules a kernel whose contraction is winograd_filter_gradient, with the optimizer's update.
std::string schedule_winograd_gradient(const LoweredKernel &, const LoweredNode &gradient,
                                       const Variant &, Decisions &);

} // namespace sinter

// The gradient of a convolution's filter, with an optimizer's update behind it.
#pragma once

#include "backends/halide/kernel_choice.h"
#include "backends/halide/kernels.h"
#include "backends/halide/lower_kernel.h"

#include <string>

namespace sinter {

/// Schedules a kernel whose contraction is a filter gradient.
std::string schedule_filter_gradient(const LoweredKernel &, const LoweredNode &gradient,
                                     const Variant &, Decisions &);

} // namespace sinter

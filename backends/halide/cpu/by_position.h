// Convolutions of small images and their gradients, each position for all images of the batch.
#pragma once

#include "backends/halide/kernel_choice.h"
#include "backends/halide/kernels.h"
#include "backends/halide/lower_kernel.h"

#include <string>

namespace sinter {

/// Schedules a kernel whose contraction is a convolution by position or a gradient of one, with
/// what stands behind it applied to the register tile.
std::string schedule_by_position(const LoweredKernel &, const LoweredNode &convolution,
                                 const Variant &, Decisions &);

} // namespace sinter

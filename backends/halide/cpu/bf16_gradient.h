// Gradients by filters, and the filters of gradients, of bf16 numbers.
#pragma once

#include "backends/halide/kernels.h"
#include "backends/halide/lower_kernel.h"

#include <string>

namespace sinter {

/// Schedules a kernel whose contraction is bf16_filter_gradient or bf16_matmul_gradient, with the
/// optimizer's update behind it.
std::string schedule_bf16_gradient(const LoweredKernel &, const LoweredNode &contraction,
                                   const Variant &);

/// Schedules a kernel that is a bf16_filter of a turned filter.
std::string schedule_bf16_turned_filter(const LoweredKernel &, const Variant &);

} // namespace sinter

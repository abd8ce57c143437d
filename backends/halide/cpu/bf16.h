// Convolutions and matrix products of bf16 numbers.
#pragma once

#include "backends/halide/kernels.h"
#include "backends/halide/lower_kernel.h"

#include <string>

namespace sinter {

/// Schedules a kernel whose contraction is bf16_conv2d or bf16_matmul, with what stands behind it,
/// up to one pooling, applied to a band of rows of all filters, or of some where threads share
/// them.
std::string schedule_bf16(const LoweredKernel &, const LoweredNode &contraction, const Variant &);

} // namespace sinter

// Matrix products: dense layers and both their gradients.
#pragma once

#include "backends/halide/kernel_choice.h"
#include "backends/halide/kernels.h"
#include "backends/halide/lower_kernel.h"

#include <string>

namespace sinter {

/// Schedules a kernel whose contraction is a . b, or a^T . b.
std::string schedule_matmul(const LoweredKernel &, const LoweredNode &product, const Variant &,
                            Decisions &);

/// The same for a . b^T.
std::string schedule_matmul_transposed(const LoweredKernel &, const LoweredNode &product,
                                       const Variant &);

} // namespace sinter

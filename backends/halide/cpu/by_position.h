// Convolutions of small images and their gradients, each position for all images of the batch.
#pragma once

#include "backends/halide/kernel_choice.h"
#include "backends/halide/kernels.h"
#include "backends/halide/lower_kernel.h"

#include <string>

namespace sinter {

/// Whether the node is a gradient that is computed by position.
bool is_gradient_by_position(const LoweredNode &);

/// Schedules a kernel whose contraction is such a gradient, with what stands behind it applied to
/// the register tile.
std::string schedule_gradient_by_position(const LoweredKernel &, const LoweredNode &gradient,
                                          const Variant &, Decisions &);

/// Specializes a Func of the shape of a conv2d, which is one of its sums, for batches of at least
/// kManyImages. Comes before any other directive. Returns the name of the algorithm.
std::string specialize_for_many_images(Halide::Func consumer, const LoweredKernel &,
                                       const LoweredNode &convolution, const Variant &);

} // namespace sinter

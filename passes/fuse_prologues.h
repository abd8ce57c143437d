// Computes cheap values where they are read instead of storing them: each moves into every kernel
// that reads it, two at most (refuse_prologue).
//
//   kernel {max_pool2d_gradient}                  kernel {max_pool2d_gradient,
//   conv2d_input_gradient} kernel {conv2d_input_gradient}          ->    kernel
//   {max_pool2d_gradient, conv2d_filter_gradient} kernel {conv2d_filter_gradient}
//
// These are the backward twins: the gradient at full resolution never reaches memory. Random masks
// are recomputed the same way, from their counter, and the one-hot rows of a loss from the labels.
// A value that a fused kernel makes from what it stores anyway moves out of it likewise.
//
// Requires: fuse_epilogues and fuse_rows, which have the first claim on elementwise nodes.
// Guarantees: verify(Plan).
#pragma once

#include "ir/plan.h"

namespace sinter {

void fuse_prologues(Plan &);

} // namespace sinter

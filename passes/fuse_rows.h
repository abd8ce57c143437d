// Puts what happens to one row of logits into one kernel: losses, their gradients and metrics, and
// their means over the batch.
//
//   kernel {softmax_cross_entropy}  kernel {reduce_mean}
//   kernel {softmax_cross_entropy_gradient}               ->   one kernel; outputs: the gradient,
//   kernel {categorical_accuracy}   kernel {reduce_mean}       the loss and the accuracy
//
// Requires: make_plan. Guarantees: verify(Plan).
#pragma once

#include "ir/plan.h"

namespace sinter {

void fuse_rows(Plan &);

} // namespace sinter

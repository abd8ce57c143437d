// The legality predicates of fusion, by name. Each returns why the consumer may not join the
// producer's kernel, or nullptr when it may: the fusion passes ask them, and `explain` prints what
// they said. That the kernels stay in an order of execution is the Partition's to check.
//
// A kernel is one of these by its heaviest node, its anchor:
//   contraction, window, reduction    then elementwise epilogues on what the anchor makes
//   row                               losses, their gradients and metrics on the same logits
//   pointwise                         elementwise and movement nodes only
#pragma once

#include "ir/op.h"
#include "passes/partition.h"

namespace sinter {

/// What kind of kernel a group is: the class of its anchor, or elementwise when it is pointwise.
OpClass kernel_class(const Partition &, int group);

/// `consumer`, elementwise, works on what the anchor of the producer's kernel makes, element by
/// element: bias, activation, residual addition, dropout, optimizer.
const char *refuse_epilogue(const Partition &, NodeId producer, NodeId consumer);

/// `consumer` pools what a convolution makes, so that the full resolution stays in the kernel.
const char *refuse_pool(const Partition &, NodeId producer, NodeId consumer);

/// max_pool2d and max_pool2d_argmax search the same windows once.
const char *refuse_twin(const Partition &, NodeId pool, NodeId argmax);

/// Two row nodes go over the same logits.
const char *refuse_shared_rows(const Partition &, NodeId first, NodeId second);

/// `consumer` reduces the rows' results, one a sample, to a scalar.
const char *refuse_row_mean(const Partition &, NodeId producer, NodeId consumer);

/// `producer` is cheaper to compute again in every kernel that reads it than to store and load: a
/// gradient's way back through an activation or a pooling window, a random mask, a one-hot row.
const char *refuse_prologue(const Partition &, NodeId producer);

/// Both are pointwise over one shape.
const char *refuse_pointwise(const Partition &, NodeId producer, NodeId consumer);

/// Why producer and consumer, in different kernels, are apart.
const char *explain_refusal(const Partition &, NodeId producer, NodeId consumer);

} // namespace sinter

// Algebra that makes the backward graph cheap. Each rewrite is exact up to float rounding.
//
// With f' one of relu_gradient, tanh_gradient, sigmoid_gradient (linear in dy, zero for dy = 0):
//   f' (max_pool2d_gradient dy, i), y         ->  max_pool2d_gradient (f' dy, (max_pool2d y)), i
//       y at the winning position is the pooled value and no other position gets a gradient: the
//       activation at full resolution need not be kept until the backward pass
//   f (reshape a), b, for elementwise f       ->  reshape (f a, (reshape b))
//       the operation joins the kernel that makes a; the reshape itself is free
//   reshape (dropout_mask {shape=s})          ->  dropout_mask {shape=t}     (numbered by flat
//   index) relu_gradient (multiply dy, mask), y      ->  affine (relu_gradient dy, d)
//   {scale=1/(1-rate)}
//       where d = multiply y, mask is the dropped-out activation: d > 0 where both are; no random
//       number is drawn a second time, and y itself need not be kept
//   reduce_sum (max_pool2d_gradient dy, i)    ->  reduce_sum dy       over images, rows and columns
//       each pooled gradient lands exactly once; the same for average_pool2d_gradient
//
// Requires: nothing. Guarantees: equal nodes are merged and dead ones gone; idempotent.
#pragma once

#include "ir/graph.h"

namespace sinter {

void simplify(Graph &);

} // namespace sinter

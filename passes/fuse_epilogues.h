// Grows kernels from contractions, pooling and reductions over what follows them:
//
//   kernel "conv2d.0"     {%3}                    kernel "conv2d_relu_max_pool2d.0" {%3, %5, %6,
//   %7} kernel "bias_add.0"   {%5}              -> kernel "relu.0"       {%6} kernel "max_pool2d.0"
//   {%7}
//
// Elementwise nodes join element by element (refuse_epilogue): bias, folded batch normalisation,
// activation, residual addition, dropout, and in training the activation's gradient or the whole
// optimizer: the gradient of a weight is never stored. Pooling without overlap joins a convolution
// that feeds nothing else (refuse_pool); max_pool2d_argmax joins its max_pool2d (refuse_twin).
//
// Requires: make_plan. Guarantees: verify(Plan).
#pragma once

#include "ir/plan.h"

namespace sinter {

void fuse_epilogues(Plan &);

} // namespace sinter

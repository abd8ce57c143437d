// Turns batch normalisation on moving statistics into a multiply-add a channel, with a
// convolution's or dense layer's bias inside:
//
//   %1 = bias_add (conv2d ...), b               scale = gamma * rsqrt(variance + epsilon)
//   %2 = batch_norm %1, gamma, beta, mean,  ->  shift = (b - mean) * scale + beta
//        variance {epsilon}                     %2 = bias_add (multiply (conv2d ...), scale), shift
//
// The statistics and weights are parameters: they are loaded and trained while the program runs,
// so the filter itself cannot be rescaled at compile time. What is left of the layer is two
// operations in the convolution's epilogue, on vectors of [channels] that one small kernel
// computes. Where the operands are constants, fold_constants makes scale and shift constants.
//
// Requires: specialize_for_inference's meaning of batch_norm. Guarantees: no `batch_norm` is left.
#pragma once

#include "ir/graph.h"

namespace sinter {

void fold_batch_norm(Graph &);

} // namespace sinter

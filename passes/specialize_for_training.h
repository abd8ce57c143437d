// Gives the mode-agnostic forward graph its meaning in a training step.
//
//   dropout x {rate, stream}   ->   multiply x, (dropout_mask rng {rate, stream, shape})
//
//   in_training a, b   ->   b
//
//   batch_norm x, gamma, beta, moving_mean, moving_variance {epsilon, momentum}   ->
//     mean = reduce_mean x over all dimensions but the last
//     centered = x - mean
//     variance = reduce_mean centered^2          (biased, for the moving average too, as in Keras)
//     y = centered * (gamma / sqrt(variance + epsilon)) + beta
//     update moving_mean     = momentum * moving_mean     + (1 - momentum) * mean
//     update moving_variance = momentum * moving_variance + (1 - momentum) * variance
//   batch_norm {frozen}: mean and variance are the moving ones, and nothing is updated
//   several batch_norm of the same moving ones: each updates what the one before made of them
//
// The variance is taken of centered values, not as E[x^2] - E[x]^2, which cancels in float32.
// Guarantees: no `dropout`, `in_training` or `batch_norm` is left; the rng input exists iff it is
// read.
#pragma once

#include "ir/graph.h"

namespace sinter {

void specialize_for_training(Graph &);

} // namespace sinter

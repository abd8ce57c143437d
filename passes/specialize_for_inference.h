// Gives the mode-agnostic forward graph its meaning in inference and evaluation.
//
//   %1 = dropout %0 {rate=0.25}                   %1 = relu %0
//   %2 = relu %1                          ->      %2 = batch_norm %1, ... (moving statistics)
//   %3 = batch_norm %2, ...
//
//   %1 = in_training %0, %9   ->   %0
//
// Guarantees: no `dropout` and no `in_training` is left, nor what only training needs. batch_norm
// already means the moving statistics.
#pragma once

#include "ir/graph.h"

namespace sinter {

void specialize_for_inference(Graph &);

} // namespace sinter

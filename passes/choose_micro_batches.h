// How many samples of a batch run through which kernels at a time, in inference.
//
// A batch of 32 images has activations of a hundred megabytes in each of a network's first layers:
// run layer by layer, all of them go to memory and back. Run for a few images at a time, they stay
// in a cache, but the filters come from memory more often, which matters where they are large: in
// the last layers. So the kernels, which are a chain, are cut where the best number of samples
// changes.
//
//   seconds(kernel, m) = filters / m / rate of memory
//                      + activations / rate of the cache that holds those of m samples
//                      + the time of a call / m
//   seconds(cut)       = values alive there / rate of memory, written and read
//
// The least sum is found by dynamic programming over kernels and numbers of samples. The idea is
// the one of depth-first execution (Goetschalckx and Verhelst, "Breaking high-resolution CNN
// bandwidth barriers with enhanced depth-first execution", 2019), along the batch alone, so that
// kernels know nothing of it.
#pragma once

#include "ir/plan.h"

namespace sinter {

/// Fills Plan::micro_batches; before plan_memory. Kernels that mix samples run for the whole batch.
void choose_micro_batches(Plan &);

} // namespace sinter

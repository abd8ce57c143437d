// Makes every result a value that a kernel can write where it belongs: an update straight onto its
// parameter, an output into the caller's memory. What cannot be is copied (affine by 1; a cast,
// where elements are no f32):
//
//   update %0 %1, where %1 is no computed value       ->  %9 = affine %1;  update %0 %9
//     (another parameter, an input, a constant), is a prediction, or belongs to an earlier update
//   update %0 %5, where a reader of %0 needs %5       ->  %9 = affine %5;  update %0 %9
//     (writing %5 in place would destroy what is still to be read; two updates that read each
//     other's old value are the same case)
//   output "prediction" %0, a leaf                    ->  %9 = affine %0;  output "prediction" %9
//   output "prediction:b" %5, as "prediction:a" is    ->  %9 = affine %5;  output "prediction:b" %9
//
// The training graphs that the pipelines build need no copy of an update: a test holds them to it.
//
// Requires: to be the last graph pass (canonicalize would drop the copies). Guarantees: writing
// updates in place orders the kernels without a cycle.
#pragma once

#include "ir/graph.h"

namespace sinter {

void isolate_results(Graph &);

} // namespace sinter

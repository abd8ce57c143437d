// For --precision=bf16: computes convolutions and matrix products of parameters with operands that
// are rounded to bf16, where that is estimated to be faster on a processor with AMX.
//
//   %2 = conv2d %0, %1 {padding=[1,1,1,1]}  ->  %2 = bf16_filter %1
//                                               %3 = bf16_conv2d %0, %2 {padding=[1,1,1,1]}
//   %5 = matmul %4, %1                      ->  %5 = bf16_filter %1
//                                               %6 = bf16_matmul %4, %5
//
// Products and sums stay float32, and so does every value between two such operations. Grouped
// convolutions and those of few channels stay as they are: AMX multiplies 32 channels at a time.
//
// Requires: a graph for inference; the new operations have no gradient.
// Guarantees: other nodes stay as they are.
#pragma once

#include "ir/graph.h"

namespace sinter {

void use_bf16(Graph &);

/// Why a contraction is not computed in bf16, or null where it is.
const char *refuse_bf16(const Graph &, const Node &);

} // namespace sinter

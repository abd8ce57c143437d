// For --precision=bf16: computes convolutions and matrix products with operands that are rounded to
// bf16, where that is estimated to be faster on a processor with AMX.
//
//   %2 = conv2d %0, %1 {padding=[1,1,1,1]}  ->  %2 = bf16_filter %1
//                                               %3 = bf16_conv2d %0, %2 {padding=[1,1,1,1]}
//   %5 = matmul %4, %1                      ->  %5 = bf16_filter %1
//                                               %6 = bf16_matmul %4, %5
//
// In training the gradients, too: an input's is a product with the filter turned, a filter's rounds
// both of its operands. Parameters, and what the optimizer makes of gradients, stay float32.
//
//   %3 = conv2d_input_gradient %2, %1 {..}  ->  %3 = bf16_filter %1 {turned=true}
//                                               %4 = bf16_conv2d %2, %3 {padding=..}
//   %4 = conv2d_filter_gradient %0, %2 {..} ->  %4 = bf16_filter_gradient %0, %2 {..}
//   %5 = matmul %0, %2 {transpose_a=true}   ->  %5 = bf16_matmul_gradient %0, %2
//
// Products and sums stay float32, and so does every value between two such operations. Grouped
// convolutions and those of few channels stay as they are: AMX multiplies 32 channels at a time.
//
// Requires: the new operations have no gradient, so differentiate comes before.
// Guarantees: other nodes stay as they are.
#pragma once

#include "ir/graph.h"

namespace sinter {

/// Of a graph for inference, whose rounded filters are made once for many inferences.
void use_bf16(Graph &);
/// Of a training step, which rounds filters anew.
void use_training_bf16(Graph &);

/// Why a node is not computed in bf16, or null where it is.
const char *refuse_bf16(const Graph &, const Node &);
const char *refuse_training_bf16(const Graph &, const Node &);

} // namespace sinter

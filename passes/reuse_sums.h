// Writes sums over everything but the last dimension in terms of sums that the graph has already:
//
//   %5 = reduce_sum %3 {axes=[0,1,2]}                  %5 = reduce_sum %3 {axes=[0,1,2]}
//   %6 = multiply %3, %gamma                     ->    %6 = multiply %3, %gamma
//   %7 = reduce_sum %6 {axes=[0,1,2]}                  %7 = multiply %5, %gamma
//
// A factor that is the same at every summed index comes out; a sum of sums is taken apart; values
// centred on their own mean sum to zero; a pooled gradient lands exactly once. The backward pass of
// batch normalisation thus needs two reductions instead of four, and a bias before it, which cannot
// change the loss, gets a gradient of zero and not of rounding noise, which Adam would blow up.
//
// Requires: nothing. Guarantees: no reduction is added; idempotent.
#pragma once

#include "ir/graph.h"

namespace sinter {

void reuse_sums(Graph &);

} // namespace sinter

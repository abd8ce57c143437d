// Computes equal expressions once: nodes of one op, equal attributes and the same operands (in any
// order when the op is commutative) become the first of them.
//
//   %1 = relu %0 @"a"
//   %2 = relu %0 @"b"        ->   %1 = relu %0 @"a"
//   %3 = add %1, %2               %2 = add %1, %1
//
// Layer names and locations don't count; the first node's stay. Random ops are functions of the
// rng key and their attributes, `stream` above all: two dropout layers never merge, one mask asked
// for twice does. Parameters and inputs have unique names and so never merge.
#pragma once

#include "ir/graph.h"

namespace sinter {

void merge_common_subexpressions(Graph &);

} // namespace sinter

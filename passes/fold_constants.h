// Evaluates what depends on constants alone, in float32 on the compiling machine.
//
//   %0 = constant {values=[4], type=f32[3]}
//   %1 = rsqrt %0                                ->   %0 = constant {values=[0.5], type=f32[3]}
//
// Covers elementwise maths of f32 (with broadcasting), and reshape and transpose of every type. A
// result that holds one value everywhere is kept as one value; sums and the like of more than
// kMaxFoldedElements stay as they are, so that folding never makes a program large.
//
// Guarantees: no reshape of a constant is left, which no kernel could read.
#pragma once

#include "ir/graph.h"

namespace sinter {

constexpr int64_t kMaxFoldedElements = 1 << 16;

void fold_constants(Graph &);

} // namespace sinter

// Chooses how parameters are stored: conv2d filters [kh, kw, ci, co] and matmul weights [in, out]
// become blocked over their last dimension, so that a kernel loads whole vectors of outputs from
// consecutive memory.
//
//   %1 = parameter {name="w", type=f32[3,3,32,64]}  ->  type=f32[3,3,32,64; block=32]
//   %2 = conv2d %0, %1                                  %2 = conv2d %0, %1
//
//   filter, co a multiple of 32     block 32   two vectors of AVX-512 an accumulator row
//   filter, other co >= 8           block 16   and every grouped one: a vector a depthwise tile
//   matmul weights, out >= 8        block 16
//   fewer outputs                   row-major  the padding lanes would outweigh the vectors
//
// The rule asks the shape alone, never the target: a checkpoint and every instruction-set variant
// of one program share one layout. Row-major stay: weights used transposed, and every parameter
// with a user that has another wish. Gradients and optimizer state inherit the block through the
// type rules, so this pass must run before differentiate.
//
// Requires: the forward graph. Guarantees: node ids are unchanged; only parameter types change.
#pragma once

#include "ir/graph.h"

namespace sinter {

void choose_layout(Graph &);

} // namespace sinter

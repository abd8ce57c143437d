// Moves transposes towards the results until they meet their inverses. A frontend whose files are
// channels first puts a transpose before and one after each convolution and pooling; what lies
// between two of those mostly does not care about the order of dimensions.
//
//   %1 = conv2d ...                                   %1 = conv2d ...
//   %2 = transpose %1 {permutation=[0,3,1,2]}     ->  %2 = relu %1
//   %3 = relu %2                                      %3 = conv2d %2, ...
//   %4 = transpose %3 {permutation=[0,2,3,1]}
//   %5 = conv2d %4, ...
//
//   transpose (transpose x)        one transpose, or x
//   f (transpose a, transpose b)   transpose (f a, b), for elementwise f; a scalar or an operand
//   that
//                                  broadcasts may take the place of a transpose
//   concat, pad, slice, reduce_*   the same, with the dimensions renamed
//   reshape (transpose x)          reshape x, where only dimensions of extent 1 change places; at
//                                  the end such a transpose becomes a reshape anyway
//
// An elementwise operation stays where it is when another of its full operands is not transposed:
// moving would trade one transpose for another. Nodes whose operands belong to the last dimension
// (bias_add, batch_norm) are not passed.
//
// Requires: nothing. Guarantees: no new work beside transposes of what broadcasts; dead nodes gone.
#pragma once

#include "ir/graph.h"

namespace sinter {

void cancel_transposes(Graph &);

} // namespace sinter

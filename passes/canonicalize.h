// Brings a forward graph into the form that the later passes know, one spelling for each meaning:
//
//   categorical_crossentropy (softmax x), t    ->  softmax_cross_entropy x, t   (stable; as Keras)
//   binary_crossentropy (sigmoid x), t         ->  sigmoid_cross_entropy x, t
//   categorical_accuracy (softmax x), t        ->  categorical_accuracy x, t    (softmax is
//   monotone) reshape (reshape x), transpose (transpose x), affine (affine x), relu (relu x)  ->
//   one of them identity reshape, transpose, pad, slice, cast, affine, x + 0, x * 1, dropout
//   {rate=0}  ->  x x + c, x - c, x * c with a scalar constant  ->  affine x {scale, offset} conv2d
//   (pad x {value=0}), w                ->  conv2d x, w {padding}
//
// Requires nothing. Guarantees: outputs keep their values up to float rounding; idempotent.
#pragma once

#include "ir/graph.h"

namespace sinter {

void canonicalize(Graph &);

} // namespace sinter

// Gradients of convolutions of small images, position by position for all images of the batch. Of a
// filter of 3 by 3, more than half of the taps meet padding in an image of 2 by 2: where each
// position is by itself, they are left out. Images are then a matrix's rows, as in a dense layer.
// Large filters come from memory once, and no partial sum of their gradients is stored. The stages:
//
//   op                              copies              reductions
//   conv2d_input_gradient           images (of dy)      sum
//   conv2d_filter_gradient          positions, gradient sum
//
// "images" has the images innermost: [h, w, c, N]. Private to ir/ops/.
#pragma once

#include "ir/type.h"

namespace sinter {

class KernelBuilder;

/// Whether the gradients of a convolution with results of this shape and this filter are computed
/// so: of a batch of images that do not fill a register tile, with a filter that does not stay in a
/// cache from image to image.
bool is_by_position(const Shape &result, const Shape &filter, int64_t groups);

void define_input_gradient_by_position(KernelBuilder &);
void define_filter_gradient_by_position(KernelBuilder &);

} // namespace sinter

// Convolutions of small images and their gradients, position by position for all images of the
// batch. Of a filter of 3 by 3, more than half of the taps meet padding in an image of 2 by 2:
// where each position is by itself, they are left out. Images are then a matrix's rows, as in a
// dense layer. Large filters come from memory once, and no partial sum of their gradients is
// stored. The stages:
//
//   op                              copies              reductions
//   conv2d, after its own           positions           sum
//   conv2d_input_gradient           images (of dy)      sum
//   conv2d_filter_gradient          positions, gradient sum
//
// "images" has the images innermost: [h, w, c, N]. A conv2d has both algorithms: its kernel meets
// single images, too, and learns the batch when it runs. Private to ir/ and the schedules.
#pragma once

#include "ir/type.h"

namespace sinter {

class KernelBuilder;
class Tensor;

/// Images from which on a conv2d is computed so: a tile of them.
constexpr int kManyImages = 8;

/// Whether a convolution with results of this shape and this filter and its gradients are computed
/// so: of a batch of images that do not fill a register tile, with a filter that does not stay in a
/// cache from image to image.
bool is_by_position(const Shape &result, const Shape &filter, int64_t groups);

/// The convolution's sum, with the filter or its packed copy.
Tensor convolve_by_position(KernelBuilder &, const Tensor &filter);
void define_input_gradient_by_position(KernelBuilder &);
void define_filter_gradient_by_position(KernelBuilder &);

} // namespace sinter

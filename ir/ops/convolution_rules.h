// What the type rules of all kinds of convolution share. Private to ir/ops/.
#pragma once

#include "ir/op.h"

namespace sinter {

/// Strides, dilations, padding and groups are sensible numbers.
void require_conv2d_attrs(const TypeContext &, const Conv2dAttrs &);

/// The result [n, oh, ow, co] of convolving `x` [n, h, w, ci] with `filter` [kh, kw, ci/groups,
/// co]; throws where they do not fit.
Shape conv2d_shape(const TypeContext &, const Conv2dAttrs &, const Shape &x, const Shape &filter);

} // namespace sinter

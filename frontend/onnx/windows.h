// The sliding windows of convolutions and poolings, as ONNX describes them.
#pragma once

#include "frontend/onnx/operator_context.h"

#include <array>

namespace sinter {

/// One entry a spatial dimension.
struct Windows {
  std::vector<int64_t> size, strides, dilations, before, after;
  size_t rank() const { return size.size(); }
};

/// Reads strides, dilations, pads and auto_pad for windows of the given size over the spatial
/// extents of x, which is [n, c, ...].
Windows read_windows(const OperatorContext &, const Shape &x, std::vector<int64_t> size);

/// Enlarges `after` so that the last window, which may start inside of the padded extent but not
/// end there, counts, too (ceil_mode). A window that would start in the padding behind is dropped.
void round_up_windows(Windows &, const Shape &x);

/// The two-dimensional form {height, width}; one spatial dimension gets a height of 1.
std::array<int64_t, 2> as_pair(const std::vector<int64_t> &, int64_t missing);
std::array<int64_t, 4> padding_of(const Windows &);

/// [n, c, h, w] or [n, c, w] as NHWC, and back to channels first of that rank.
NodeId to_image(OperatorContext &, NodeId x);
NodeId from_image(OperatorContext &, NodeId image, int rank);

} // namespace sinter

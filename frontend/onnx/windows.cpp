#include "frontend/onnx/windows.h"

#include "frontend/onnx/building.h"
#include "ir/ops/window.h"

#include <algorithm>

namespace sinter {

namespace {

/// Beyond any use, and small enough that products of extents do not overflow.
constexpr int64_t kLargest = int64_t{1} << 24;

void require_positive(const OperatorContext &c, const std::vector<int64_t> &values, size_t rank,
                      const char *what) {
  const bool right = values.size() == rank &&
                     std::all_of(values.begin(), values.end(),
                                 [](int64_t value) { return value >= 1 && value <= kLargest; });
  c.require(right, "expects {} positive {}, got {}", rank, what, str(values));
}

/// SAME_UPPER and SAME_LOWER: ceil(extent / stride) windows; an odd pad goes behind or in front.
void pad_same(Windows &windows, const Shape &x, bool upper) {
  for (size_t d = 0; d < windows.rank(); ++d) {
    const int64_t extent = x[d + 2];
    const int64_t count = (extent + windows.strides[d] - 1) / windows.strides[d];
    const int64_t span = window_span(windows.size[d], windows.dilations[d]);
    const int64_t total = std::max<int64_t>(0, (count - 1) * windows.strides[d] + span - extent);
    windows.before[d] = upper ? total / 2 : total - total / 2;
    windows.after[d] = total - windows.before[d];
  }
}

} // namespace

Windows read_windows(const OperatorContext &c, const Shape &x, std::vector<int64_t> size) {
  c.require(x.size() >= 3, "expects [n, c, ...] with spatial dimensions, got {}", str(x));
  const size_t rank = x.size() - 2;
  const std::vector<int64_t> ones(rank, 1);
  const std::vector<int64_t> zeros(rank, 0);
  Windows windows{std::move(size), c.integers("strides", ones), c.integers("dilations", ones),
                  zeros, zeros};
  require_positive(c, windows.size, rank, "window extents");
  require_positive(c, windows.strides, rank, "strides");
  require_positive(c, windows.dilations, rank, "dilations");
  const std::string mode = c.text("auto_pad", "NOTSET");
  if (mode == "SAME_UPPER" || mode == "SAME_LOWER") {
    pad_same(windows, x, mode == "SAME_UPPER");
  } else if (mode == "NOTSET" || mode.empty()) {
    const std::vector<int64_t> pads = c.integers("pads", std::vector<int64_t>(2 * rank, 0));
    const bool right = pads.size() == 2 * rank &&
                       std::all_of(pads.begin(), pads.end(),
                                   [](int64_t pad) { return pad >= 0 && pad <= kLargest; });
    c.require(right, "expects {} pads of at least 0, got {}", 2 * rank, str(pads));
    const auto middle = pads.begin() + static_cast<std::ptrdiff_t>(rank);
    windows.before.assign(pads.begin(), middle);
    windows.after.assign(middle, pads.end());
  } else {
    c.require(mode == "VALID", "has auto_pad {}", mode);
  }
  return windows;
}

void round_up_windows(Windows &windows, const Shape &x) {
  for (size_t d = 0; d < windows.rank(); ++d)
    windows.after[d] +=
        partial_window(x[d + 2], windows.before[d], windows.after[d],
                       window_span(windows.size[d], windows.dilations[d]), windows.strides[d]);
}

std::array<int64_t, 2> as_pair(const std::vector<int64_t> &values, int64_t missing) {
  return values.size() == 1 ? std::array<int64_t, 2>{missing, values[0]}
                            : std::array<int64_t, 2>{values[0], values[1]};
}

std::array<int64_t, 4> padding_of(const Windows &windows) {
  const std::array<int64_t, 2> before = as_pair(windows.before, 0);
  const std::array<int64_t, 2> after = as_pair(windows.after, 0);
  return {before[0], before[1], after[0], after[1]};
}

NodeId to_image(OperatorContext &c, NodeId x) {
  const Shape shape = c.shape_of(x);
  if (shape.size() == 3)
    x = c.reshape(x, {shape[0], shape[1], 1, shape[2]});
  return c.transpose(x, channels_last_order(4));
}

NodeId from_image(OperatorContext &c, NodeId image, int rank) {
  const NodeId x = c.transpose(image, channels_first_order(4));
  const Shape shape = c.shape_of(x);
  return rank == 3 ? c.reshape(x, {shape[0], shape[1], shape[3]}) : x;
}

} // namespace sinter

// The geometry of sliding windows: convolutions and pooling. Padding is {top, left, bottom,
// right}; strides, dilations and sizes are {height, width}.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace sinter {

/// Input positions that a window of `size` taps spans along one dimension.
constexpr int64_t window_span(int64_t size, int64_t dilation) { return (size - 1) * dilation + 1; }

/// Windows that fit along one dimension; 0 when none does. `padding` is the sum of both sides.
constexpr int64_t window_count(int64_t extent, int64_t padding, int64_t span, int64_t stride) {
  const int64_t room = extent + padding - span;
  return room < 0 ? 0 : room / stride + 1;
}

/// How far the last window reaches beyond input and padding when partial windows count too
/// (ceil_mode); one that would begin in the padding behind does not.
constexpr int64_t partial_window(int64_t extent, int64_t before, int64_t after, int64_t span,
                                 int64_t stride) {
  const int64_t room = extent + before + after - span;
  const int64_t rest = room < 0 ? 0 : room % stride;
  const bool counts = rest > 0 && room - rest + stride < extent + before;
  return counts ? stride - rest : 0;
}

/// TensorFlow's "same": the result has ceil(extent / stride) positions, and an odd pad goes to the
/// bottom or right.
inline std::array<int64_t, 4> same_padding(std::array<int64_t, 2> input,
                                           std::array<int64_t, 2> size,
                                           std::array<int64_t, 2> strides,
                                           std::array<int64_t, 2> dilations = {1, 1}) {
  std::array<int64_t, 4> padding{};
  for (size_t d = 0; d < 2; ++d) {
    const int64_t positions = (input[d] + strides[d] - 1) / strides[d];
    const int64_t needed =
        (positions - 1) * strides[d] + window_span(size[d], dilations[d]) - input[d];
    const int64_t total = needed > 0 ? needed : 0;
    padding[d] = total / 2;
    padding[d + 2] = total - total / 2;
  }
  return padding;
}

} // namespace sinter

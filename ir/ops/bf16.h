// The layout of filters and images of bf16 numbers. Private to ir/ops/.
#pragma once

#include <cstdint>

namespace sinter {

/// Filters are stored in panels of so many; images in multiples of so many channels.
constexpr int64_t kBf16Panel = 16;
constexpr int64_t kBf16Depth = 32;

constexpr int64_t bf16_channels(int64_t channels) {
  return (channels + kBf16Depth - 1) / kBf16Depth * kBf16Depth;
}

} // namespace sinter

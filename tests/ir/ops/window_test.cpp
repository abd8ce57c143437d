#include "ir/ops/window.h"

#include <doctest/doctest.h>

using namespace sinter;

namespace {

using Padding = std::array<int64_t, 4>;

} // namespace

TEST_CASE("same padding is TensorFlow's: an odd pad goes to the bottom and right") {
  CHECK(same_padding({28, 28}, {3, 3}, {1, 1}) == Padding{1, 1, 1, 1});
  CHECK(same_padding({28, 28}, {2, 4}, {1, 1}) == Padding{0, 1, 1, 2});
  CHECK(same_padding({224, 224}, {7, 7}, {2, 2}) == Padding{2, 2, 3, 3});
  CHECK(same_padding({28, 27}, {3, 3}, {2, 2}) == Padding{0, 1, 1, 1});
}

TEST_CASE("same padding is never negative, and spans dilated windows") {
  CHECK(same_padding({8, 8}, {1, 1}, {2, 2}) == Padding{0, 0, 0, 0});
  CHECK(same_padding({9, 9}, {3, 3}, {1, 1}, {2, 3}) == Padding{2, 3, 2, 3});
}

TEST_CASE("a same-padded window gives ceil(extent / stride) positions") {
  for (int64_t extent = 1; extent < 12; ++extent)
    for (int64_t size = 1; size < 6; ++size)
      for (int64_t stride = 1; stride < 5; ++stride) {
        const Padding padding = same_padding({extent, extent}, {size, size}, {stride, stride});
        CHECK(window_count(extent, padding[0] + padding[2], size, stride) ==
              (extent + stride - 1) / stride);
      }
}

TEST_CASE("no window fits what is smaller than it") {
  CHECK(window_count(3, 0, 5, 1) == 0);
  CHECK(window_count(3, 2, 5, 1) == 1);
  CHECK(window_count(10, 0, 3, 2) == 4);
}

// Convolutions and their gradients: shapes that fill the register tiles and shapes that do not.
#include "tests/backends/halide/kernel_runner.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

using namespace sinter;

namespace {

/// Sizes of one convolution; the padding is {top, left, bottom, right}.
struct Case {
  int64_t height, width, channels, filters, kernel_height, kernel_width;
  Conv2dAttrs attrs;
  int64_t block;

  int64_t output(size_t d) const {
    const int64_t input = d == 0 ? height : width;
    const int64_t size = d == 0 ? kernel_height : kernel_width;
    return (input + attrs.padding[d] + attrs.padding[d + 2] - (size - 1) * attrs.dilations[d] - 1) /
               attrs.strides[d] +
           1;
  }
  std::string x() const { return fmt::format("f32[N,{},{},{}]", height, width, channels); }
  std::string y() const { return fmt::format("f32[N,{},{},{}]", output(0), output(1), filters); }
  std::string w() const {
    const std::string suffix = block > 0 ? fmt::format("; block={}", block) : "";
    return fmt::format("f32[{},{},{},{}{}]", kernel_height, kernel_width, channels / attrs.groups,
                       filters, suffix);
  }
  std::string fields() const {
    return fmt::format("strides=[{},{}], dilations=[{},{}], padding=[{},{},{},{}], groups={}",
                       attrs.strides[0], attrs.strides[1], attrs.dilations[0], attrs.dilations[1],
                       attrs.padding[0], attrs.padding[1], attrs.padding[2], attrs.padding[3],
                       attrs.groups);
  }
};

const Case kCases[] = {
    {14, 14, 32, 64, 3, 3, {{1, 1}, {1, 1}, {1, 1, 1, 1}, 1}, 32},   // full tiles
    {28, 28, 1, 32, 3, 3, {{1, 1}, {1, 1}, {1, 1, 1, 1}, 1}, 32},    // one input channel
    {13, 11, 5, 10, 3, 3, {{1, 1}, {1, 1}, {1, 1, 1, 1}, 1}, 16},    // nothing fits
    {9, 10, 3, 20, 5, 5, {{2, 2}, {1, 1}, {2, 1, 2, 2}, 1}, 32},     // strided
    {7, 6, 4, 6, 3, 2, {{2, 1}, {1, 2}, {1, 0, 1, 1}, 2}, 0},        // groups, dilation
    {8, 9, 12, 12, 3, 3, {{1, 1}, {1, 1}, {1, 1, 1, 1}, 12}, 16},    // depthwise
    {8, 9, 6, 12, 3, 3, {{2, 2}, {1, 1}, {0, 0, 1, 1}, 6}, 16},      // depthwise, two filters each
    {7, 7, 48, 40, 1, 1, {{1, 1}, {1, 1}, {0, 0, 0, 0}, 1}, 16},     // pointwise
    {12, 12, 20, 50, 5, 5, {{1, 1}, {1, 1}, {0, 0, 0, 0}, 1}, 32},   // valid
    {1, 1, 7, 3, 1, 1, {{1, 1}, {1, 1}, {0, 0, 0, 0}, 1}, 0},        // a single pixel
    {37, 29, 40, 32, 3, 3, {{1, 1}, {1, 1}, {1, 1, 1, 1}, 1}, 32},   // strips, the last one short
    {7, 5, 96, 192, 3, 3, {{1, 1}, {1, 1}, {1, 1, 1, 1}, 1}, 32},    // channels among tasks
    {7, 7, 320, 512, 1, 1, {{1, 1}, {1, 1}, {0, 0, 0, 0}, 1}, 32},   // the same, in parts
    {7, 7, 96, 256, 1, 1, {{1, 1}, {1, 1}, {0, 0, 0, 0}, 1}, 32},    // too few for parts
    {6, 7, 128, 192, 3, 3, {{1, 1}, {1, 1}, {1, 1, 1, 1}, 1}, 32},   // with several taps
    {13, 14, 128, 128, 3, 3, {{2, 2}, {1, 1}, {1, 1, 1, 1}, 1}, 32}, // strided
    {15, 17, 24, 40, 3, 3, {{2, 2}, {1, 1}, {1, 1, 1, 1}, 1}, 16},   // strided: four phases
    {14, 13, 24, 32, 1, 1, {{2, 2}, {1, 1}, {0, 0, 0, 0}, 1}, 32},   // three of them empty
    {12, 15, 32, 32, 5, 5, {{2, 1}, {1, 1}, {2, 2, 2, 2}, 32}, 16},  // in one direction only
    {4, 3, 128, 192, 3, 3, {{1, 1}, {1, 1}, {1, 1, 1, 1}, 1}, 32},   // tiles of several rows
    {31, 37, 64, 64, 3, 3, {{1, 1}, {1, 1}, {1, 1, 1, 1}, 64}, 16},  // depthwise, in strips
    {15, 2, 24, 24, 5, 5, {{2, 1}, {1, 1}, {2, 2, 2, 2}, 24}, 16},   // depthwise, all border
    {1, 1, 17, 17, 3, 3, {{1, 1}, {2, 2}, {2, 2, 2, 2}, 17}, 16},    // depthwise, of one pixel
    {2, 2, 128, 64, 3, 3, {{1, 1}, {1, 1}, {1, 1, 1, 1}, 1}, 32},    // by position
    {5, 7, 64, 128, 3, 3, {{2, 2}, {1, 1}, {0, 1, 1, 1}, 1}, 32},    // the same, strided
    {4, 3, 48, 80, 5, 5, {{1, 1}, {2, 2}, {4, 3, 4, 5}, 1}, 16},     // dilated, mostly padding
    {3, 4, 256, 272, 1, 1, {{2, 1}, {1, 1}, {0, 0, 0, 0}, 1}, 0}     // of plain storage
};

const char *const kTargets[] = {"host", "x86-64-linux-sse41-avx-f16c-fma-avx2"};

/// Small images are computed by position, in tiles of images.
std::vector<int64_t> batches(const Case &c) {
  return c.output(0) * c.output(1) <= 16 ? std::vector<int64_t>{1, 5, 37}
                                         : std::vector<int64_t>{1, 5};
}

} // namespace

TEST_CASE("conv2d") {
  for (const Case &c : kCases)
    for (const char *target : kTargets)
      check_kernel(fmt::format(R"(%0 = input {{name="x", type={0}}} : {0}
%1 = parameter {{name="kernel", type={1}}} : {1}
%2 = conv2d %0, %1 {{{2}}} : {3})",
                               c.x(), c.w(), c.fields(), c.y()),
                   batches(c), target);
}

TEST_CASE("conv2d_input_gradient") {
  for (const Case &c : kCases)
    for (const char *target : kTargets)
      check_kernel(fmt::format(R"(%0 = input {{name="dy", type={0}}} : {0}
%1 = parameter {{name="kernel", type={1}}} : {1}
%2 = conv2d_input_gradient %0, %1 {{{2}, size=[{3},{4}]}} : {5})",
                               c.y(), c.w(), c.fields(), c.height, c.width, c.x()),
                   batches(c), target);
}

TEST_CASE("conv2d_filter_gradient") {
  for (const Case &c : kCases)
    for (const char *target : kTargets)
      check_kernel(fmt::format(R"(%0 = input {{name="x", type={0}}} : {0}
%1 = input {{name="dy", type={1}}} : {1}
%2 = conv2d_filter_gradient %0, %1 {{{2}, size=[{3},{4}], block={5}}} : {6})",
                               c.x(), c.y(), c.fields(), c.kernel_height, c.kernel_width, c.block,
                               c.w()),
                   {1, 13}, target);
}

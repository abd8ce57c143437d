// Products of bf16 numbers: every way a result falls into tiles, strips and blocks of filters, with
// the arithmetic of this machine. What the other arithmetics make of it is tested with the runtime.
#include "ir/parse.h"
#include "tests/backends/halide/kernel_runner.h"

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <random>

using namespace sinter;

namespace {

const char *const kTargets[] = {"host", "x86-64-linux-sse41-avx-f16c-fma-avx2",
                                "x86-64-linux-sse41"};

struct Case {
  int64_t height, width, channels, filters;
  std::array<int64_t, 2> size{3, 3}, strides{1, 1}, dilations{1, 1};
  std::array<int64_t, 4> padding{1, 1, 1, 1};

  int64_t results(size_t d) const {
    const int64_t extent = (d == 0 ? height : width) + padding[d] + padding[d + 2];
    return (extent - (size[d] - 1) * dilations[d] - 1) / strides[d] + 1;
  }
  std::string x() const { return fmt::format("f32[N,{},{},{}]", height, width, channels); }
  std::string y(int64_t pool = 1) const {
    return fmt::format("f32[N,{},{},{}]", results(0) / pool, results(1) / pool, filters);
  }
  /// The gradient by the filter, stored in blocks, of a dy that is an input or a ReLU's.
  std::string filter_gradient(int64_t block, bool computed = false) const {
    const std::string dy = computed
                               ? fmt::format(R"(%1 = input {{name="d", type={0}}} : {0}
%2 = input {{name="r", type={0}}} : {0}
%3 = relu_gradient %1, %2 : {0}
)",
                                             y())
                               : fmt::format("%1 = input {{name=\"dy\", type={0}}} : {0}\n", y());
    const std::string attributes =
        fmt::format("strides=[{},{}], dilations=[{},{}], padding=[{},{},{},{}], size=[{},{}]",
                    strides[0], strides[1], dilations[0], dilations[1], padding[0], padding[1],
                    padding[2], padding[3], size[0], size[1]);
    const std::string stored = block == 0 ? "" : fmt::format("; block={}", block);
    return fmt::format("%0 = input {{name=\"x\", type={0}}} : {0}\n{1}%{2} = bf16_filter_gradient "
                       "%0, %{3} {{{4}{5}}} : "
                       "f32[{6},{7},{8},{9}{10}]",
                       x(), dy, computed ? 4 : 2, computed ? 3 : 1, attributes,
                       block == 0 ? "" : fmt::format(", block={}", block), size[0], size[1],
                       channels, filters, stored);
  }
  std::string convolution() const {
    const std::string pairs = fmt::format("i32[{},{},{},{}; block=16]", size[0], size[1],
                                          (channels + 31) / 32 * 16, filters);
    return fmt::format(
        R"(%0 = input {{name="x", type={0}}} : {0}
%1 = parameter {{name="pairs", role="prepared", type={1}}} : {1}
%2 = bf16_conv2d %0, %1 {{strides=[{2},{3}], dilations=[{4},{5}], padding=[{6},{7},{8},{9}]}} : {10}
)",
        x(), pairs, strides[0], strides[1], dilations[0], dilations[1], padding[0], padding[1],
        padding[2], padding[3], y());
  }
};

const Case kCases[] = {
    {7, 7, 64, 64},     // fewer positions than two tiles overhang
    {13, 13, 32, 96},   // positions in no whole tiles
    {14, 14, 256, 256}, // threads share filters
    {28, 28, 64, 48},   // several strips, filters cut off
    {60, 57, 32, 40},   //
    {3, 2, 32, 16},     // fewer positions than rows of a tile
    {1, 1, 5, 3},       // a single pixel, nothing fits
    {9, 11, 37, 20, {5, 5}, {1, 1}, {1, 1}, {2, 2, 2, 2}},
    {14, 14, 64, 64, {3, 3}, {2, 2}},
    {15, 12, 40, 33, {3, 3}, {2, 2}, {1, 1}, {0, 0, 1, 1}},
    {16, 16, 32, 32, {2, 2}, {3, 2}, {1, 1}, {0, 0, 0, 0}},
    {12, 14, 32, 32, {3, 3}, {1, 1}, {2, 3}, {2, 3, 2, 3}},
    {11, 14, 32, 32, {3, 2}, {2, 3}, {3, 2}, {1, 0, 2, 1}},
    {14, 14, 64, 256, {1, 1}, {1, 1}, {1, 1}, {0, 0, 0, 0}},
    {14, 13, 96, 128, {1, 1}, {2, 2}, {1, 1}, {0, 0, 0, 0}},
    {8, 6, 32, 16, {1, 7}, {1, 1}, {1, 1}, {0, 3, 0, 3}},
};

Case random_case(std::mt19937 &engine) {
  const auto between = [&](int64_t low, int64_t high) {
    return low + static_cast<int64_t>(engine() % static_cast<uint64_t>(high - low + 1));
  };
  Case c{between(8, 30), between(8, 30), between(1, 70), between(1, 70)};
  for (size_t d = 0; d < 2; ++d) {
    c.size[d] = between(1, 4);
    c.strides[d] = between(1, 3);
    c.dilations[d] = between(1, 2);
  }
  for (int64_t &padding : c.padding)
    padding = between(0, 2);
  return c;
}

constexpr double kTolerance = 1e-5; // of sums in float32, as for any convolution

} // namespace

TEST_CASE("bf16_conv2d") {
  for (const Case &c : kCases)
    for (const char *target : kTargets)
      check_kernel(c.convolution(), {1, 3}, target, kTolerance);
}

TEST_CASE("bf16_conv2d of random shapes") {
  std::mt19937 engine(1);
  for (int i = 0; i < 12; ++i)
    check_kernel(random_case(engine).convolution(), {2}, "host", kTolerance);
}

TEST_CASE("bf16_conv2d with what a network puts behind it") {
  for (const Case &c : {kCases[0], kCases[2], kCases[3]}) {
    const std::string tail =
        fmt::format(R"(%3 = parameter {{name="scale", type=f32[{0}]}} : f32[{0}]
%4 = multiply %2, %3 : {1}
%5 = parameter {{name="bias", type=f32[{0}]}} : f32[{0}]
%6 = bias_add %4, %5 : {1}
%7 = input {{name="shortcut", type={1}}} : {1}
%8 = add %6, %7 : {1}
%9 = relu %8 : {1})",
                    c.filters, c.y());
    for (const char *target : kTargets)
      check_kernel(c.convolution() + tail, {1, 3}, target, kTolerance);
  }
}

TEST_CASE("bf16_conv2d pooled") {
  for (const Case &c : {kCases[1], kCases[2], kCases[3], kCases[4]}) {
    const std::string tail =
        fmt::format("%3 = relu %2 : {0}\n%4 = max_pool2d %3 : {1}", c.y(), c.y(2));
    for (const char *target : kTargets)
      check_kernel(c.convolution() + tail, {1, 2}, target, kTolerance);
  }
}

TEST_CASE("bf16_conv2d whose images take turns with a large filter") {
  check_kernel(Case{5, 5, 256, 256}.convolution(), {1, 19}, "host", kTolerance);
}

TEST_CASE("bf16_matmul") {
  for (const auto &[depth, columns] :
       {std::pair<int64_t, int64_t>{7, 20}, {64, 32}, {100, 10}, {3136, 100}, {512, 1000}}) {
    const std::string graph = fmt::format(
        R"(%0 = input {{name="x", type=f32[N,{0}]}} : f32[N,{0}]
%1 = parameter {{name="pairs", role="prepared", type=i32[{2},{1}; block=16]}} : i32[{2},{1}; block=16]
%2 = bf16_matmul %0, %1 : f32[N,{1}]
%3 = parameter {{name="bias", type=f32[{1}]}} : f32[{1}]
%4 = bias_add %2, %3 : f32[N,{1}]
%5 = relu %4 : f32[N,{1}])",
        depth, columns, (depth + 31) / 32 * 16);
    for (const char *target : kTargets)
      check_kernel(graph, {1, 3, 20, 130}, target, kTolerance);
  }
}

TEST_CASE("bf16_filter_gradient") {
  for (const Case &c : kCases)
    for (const char *target : kTargets)
      for (const int64_t block : {0, 16, 32})
        check_kernel(c.filter_gradient(block), {1, 3}, target, kTolerance);
}

TEST_CASE("bf16_filter_gradient of random shapes, and of several chunks of images") {
  std::mt19937 engine(2);
  for (int i = 0; i < 12; ++i)
    check_kernel(random_case(engine).filter_gradient(i % 2 == 0 ? 16 : 0), {2}, "host", kTolerance);
  check_kernel(Case{14, 14, 32, 64}.filter_gradient(32), {37}, "host", kTolerance);
}

TEST_CASE(
    "bf16_filter_gradient with the gradient of an activation before and an optimizer behind") {
  for (const Case &c : {kCases[0], kCases[3], kCases[8]}) {
    const std::string w = fmt::format("f32[3,3,{},{}; block=16]", c.channels, c.filters);
    const std::string update = fmt::format(R"(
%5 = parameter {{name="v", type={0}}} : {0}
%6 = parameter {{name="w", type={0}}} : {0}
%7 = moving_average %5, %4 {{decay=0.9}} : {0}
%8 = input {{name="learning_rate", role="learning_rate"}} : f32[]
%9 = sgd_update %6, %7, %8 : {0})",
                                           w);
    for (const char *target : kTargets)
      check_kernel(c.filter_gradient(16, /*computed=*/true) + update, {1, 3}, target, 1e-3);
  }
}

TEST_CASE("bf16_matmul_gradient") {
  for (const auto &[rows, columns] :
       {std::pair<int64_t, int64_t>{7, 20}, {64, 32}, {100, 10}, {200, 100}, {333, 70}})
    for (const int64_t block : {0, 16, 32}) {
      const std::string type = fmt::format("f32[{},{}{}]", rows, columns,
                                           block == 0 ? "" : fmt::format("; block={}", block));
      const std::string graph = fmt::format(
          R"(%0 = input {{name="x", type=f32[N,{0}]}} : f32[N,{0}]
%1 = input {{name="dy", type=f32[N,{1}]}} : f32[N,{1}]
%2 = bf16_matmul_gradient %0, %1 {{block={3}}} : {2})",
          rows, columns, type, block);
      const std::string update = fmt::format(R"(
%3 = parameter {{name="v", type={0}}} : {0}
%4 = parameter {{name="w", type={0}}} : {0}
%5 = moving_average %3, %2 {{decay=0.9}} : {0}
%6 = input {{name="learning_rate", role="learning_rate"}} : f32[]
%7 = sgd_update %4, %5, %6 : {0})",
                                             type);
      for (const char *target : kTargets) {
        check_kernel(graph, {1, 3, 32, 70}, target, kTolerance);
        check_kernel(graph + update, {5, 40}, target, kTolerance);
      }
    }
}

TEST_CASE("bf16_filter of a turned filter") {
  for (const char *target : kTargets)
    for (const char *block : {"", "; block=16", "; block=32", "; block=8"}) {
      check_kernel(
          fmt::format(R"(%0 = parameter {{name="w", type=f32[3,2,37,40{0}]}} : f32[3,2,37,40{0}]
%1 = bf16_filter %0 {{turned=true}} : i32[3,2,32,37; block=16])",
                      block),
          {1}, target);
      check_kernel(fmt::format(R"(%0 = parameter {{name="w", type=f32[100,64{0}]}} : f32[100,64{0}]
%1 = bf16_filter %0 {{turned=true}} : i32[32,100; block=16])",
                               block),
                   {1}, target);
    }
}

TEST_CASE("bf16_filter") {
  for (const char *target : kTargets) {
    check_kernel(
        R"(%0 = parameter {name="w", type=f32[3,2,37,40; block=32]} : f32[3,2,37,40; block=32]
%1 = bf16_filter %0 : i32[3,2,32,40; block=16])",
        {1}, target);
    check_kernel(R"(%0 = parameter {name="w", type=f32[100,10]} : f32[100,10]
%1 = bf16_filter %0 : i32[64,10; block=16])",
                 {1}, target);
  }
}

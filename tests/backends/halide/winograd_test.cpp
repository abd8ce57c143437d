// Winograd convolution: every way a result falls into tiles, tiles into chunks and channels into
// vectors; and how far it is from a direct convolution in float64.
#include "ir/parse.h"
#include "tests/backends/halide/kernel_runner.h"

#include <cmath>
#include <doctest/doctest.h>
#include <fmt/format.h>
#include <random>

using namespace sinter;

namespace {

const char *const kTargets[] = {"host", "x86-64-linux-sse41-avx-f16c-fma-avx2",
                                "x86-64-linux-sse41"};

struct Case {
  int64_t tile, height, width, channels, filters;
  std::array<int64_t, 4> padding;
  int64_t block;

  std::string x() const { return fmt::format("f32[N,{},{},{}]", height, width, channels); }
  std::string u() const {
    return fmt::format("f32[{0},{0},{1},{2}{3}]", tile + 2, channels, filters,
                       block > 0 ? fmt::format("; block={}", block) : "");
  }
  std::string y(int64_t pool = 1) const {
    return fmt::format("f32[N,{},{},{}]", (height + padding[0] + padding[2] - 2) / pool,
                       (width + padding[1] + padding[3] - 2) / pool, filters);
  }
  std::string convolution() const {
    return fmt::format(R"(%0 = input {{name="x", type={0}}} : {0}
%1 = parameter {{name="filter", type={1}}} : {1}
%2 = winograd_conv2d %0, %1 {{tile={2}, padding=[{3},{4},{5},{6}]}} : {7}
)",
                       x(), u(), tile, padding[0], padding[1], padding[2], padding[3], y());
  }
};

const Case kCases[] = {
    {4, 7, 7, 32, 64, {1, 1, 1, 1}, 32},   // whole vectors, tiles cut off
    {2, 7, 7, 48, 32, {1, 1, 1, 1}, 32},   //
    {4, 14, 14, 16, 48, {1, 1, 1, 1}, 16}, //
    {4, 28, 28, 32, 32, {1, 1, 1, 1}, 32}, // tiles fit
    {4, 56, 60, 16, 32, {1, 1, 1, 1}, 32}, // several chunks
    {4, 100, 9, 64, 16, {1, 1, 1, 1}, 16}, // threads share chunks
    {4, 9, 1, 5, 3, {1, 1, 1, 1}, 0},      // nothing fits
    {2, 1, 1, 3, 20, {1, 1, 1, 1}, 16},    // a single pixel
    {4, 6, 5, 17, 33, {2, 0, 1, 2}, 32},   // uneven padding
    {2, 5, 8, 20, 40, {0, 0, 0, 0}, 16},   // none
};

/// The same for every machine; std's distributions are not.
class Random {
public:
  explicit Random(unsigned seed) : engine_(seed) {}
  int64_t between(int64_t low, int64_t high) {
    return low + static_cast<int64_t>(engine_() % static_cast<uint64_t>(high - low + 1));
  }

private:
  std::mt19937 engine_;
};

Case random_case(Random &random) {
  Case c{random.between(0, 1) * 2 + 2, random.between(3, 30), random.between(3, 30),
         random.between(1, 40),        random.between(1, 70), {},
         random.between(0, 2) * 16};
  for (int64_t &padding : c.padding)
    padding = random.between(0, 2);
  return c;
}

} // namespace

TEST_CASE("winograd_conv2d") {
  for (const Case &c : kCases)
    for (const char *target : kTargets)
      check_kernel(c.convolution(), {1, 3}, target, 2e-5);
}

TEST_CASE("winograd_conv2d of random shapes") {
  Random random(1);
  for (int i = 0; i < 12; ++i)
    check_kernel(random_case(random).convolution(), {2}, "host", 2e-5);
}

TEST_CASE("winograd_conv2d with what a network puts behind it") {
  for (const Case &c : {kCases[0], kCases[2], kCases[5]}) {
    const std::string tail =
        fmt::format(R"(%3 = parameter {{name="scale", type=f32[{0}]}} : f32[{0}]
%4 = multiply %2, %3 : {1}
%5 = parameter {{name="bias", type=f32[{0}]}} : f32[{0}]
%6 = bias_add %4, %5 : {1}
%7 = input {{name="shortcut", type={1}}} : {1}
%8 = add %6, %7 : {1}
%9 = relu %8 : {1})",
                    c.filters, c.y());
    check_kernel(c.convolution() + tail, {1, 3}, "host", 2e-5);
  }
}

TEST_CASE("winograd_conv2d pooled in its tiles") {
  for (const int64_t tile : {2, 4})
    for (const int64_t size : {14, 15, 7, 8}) {
      const Case c{tile, size, size, 16, 32, {1, 1, 1, 1}, 32};
      const std::string tail =
          fmt::format("%3 = relu %2 : {0}\n%4 = max_pool2d %3 : {1}", c.y(), c.y(2));
      check_kernel(c.convolution() + tail, {1, 2}, "host", 2e-5);
    }
}

TEST_CASE("winograd_conv2d whose images take turns with a large filter") {
  const Case c{4, 6, 10, 32, 128, {2, 2, 2, 2}, 32};
  for (const char *target : kTargets)
    check_kernel(c.convolution(), {1, 9}, target, 2e-5);
}

TEST_CASE("winograd_conv2d in a training step") {
  const Case forward{4, 10, 14, 16, 32, {1, 1, 1, 1}, 32};
  check_kernel(forward.convolution() + R"(%3 = relu %2 : f32[N,10,14,32]
%4 = max_pool2d %3 : f32[N,5,7,32]
%5 = max_pool2d_argmax %3 : u8[N,5,7,32]
output "pooled" %4
output "positions" %5)",
               {1, 3}, "host", 2e-5);
  check_kernel(R"(%0 = input {name="dy", type=f32[N,5,7,32]} : f32[N,5,7,32]
%1 = input {name="positions", role="label", type=i32[N,5,7,32]} : i32[N,5,7,32]
%2 = cast %1 {to=u8} : u8[N,5,7,32]
%3 = max_pool2d_gradient %0, %2 {input_size=[10,14]} : f32[N,10,14,32]
%4 = parameter {name="filter", type=f32[6,6,32,16; block=16]} : f32[6,6,32,16; block=16]
%5 = winograd_conv2d %3, %4 {padding=[2,2,2,2]} : f32[N,12,16,16]
%6 = input {name="y", type=f32[N,12,16,16]} : f32[N,12,16,16]
%7 = relu_gradient %5, %6 : f32[N,12,16,16])",
               {1, 3}, "host", 2e-5);
}

TEST_CASE("winograd_filter_gradient") {
  for (const Case &c : kCases) {
    const std::string block = c.block > 0 ? fmt::format("; block={}", c.block) : "";
    const std::string graph =
        fmt::format(R"(%0 = input {{name="x", type={0}}} : {0}
%1 = input {{name="dy", type={1}}} : {1}
%2 = winograd_filter_gradient %0, %1 {{tile={2}, padding=[{3},{4},{5},{6}], block={7}}} : f32[3,3,{8},{9}{10}])",
                    c.x(), c.y(), c.tile, c.padding[0], c.padding[1], c.padding[2], c.padding[3],
                    c.block, c.channels, c.filters, block);
    for (const char *target : kTargets)
      check_kernel(graph, {1, 5}, target, 2e-5);
  }
}

TEST_CASE("winograd_filter_gradient in a training step") {
  check_kernel(R"(%0 = input {name="x", type=f32[N,10,14,16]} : f32[N,10,14,16]
%1 = input {name="dy", type=f32[N,5,7,32]} : f32[N,5,7,32]
%2 = input {name="positions", role="label", type=i32[N,5,7,32]} : i32[N,5,7,32]
%3 = cast %2 {to=u8} : u8[N,5,7,32]
%4 = max_pool2d_gradient %1, %3 {input_size=[10,14]} : f32[N,10,14,32]
%5 = winograd_filter_gradient %0, %4 {padding=[1,1,1,1], block=32} : f32[3,3,16,32; block=32]
%6 = parameter {name="w", type=f32[3,3,16,32; block=32]} : f32[3,3,16,32; block=32]
%7 = input {name="rate", role="learning_rate", type=f32[]} : f32[]
%8 = sgd_update %6, %5, %7 : f32[3,3,16,32; block=32])",
               {1, 20}, "host", 2e-5);
}

TEST_CASE("winograd_filter") {
  for (const char *target : kTargets)
    for (const int64_t tile : {2, 4})
      check_kernel(
          fmt::format(
              R"(%0 = parameter {{name="w", type=f32[3,3,5,40; block=16]}} : f32[3,3,5,40; block=16]
%1 = winograd_filter %0 {{tile={0}, block=16}} : f32[{1},{1},5,40; block=16])",
              tile, tile + 2),
          {1}, target);
}

TEST_CASE("winograd_filter turned") {
  for (const char *target : kTargets)
    for (const int64_t tile : {2, 4})
      check_kernel(
          fmt::format(
              R"(%0 = parameter {{name="w", type=f32[3,3,40,19; block=16]}} : f32[3,3,40,19; block=16]
%1 = winograd_filter %0 {{tile={0}, block=32, turned=true}} : f32[{1},{1},19,40; block=32])",
              tile, tile + 2),
          {1}, target);
}

namespace {

/// The largest difference from a direct convolution in float64, over its largest result, with the
/// inputs and filters of a network behind its activations: max(0, N(0,1)), He's N(0, 2/(9c)).
double distance_from_direct(int64_t tile, int64_t size, int64_t channels) {
  const std::string image = fmt::format("f32[N,{0},{0},{1}]", size, channels);
  const std::string filter = fmt::format("f32[3,3,{0},{0}]", channels);
  const std::string points = fmt::format("f32[{0},{0},{1},{1}; block=32]", tile + 2, channels);
  const Graph direct = parse_graph(fmt::format(R"(%0 = input {{name="x", type={0}}} : {0}
%1 = parameter {{name="w", type={1}}} : {1}
%2 = conv2d %0, %1 {{padding=[1,1,1,1]}} : {0})",
                                               image, filter),
                                   "test");
  const Graph fast = parse_graph(fmt::format(R"(%0 = input {{name="x", type={0}}} : {0}
%1 = parameter {{name="u", type={1}}} : {1}
%2 = winograd_conv2d %0, %1 {{tile={2}, padding=[1,1,1,1]}} : {0})",
                                             image, points, tile),
                                 "test");
  const Graph transform = parse_graph(fmt::format(R"(%0 = parameter {{name="w", type={0}}} : {0}
%1 = winograd_filter %0 {{tile={1}, block=32}} : {2})",
                                                  filter, tile, points),
                                      "test");
  NamedArrays values = random_leaves(direct, 1, 7);
  std::mt19937 engine(7);
  std::normal_distribution<float> normal;
  for (double &value : values["x"].values)
    value = static_cast<double>(std::max(0.0F, normal(engine)));
  const float deviation = std::sqrt(2.0F / (9.0F * static_cast<float>(channels)));
  for (double &value : values["w"].values)
    value = static_cast<double>(deviation * normal(engine));
  values["u"] = KernelRunner(single_kernel_plan(transform)).run(values, 1)[0];
  const Array actual = KernelRunner(single_kernel_plan(fast)).run(values, 1)[0];
  const Array expected = evaluate(direct, 1, values).back();
  double largest = 0, difference = 0;
  for (int64_t i = 0; i < expected.size(); ++i) {
    largest = std::max(largest, std::abs(expected[i]));
    difference = std::max(difference, std::abs(expected[i] - actual[i]));
  }
  return difference / largest;
}

} // namespace

TEST_CASE("fast convolutions are within 2e-5 of the largest result of a float64 one") {
  for (const int64_t tile : {2, 4}) {
    CAPTURE(tile);
    CHECK(distance_from_direct(tile, 28, 64) < 1e-5);
    CHECK(distance_from_direct(tile, 14, 256) < 1e-5);
    CHECK(distance_from_direct(tile, 7, 512) < 1e-5);
  }
}

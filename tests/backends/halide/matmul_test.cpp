// Matrix products in all four forms, blocked and not.
#include "tests/backends/halide/kernel_runner.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

using namespace sinter;

namespace {

struct Sizes {
  int64_t inner, outer, block; // of the weights [inner, outer]
};

const Sizes kSizes[] = {{100, 10, 16}, {300, 100, 112}, {64, 64, 64},
                        {7, 5, 0},     {1, 1, 16},      {129, 33, 48}};

const char *const kTargets[] = {"host", "x86-64-linux-sse41-avx-f16c-fma-avx2"};

std::string weights(const Sizes &s) {
  return fmt::format("f32[{},{}{}]", s.inner, s.outer,
                     s.block > 0 ? fmt::format("; block={}", s.block) : "");
}

} // namespace

TEST_CASE("matmul") {
  for (const Sizes &s : kSizes)
    for (const char *target : kTargets)
      check_kernel(fmt::format(R"(%0 = input {{name="x", type=f32[N,{0}]}} : f32[N,{0}]
%1 = parameter {{name="w", type={2}}} : {2}
%2 = matmul %0, %1 : f32[N,{1}])",
                               s.inner, s.outer, weights(s)),
                   {1, 13, 32}, target);
}

TEST_CASE("matmul with its second factor transposed") {
  for (const Sizes &s : kSizes)
    for (const char *target : kTargets)
      check_kernel(fmt::format(R"(%0 = input {{name="dy", type=f32[N,{1}]}} : f32[N,{1}]
%1 = parameter {{name="w", type={2}}} : {2}
%2 = matmul %0, %1 {{transpose_b=true}} : f32[N,{0}])",
                               s.inner, s.outer, weights(s)),
                   {1, 13, 32}, target);
}

TEST_CASE("matmul over the batch") {
  for (const Sizes &s : kSizes)
    for (const char *target : kTargets)
      check_kernel(fmt::format(R"(%0 = input {{name="x", type=f32[N,{0}]}} : f32[N,{0}]
%1 = input {{name="dy", type=f32[N,{1}]}} : f32[N,{1}]
%2 = matmul %0, %1 {{transpose_a=true, block={3}}} : {2})",
                               s.inner, s.outer, weights(s), s.block),
                   {1, 13, 32}, target);
}

TEST_CASE("matmul of parameters, either transposed") {
  for (const bool a : {false, true})
    for (const bool b : {false, true})
      check_kernel(fmt::format(R"(%0 = parameter {{name="a", type={0}}} : {0}
%1 = parameter {{name="b", type={1}}} : {1}
%2 = matmul %0, %1 {{transpose_a={2}, transpose_b={3}}} : f32[5,6])",
                               a ? "f32[9,5]" : "f32[5,9]", b ? "f32[6,9]" : "f32[9,6]", a, b),
                   {1});
}

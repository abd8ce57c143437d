#include "tests/backends/halide/kernel_runner.h"

#include <doctest/doctest.h>

using namespace sinter;

TEST_CASE("conv2d") {
  check_kernel(R"(%0 = input {name="x", type=f32[N,14,14,32]} : f32[N,14,14,32]
%1 = parameter {name="kernel", type=f32[3,3,32,64; block=32]} : f32[3,3,32,64; block=32]
%2 = conv2d %0, %1 {padding=[1,1,1,1]} : f32[N,14,14,64])",
               {1, 3});
}

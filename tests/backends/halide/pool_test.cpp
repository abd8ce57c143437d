// Pooling by itself: overlapping, padded and global windows.
#include "tests/backends/halide/kernel_runner.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

using namespace sinter;

namespace {

struct Case {
  std::string x, y, attrs, size;
};

const Case kCases[] = {
    {"[N,8,6,32]", "[N,4,3,32]", "", "8,6"},
    {"[N,7,9,5]", "[N,3,4,5]", "", "7,9"},
    {"[N,7,6,5]", "[N,3,3,5]", "size=[3,2], padding=[1,0,0,1]", "7,6"},
    {"[N,9,9,16]", "[N,4,4,16]", "size=[3,3]", "9,9"},
    {"[N,7,7,20]", "[N,1,1,20]", "size=[7,7], strides=[7,7]", "7,7"},
    {"[N,9,8,3]", "[N,5,4,3]", "size=[5,5], strides=[1,1]", "9,8"},
    {"[N,39,38,33]", "[N,37,36,33]", "size=[3,3], strides=[1,1]", "39,38"}, // tasks within an image
    {"[N,1,1200,33]", "[N,1,1198,33]", "size=[1,3], strides=[1,1]", "1,1200"},
};

} // namespace

TEST_CASE("max pooling, its positions and its gradient") {
  for (const Case &c : kCases)
    check_kernel(fmt::format(R"(graph {{
%0 = input {{name="x", type=f32{0}}} : f32{0}
%1 = input {{name="dy", type=f32{1}}} : f32{1}
%2 = max_pool2d %0 {{{2}}} : f32{1}
%3 = max_pool2d_argmax %0 {{{2}}} : u8{1}
%4 = max_pool2d_gradient %1, %3 {{{2}{3}input_size=[{4}]}} : f32{0}
output "y" %2
output "positions" %3
output "dx" %4
}})",
                             c.x, c.y, c.attrs, c.attrs.empty() ? "" : ", ", c.size),
                 {1, 3});
}

TEST_CASE("average pooling and its gradient") {
  for (const Case &c : kCases)
    check_kernel(fmt::format(R"(graph {{
%0 = input {{name="x", type=f32{0}}} : f32{0}
%1 = input {{name="dy", type=f32{1}}} : f32{1}
%2 = average_pool2d %0 {{{2}}} : f32{1}
%3 = average_pool2d_gradient %1 {{{2}{3}input_size=[{4}]}} : f32{0}
output "y" %2
output "dx" %3
}})",
                             c.x, c.y, c.attrs, c.attrs.empty() ? "" : ", ", c.size),
                 {1, 3});
}

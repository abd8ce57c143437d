// Fused groups as the passes make them: epilogues, poolings, backward prologues, updates in place.
#include "ir/parse.h"
#include "tests/backends/halide/kernel_runner.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

using namespace sinter;

namespace {

const char *const kTargets[] = {"host", "x86-64-linux-sse41-avx-f16c-fma-avx2",
                                "x86-64-linux-sse41"};

/// A convolution of [N,h,w,ci] with 3x3 filters and padding 1, followed by 2x2 or 3x3 pooling.
struct PooledCase {
  int64_t height, width, channels, filters, block;
  std::string pool;
  int64_t pooled_height, pooled_width;
};

const PooledCase kPooled[] = {
    {28, 28, 1, 32, 32, "", 14, 14},
    {14, 14, 32, 64, 32, "", 7, 7},
    {13, 11, 3, 10, 16, "", 6, 5},
    {9, 9, 8, 24, 16, "size=[3,3]", 4, 4},
    {8, 8, 4, 16, 16, "size=[3,3], padding=[1,1,1,1]", 4, 4},
    {10, 7, 2, 5, 0, "size=[5,4], strides=[5,3]", 2, 2}, // too large to spell out
};

} // namespace

TEST_CASE("conv2d, bias, relu and max pooling with its positions") {
  for (const PooledCase &c : kPooled)
    for (const char *target : kTargets) {
      const std::string full = fmt::format("[N,{},{},{}]", c.height, c.width, c.filters);
      const std::string pooled =
          fmt::format("[N,{},{},{}]", c.pooled_height, c.pooled_width, c.filters);
      check_kernel(fmt::format(R"(graph {{
%0 = input {{name="x", type=f32[N,{0},{1},{2}]}} : f32[N,{0},{1},{2}]
%1 = parameter {{name="w", type={3}}} : {3}
%2 = parameter {{name="b", type=f32[{4}]}} : f32[{4}]
%3 = conv2d %0, %1 {{padding=[1,1,1,1]}} : f32{5}
%4 = bias_add %3, %2 : f32{5}
%5 = relu %4 : f32{5}
%6 = max_pool2d %5 {{{6}}} : f32{7}
%7 = max_pool2d_argmax %5 {{{6}}} : u8{7}
output "y" %6
output "positions" %7
}})",
                               c.height, c.width, c.channels,
                               fmt::format("f32[3,3,{},{}{}]", c.channels, c.filters,
                                           c.block ? fmt::format("; block={}", c.block) : ""),
                               c.filters, full, c.pool, pooled),
                   {1, 3}, target);
    }
}

TEST_CASE("pooled convolutions without padding, their last column left out") {
  for (const char *target : kTargets)
    check_kernel(R"(%0 = input {name="x", type=f32[N,8,9,3]} : f32[N,8,9,3]
%1 = parameter {name="w", type=f32[5,5,3,25; block=16]} : f32[5,5,3,25; block=16]
%2 = conv2d %0, %1 : f32[N,4,5,25]
%3 = max_pool2d %2 : f32[N,2,2,25])",
                 {1, 3}, target);
}

TEST_CASE("conv2d, batch_norm, residual add and relu") {
  for (const char *target : kTargets)
    check_kernel(R"(%0 = input {name="x", type=f32[N,9,10,6]} : f32[N,9,10,6]
%1 = parameter {name="w", type=f32[3,3,6,20; block=16]} : f32[3,3,6,20; block=16]
%2 = parameter {name="gamma", type=f32[20]} : f32[20]
%3 = parameter {name="beta", type=f32[20]} : f32[20]
%4 = parameter {name="mean", type=f32[20]} : f32[20]
%5 = input {name="shortcut", type=f32[N,9,10,20]} : f32[N,9,10,20]
%6 = conv2d %0, %1 {padding=[1,1,1,1]} : f32[N,9,10,20]
%7 = square %2 : f32[20]
%8 = batch_norm %6, %2, %3, %4, %7 : f32[N,9,10,20]
%9 = add %8, %5 : f32[N,9,10,20]
%10 = relu %9 : f32[N,9,10,20])",
                 {1, 3}, target);
}

TEST_CASE("conv2d and global average pooling") {
  check_kernel(R"(%0 = input {name="x", type=f32[N,7,7,16]} : f32[N,7,7,16]
%1 = parameter {name="w", type=f32[1,1,16,32; block=32]} : f32[1,1,16,32; block=32]
%2 = conv2d %0, %1 : f32[N,7,7,32]
%3 = relu %2 : f32[N,7,7,32]
%4 = average_pool2d %3 {size=[7,7], strides=[7,7]} : f32[N,1,1,32])",
               {1, 3});
}

TEST_CASE("conv2d with its full-resolution and its pooled value stored") {
  check_kernel(R"(graph {
%0 = input {name="x", type=f32[N,8,8,4]} : f32[N,8,8,4]
%1 = parameter {name="w", type=f32[3,3,4,16; block=16]} : f32[3,3,4,16; block=16]
%2 = conv2d %0, %1 {padding=[1,1,1,1]} : f32[N,8,8,16]
%3 = relu %2 : f32[N,8,8,16]
%4 = max_pool2d %3 : f32[N,4,4,16]
output "y" %3
output "pooled" %4
})",
               {1, 3});
}

TEST_CASE("relu and max pooling gradients into conv2d_input_gradient") {
  for (const char *target : kTargets)
    check_kernel(R"(%0 = input {name="dy", type=f32[N,7,6,24]} : f32[N,7,6,24]
%1 = input {name="y", type=f32[N,7,6,24]} : f32[N,7,6,24]
%2 = input {name="positions", type=u8[N,7,6,24]} : u8[N,7,6,24]
%3 = parameter {name="w", type=f32[3,3,16,24; block=16]} : f32[3,3,16,24; block=16]
%4 = relu_gradient %0, %1 : f32[N,7,6,24]
%5 = max_pool2d_gradient %4, %2 {input_size=[15,12]} : f32[N,15,12,24]
%6 = conv2d_input_gradient %5, %3 {padding=[1,1,1,1], size=[15,12]} : f32[N,15,12,16])",
                 {1, 3}, target);
}

TEST_CASE("a small image's gradients between elementwise neighbours") {
  for (const char *target : kTargets) {
    check_kernel(R"(%0 = input {name="dy", type=f32[N,3,2,80]} : f32[N,3,2,80]
%1 = input {name="y", type=f32[N,3,2,80]} : f32[N,3,2,80]
%2 = input {name="x", type=f32[N,3,2,96]} : f32[N,3,2,96]
%3 = input {name="other", type=f32[N,3,2,96]} : f32[N,3,2,96]
%4 = parameter {name="w", type=f32[3,3,96,80; block=16]} : f32[3,3,96,80; block=16]
%5 = relu_gradient %0, %1 : f32[N,3,2,80]
%6 = conv2d_input_gradient %5, %4 {padding=[1,1,1,1], size=[3,2]} : f32[N,3,2,96]
%7 = add %6, %3 : f32[N,3,2,96]
%8 = relu_gradient %7, %2 : f32[N,3,2,96])",
                 {1, 35}, target);
    check_kernel(R"(%0 = input {name="x", type=f32[N,3,2,96]} : f32[N,3,2,96]
%1 = input {name="dy", type=f32[N,3,2,80]} : f32[N,3,2,80]
%2 = input {name="y", type=f32[N,3,2,80]} : f32[N,3,2,80]
%3 = relu_gradient %1, %2 : f32[N,3,2,80]
%4 = conv2d_filter_gradient %0, %3 {padding=[1,1,1,1], size=[3,3], block=16} : f32[3,3,96,80; block=16]
%5 = sigmoid %4 : f32[3,3,96,80; block=16])",
                 {1, 35}, target);
  }
}

TEST_CASE("a contraction's gradient and its Adam update in place") {
  const struct {
    std::string leaves, gradient, type;
  } cases[] = {
      {R"(%0 = input {name="x", type=f32[N,9,8,5]} : f32[N,9,8,5]
%1 = input {name="dy", type=f32[N,9,8,40]} : f32[N,9,8,40]
)",
       "conv2d_filter_gradient %0, %1 {padding=[1,1,1,1], size=[3,3], block=16}",
       "f32[3,3,5,40; block=16]"},
      {R"(%0 = input {name="x", type=f32[N,3,2,96]} : f32[N,3,2,96]
%1 = input {name="dy", type=f32[N,3,2,80]} : f32[N,3,2,80]
)",
       "conv2d_filter_gradient %0, %1 {padding=[1,1,1,1], size=[3,3], block=16}",
       "f32[3,3,96,80; block=16]"},
      {R"(%0 = input {name="x", type=f32[N,70]} : f32[N,70]
%1 = input {name="dy", type=f32[N,100]} : f32[N,100]
)",
       "matmul %0, %1 {transpose_a=true, block=16}", "f32[70,100; block=16]"},
      {R"(%0 = input {name="x", type=f32[N,5,4,37]} : f32[N,5,4,37]
%1 = input {name="y", type=f32[N,5,4,37]} : f32[N,5,4,37]
)",
       "reduce_sum %0 {axes=[0,1,2]}", "f32[37]"},
  };
  for (const auto &c : cases)
    for (const char *target : kTargets)
      check_kernel(fmt::format(R"(graph {{
{0}%2 = parameter {{name="w", type={2}}} : {2}
%3 = parameter {{name="m", type={2}}} : {2}
%4 = parameter {{name="v0", type={2}}} : {2}
%5 = input {{name="rate", role="learning_rate", type=f32[]}} : f32[]
%6 = square %4 : {2}
%7 = {1} : {2}
%8 = moving_average %3, %7 {{decay=0.9}} : {2}
%9 = moving_square_average %6, %7 {{decay=0.999}} : {2}
%10 = adam_update %2, %8, %9, %5 : {2}
update %2 %10
update %3 %8
update %4 %9
}})",
                               c.leaves, c.gradient, c.type),
                   {1, 13, 32}, target, /*tolerance=*/2e-5); // some roots are small
}

TEST_CASE("outputs over the inputs that they replace give the same bits") {
  const Plan plan = single_kernel_plan(parse_graph(R"(graph {
%0 = input {name="x", type=f32[N,70]} : f32[N,70]
%1 = input {name="dy", type=f32[N,100]} : f32[N,100]
%2 = parameter {name="w", type=f32[70,100; block=16]} : f32[70,100; block=16]
%3 = parameter {name="m", type=f32[70,100; block=16]} : f32[70,100; block=16]
%4 = parameter {name="v", type=f32[70,100; block=16]} : f32[70,100; block=16]
%5 = input {name="rate", role="learning_rate", type=f32[]} : f32[]
%6 = matmul %0, %1 {transpose_a=true, block=16} : f32[70,100; block=16]
%7 = moving_average %3, %6 {decay=0.9} : f32[70,100; block=16]
%8 = moving_square_average %4, %6 {decay=0.999} : f32[70,100; block=16]
%9 = adam_update %2, %7, %8, %5 : f32[70,100; block=16]
update %3 %7
update %4 %8
update %2 %9
})",
                                                   "test"));
  NamedArrays leaves = random_leaves(plan.graph, 8, 1);
  for (double &v : leaves.at("v").values)
    v = v * v;
  for (const char *target : kTargets) {
    const KernelRunner runner(plan, {target, false});
    const std::vector<Array> apart = runner.run(leaves, 8);
    const std::vector<Array> over = runner.run(leaves, 8, 3, {{0, 3}, {1, 4}, {2, 2}});
    for (size_t i = 0; i < apart.size(); ++i)
      CHECK(apart[i].values == over[i].values);
  }
}

TEST_CASE("dense layers with their epilogues") {
  for (const char *target : kTargets) {
    check_kernel(R"(%0 = input {name="x", type=f32[N,300]} : f32[N,300]
%1 = parameter {name="w", type=f32[300,100; block=16]} : f32[300,100; block=16]
%2 = parameter {name="b", type=f32[100]} : f32[100]
%3 = matmul %0, %1 : f32[N,100]
%4 = bias_add %3, %2 : f32[N,100]
%5 = relu %4 : f32[N,100]
%6 = input {name="rng", role="rng", type=i32[4]} : i32[4]
%7 = dropout_mask %6 {rate=0.25, stream=1, shape=[N,100]} : f32[N,100]
%8 = multiply %5, %7 : f32[N,100])",
                 {1, 7, 32}, target);
    check_kernel(R"(%0 = input {name="x", type=f32[N,100]} : f32[N,100]
%1 = parameter {name="w", type=f32[100,10; block=16]} : f32[100,10; block=16]
%2 = parameter {name="b", type=f32[10]} : f32[10]
%3 = matmul %0, %1 : f32[N,10]
%4 = bias_add %3, %2 : f32[N,10]
%5 = softmax %4 : f32[N,10])",
                 {1, 7, 32}, target);
    check_kernel(R"(%0 = input {name="dy", type=f32[N,100]} : f32[N,100]
%1 = input {name="y", type=f32[N,100]} : f32[N,100]
%2 = parameter {name="w", type=f32[90,100; block=16]} : f32[90,100; block=16]
%3 = relu_gradient %0, %1 : f32[N,100]
%4 = matmul %3, %2 {transpose_b=true} : f32[N,90])",
                 {1, 7, 32}, target);
  }
}

TEST_CASE("contractions with several outputs, one column beyond whole vectors") {
  for (const int columns : {1, 3, 5, 9, 17, 33})
    for (const char *target : kTargets) {
      check_kernel(fmt::format(R"(graph {{
%0 = input {{name="x", type=f32[N,20]}} : f32[N,20]
%1 = parameter {{name="w", type=f32[20,{0}; block=16]}} : f32[20,{0}; block=16]
%2 = matmul %0, %1 : f32[N,{0}]
%3 = relu %2 : f32[N,{0}]
output "a" %2
output "b" %3
}})",
                               columns),
                   {1, 5}, target);
      check_kernel(fmt::format(R"(graph {{
%0 = input {{name="x", type=f32[N,5,6,3]}} : f32[N,5,6,3]
%1 = parameter {{name="w", type=f32[3,3,3,{0}; block=16]}} : f32[3,3,3,{0}; block=16]
%2 = conv2d %0, %1 {{padding=[1,1,1,1]}} : f32[N,5,6,{0}]
%3 = relu %2 : f32[N,5,6,{0}]
output "a" %2
output "b" %3
}})",
                               columns),
                   {2}, target);
    }
}

TEST_CASE("elementwise kernels with several outputs and odd sizes") {
  for (const char *shape : {"[N,7,5,3]", "[N]", "[N,1]", "[5,7]", "[40000]", "[N,200,41]"})
    check_kernel(fmt::format(R"(graph {{
%0 = input {{name="x", type=f32{0}}} : f32{0}
%1 = input {{name="y", type=f32{0}}} : f32{0}
%2 = multiply %0, %1 : f32{0}
%3 = relu %2 : f32{0}
%4 = greater_equal %0, %1 : u8{0}
output "a" %3
output "b" %4
}})",
                             shape),
                 {1, 13, 100});
}

TEST_CASE("reductions and what follows them, one result beyond whole vectors") {
  for (const int results : {3, 5, 9, 17, 25, 33, 49})
    for (const char *target : kTargets)
      for (const char *reduction : {"reduce_sum", "reduce_max"})
        check_kernel(fmt::format(R"(graph {{
%0 = input {{name="x", type=f32[{0},4,5]}} : f32[{0},4,5]
%1 = {1} %0 {{axes=[1,2]}} : f32[{0}]
%2 = exp %1 : f32[{0}]
output "y" %2
}})",
                                 results, reduction),
                     {1}, target);
}

TEST_CASE("filter gradients and what reads them twice, one filter beyond whole vectors") {
  for (const int filters : {3, 5, 9, 17, 25})
    for (const char *target : kTargets)
      for (const char *gradient : {"conv2d_filter_gradient %0, %1 {padding=[1,1,1,1], size=[3,3]}",
                                   "winograd_filter_gradient %0, %1 {padding=[1,1,1,1]}"})
        check_kernel(fmt::format(R"(%0 = input {{name="x", type=f32[N,5,4,3]}} : f32[N,5,4,3]
%1 = input {{name="dy", type=f32[N,5,4,{0}]}} : f32[N,5,4,{0}]
%2 = {1} : f32[3,3,3,{0}]
%3 = sigmoid %2 : f32[3,3,3,{0}]
%4 = multiply %2, %3 : f32[3,3,3,{0}])",
                                 filters, gradient),
                     {1, 3}, target, 2e-5);
}

TEST_CASE("contractions of constant size and what reads them whole, vectors and tiles unfilled") {
  for (const int columns : {3, 5, 9, 17, 25, 33, 100})
    for (const char *target : kTargets) {
      check_kernel(fmt::format(R"(%0 = input {{name="x", type=f32[1,20]}} : f32[1,20]
%1 = parameter {{name="w", type=f32[20,{0}; block=16]}} : f32[20,{0}; block=16]
%2 = matmul %0, %1 : f32[1,{0}]
%3 = softmax %2 : f32[1,{0}])",
                               columns),
                   {1}, target);
      check_kernel(fmt::format(R"(%0 = input {{name="x", type=f32[1,1,1,20]}} : f32[1,1,1,20]
%1 = parameter {{name="w", type=f32[1,1,20,{0}; block=16]}} : f32[1,1,20,{0}; block=16]
%2 = conv2d %0, %1 : f32[1,1,1,{0}]
%3 = softmax %2 : f32[1,1,1,{0}])",
                               columns),
                   {1}, target);
    }
}

TEST_CASE("Adam on dense weights that no block stores") {
  for (const int columns : {5, 9, 17})
    for (const char *target : kTargets)
      check_kernel(fmt::format(R"(graph {{
%0 = input {{name="x", type=f32[N,9]}} : f32[N,9]
%1 = input {{name="dy", type=f32[N,{0}]}} : f32[N,{0}]
%2 = parameter {{name="w", type=f32[9,{0}]}} : f32[9,{0}]
%3 = parameter {{name="m", type=f32[9,{0}]}} : f32[9,{0}]
%4 = input {{name="rate", role="learning_rate", type=f32[]}} : f32[]
%5 = matmul %0, %1 {{transpose_a=true}} : f32[9,{0}]
%6 = moving_average %3, %5 {{decay=0.9}} : f32[9,{0}]
%7 = square %5 : f32[9,{0}]
%8 = affine %7 {{offset=1}} : f32[9,{0}]
%9 = adam_update %2, %6, %8, %4 : f32[9,{0}]
update %3 %6
update %2 %9
}})",
                               columns),
                   {1, 65}, target);
}

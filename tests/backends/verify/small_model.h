// A convolution, a pooling, a dense layer and a loss: small, and every kind of gradient.
#pragma once

#include "ir/parse.h"

namespace sinter {

inline Model small_model() {
  return parse_model(R"(graph {
  %0 = input {name="x", type=f32[N,6,6,2]} : f32[N,6,6,2]
  %1 = parameter {name="conv/kernel", initializer="uniform", a=-0.5, b=0.5, type=f32[3,3,2,9]} : f32[3,3,2,9]
  %2 = parameter {name="conv/bias", type=f32[9]} : f32[9]
  %3 = conv2d %0, %1 {padding=[1,1,1,1]} : f32[N,6,6,9]
  %4 = bias_add %3, %2 : f32[N,6,6,9]
  %5 = relu %4 : f32[N,6,6,9]
  %6 = max_pool2d %5 : f32[N,3,3,9]
  %7 = reshape %6 {shape=[N,81]} : f32[N,81]
  %8 = dropout %7 {rate=0.25} : f32[N,81]
  %9 = parameter {name="dense/kernel", initializer="uniform", a=-0.3, b=0.3, type=f32[81,10]} : f32[81,10]
  %10 = matmul %8, %9 : f32[N,10]
  %11 = softmax %10 : f32[N,10]
  %12 = input {name="y", role="label", type=i32[N]} : i32[N]
  %13 = one_hot %12 {depth=10} : f32[N,10]
  %14 = categorical_crossentropy %11, %13 : f32[N]
  %15 = reduce_mean %14 {axes=[0]} : f32[]
  output "prediction" %11
  output "loss" %15
})",
                     "small.sir");
}

} // namespace sinter

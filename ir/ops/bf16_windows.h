// What products of bf16 numbers and the gradients of such share. Private to ir/ops/.
#pragma once

#include "ir/kernel_builder.h"

namespace sinter {

/// The upper half of x, rounded to nearest, ties to even. A NaN stays one.
Halide::Expr bf16_bits(const Halide::Expr &x);
/// Both rounded, in an i32, the first one in its lower half.
Halide::Expr bf16_pair(const Halide::Expr &first, const Halide::Expr &second);

/// How the windows of an image lie in its copy: window (y, x) begins at row y and column x, its tap
/// (i, j) lies in the phase and at the distance that dilations and strides make of it.
struct Bf16Windows {
  std::array<int, 2> taps{1, 1}, dilations{1, 1}, strides{1, 1};
  std::array<int, 2> phases{1, 1};  // along each side
  std::array<int, 2> extents{1, 1}; // of an image's copy
};

Bf16Windows bf16_windows(const Conv2dAttrs &, const Shape &filter, const Shape &result);

} // namespace sinter

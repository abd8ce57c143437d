// The algorithms of arithmetic, comparison and choice.

#include "ir/ops/compute.h"
#include "ir/ops/compute_math.h"

#include <cmath>

namespace sinter {

using Halide::Expr;

namespace {

/// Rounded towards zero, as C and NumPy's integers do: Halide's own quotient rounds down. What is
/// divided by zero is zero, as in Halide, so its remainder is all of it.
Expr integer_quotient(const Expr &a, const Expr &b) {
  if (!a.type().is_int())
    return a / b;
  const Expr magnitude = Halide::cast<int32_t>(Halide::abs(a) / Halide::abs(b));
  return Halide::select((a < 0) != (b < 0), -magnitude, magnitude);
}

/// Has the sign of a.
Expr truncated_remainder(const Expr &a, const Expr &b) {
  return a.type().is_float() ? call_libm("fmodf", {a, b}) : a - integer_quotient(a, b) * b;
}

/// Has the sign of b.
Expr floored_remainder(const Expr &a, const Expr &b) {
  const Expr zero = Halide::Internal::make_zero(a.type());
  const Expr r = truncated_remainder(a, b);
  return exactly(Halide::select(r != zero && (r < zero) != (b < zero), r + b, r));
}

/// An extreme of two operands. Where the second is a number, as in relu6, it costs one instruction
/// instead of five: an epilogue of the latter takes as long as a depthwise sum.
void define_extreme(KernelBuilder &k, Expr (*of_values)(const Expr &, const Expr &),
                    Expr (*of_number)(const Expr &, float)) {
  const std::optional<float> number = k.constant_operand(1);
  if (!number || std::isnan(*number)) {
    define_binary(k, of_values);
    return;
  }
  define_binary(k, [&](const Expr &x, const Expr &) { return of_number(x, *number); });
}

} // namespace

void compute_add(KernelBuilder &k) {
  define_binary(k, [](const Expr &a, const Expr &b) { return a + b; });
}

void compute_subtract(KernelBuilder &k) {
  define_binary(k, [](const Expr &a, const Expr &b) { return a - b; });
}

void compute_multiply(KernelBuilder &k) {
  define_binary(k, [](const Expr &a, const Expr &b) { return a * b; });
}

void compute_divide(KernelBuilder &k) {
  const auto quotient = [](const Expr &a, const Expr &b) {
    return a.type().is_float() ? a / b : integer_quotient(a, b);
  };
  if (!k.type().blocked()) {
    define_binary(k, quotient);
    return;
  }
  // By logical index, because padding lanes hold 0 / 0. A smaller operand is a single value here.
  const auto at = [&](size_t i, const Index &index) {
    return k.operand(i).type().shape.empty() ? k.operand(i)({}) : k.operand(i)(index);
  };
  k.define([&](const Index &index) { return quotient(at(0, index), at(1, index)); });
}

void compute_maximum(KernelBuilder &k) { define_extreme(k, larger_of, at_least_number); }

void compute_minimum(KernelBuilder &k) { define_extreme(k, smaller_of, at_most_number); }

// Halide's own power is exp(b * log(a)): inexact, and without negative bases.
void compute_pow(KernelBuilder &k) {
  define_binary(k, [](const Expr &a, const Expr &b) { return call_libm("powf", {a, b}); });
}

void compute_mod(KernelBuilder &k) { define_binary(k, floored_remainder); }

void compute_fmod(KernelBuilder &k) { define_binary(k, truncated_remainder); }

void compute_equal(KernelBuilder &k) {
  define_binary(k, [](const Expr &a, const Expr &b) { return mask_of(a == b); });
}

void compute_greater(KernelBuilder &k) {
  define_binary(k, [](const Expr &a, const Expr &b) { return mask_of(a > b); });
}

// Not a >= b, which Halide's simplifier takes for !(a < b): a NaN makes that true.
void compute_greater_equal(KernelBuilder &k) {
  define_binary(k, [](const Expr &a, const Expr &b) { return mask_of(a > b || a == b); });
}

void compute_select(KernelBuilder &k) {
  k.define_elementwise([](const std::vector<Expr> &v) {
    return Halide::select(v[0] != Halide::cast<uint8_t>(0), v[1], v[2]);
  });
}

void compute_bias_add(KernelBuilder &k) { compute_add(k); }

} // namespace sinter

// The algorithms of functions that take more than arithmetic. Exponentials and logarithms are
// Halide's, which vectorise; the trigonometric ones are libm's, one call an element.

#include "ir/ops/compute.h"
#include "ir/ops/compute_math.h"

namespace sinter {

using Halide::Expr;

void compute_sqrt(KernelBuilder &k) {
  define_unary(k, [](const Expr &x) { return Halide::sqrt(x); });
}

void compute_rsqrt(KernelBuilder &k) {
  define_unary(k, [](const Expr &x) { return 1.0F / Halide::sqrt(x); });
}

void compute_exp(KernelBuilder &k) { define_unary(k, exp_of); }

void compute_expm1(KernelBuilder &k) { define_unary(k, expm1_of); }

void compute_log(KernelBuilder &k) { define_unary(k, log_of); }

void compute_log1p(KernelBuilder &k) { define_unary(k, log1p_of); }

void compute_erf(KernelBuilder &k) { define_unary(k, erf_of); }

void compute_sigmoid(KernelBuilder &k) { define_unary(k, sigmoid_of); }

void compute_sin(KernelBuilder &k) {
  define_unary(k, [](const Expr &x) { return Halide::sin(x); });
}

void compute_cos(KernelBuilder &k) {
  define_unary(k, [](const Expr &x) { return Halide::cos(x); });
}

void compute_tan(KernelBuilder &k) {
  define_unary(k, [](const Expr &x) { return Halide::tan(x); });
}

void compute_asin(KernelBuilder &k) {
  define_unary(k, [](const Expr &x) { return Halide::asin(x); });
}

void compute_acos(KernelBuilder &k) {
  define_unary(k, [](const Expr &x) { return Halide::acos(x); });
}

void compute_atan(KernelBuilder &k) {
  define_unary(k, [](const Expr &x) { return Halide::atan(x); });
}

void compute_sinh(KernelBuilder &k) {
  define_unary(k, [](const Expr &x) { return Halide::sinh(x); });
}

void compute_cosh(KernelBuilder &k) {
  define_unary(k, [](const Expr &x) { return Halide::cosh(x); });
}

void compute_tanh(KernelBuilder &k) { define_unary(k, tanh_of); }

void compute_asinh(KernelBuilder &k) {
  define_unary(k, [](const Expr &x) { return Halide::asinh(x); });
}

void compute_acosh(KernelBuilder &k) {
  define_unary(k, [](const Expr &x) { return Halide::acosh(x); });
}

void compute_atanh(KernelBuilder &k) {
  define_unary(k, [](const Expr &x) { return Halide::atanh(x); });
}

} // namespace sinter

// The algorithms of the elementwise ops.

#include "ir/diagnostics.h"
#include "ir/ops/compute.h"
#include "ir/ops/compute_math.h"

namespace sinter {

using Halide::Expr;

namespace {

using Values = std::vector<Expr>;

void define_unary(KernelBuilder &k, const std::function<Expr(const Expr &)> &f) {
  k.define_elementwise([&](const Values &v) { return f(v[0]); });
}

void define_binary(KernelBuilder &k, const std::function<Expr(const Expr &, const Expr &)> &f) {
  k.define_elementwise([&](const Values &v) { return f(v[0], v[1]); });
}

Halide::Type halide_type(ElementType element) {
  switch (element) {
  case ElementType::f32:
    return Halide::Float(32);
  case ElementType::i32:
    return Halide::Int(32);
  case ElementType::u8:
    return Halide::UInt(8);
  }
  SINTER_UNREACHABLE("element type {}", static_cast<int>(element));
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
  if (!k.type().blocked()) {
    define_binary(k, [](const Expr &a, const Expr &b) { return a / b; });
    return;
  }
  // By logical index, because padding lanes hold 0 / 0. A smaller operand is a single value here.
  const auto at = [&](size_t i, const Index &index) {
    return k.operand(i).type().shape.empty() ? k.operand(i)({}) : k.operand(i)(index);
  };
  k.define([&](const Index &index) { return at(0, index) / at(1, index); });
}

void compute_maximum(KernelBuilder &k) {
  define_binary(k, [](const Expr &a, const Expr &b) { return Halide::max(a, b); });
}

void compute_minimum(KernelBuilder &k) {
  define_binary(k, [](const Expr &a, const Expr &b) { return Halide::min(a, b); });
}

void compute_bias_add(KernelBuilder &k) { compute_add(k); }

void compute_affine(KernelBuilder &k) {
  const AffineAttrs attrs = k.attrs<AffineAttrs>();
  define_unary(k, [&](const Expr &x) { return x * attrs.scale + attrs.offset; });
}

void compute_negate(KernelBuilder &k) {
  define_unary(k, [](const Expr &x) { return -x; });
}

void compute_square(KernelBuilder &k) {
  define_unary(k, [](const Expr &x) { return x * x; });
}

void compute_sqrt(KernelBuilder &k) {
  define_unary(k, [](const Expr &x) { return Halide::sqrt(x); });
}

void compute_rsqrt(KernelBuilder &k) {
  define_unary(k, [](const Expr &x) { return 1.0F / Halide::sqrt(x); });
}

void compute_exp(KernelBuilder &k) {
  define_unary(k, [](const Expr &x) { return Halide::exp(x); });
}

void compute_log(KernelBuilder &k) {
  define_unary(k, [](const Expr &x) { return Halide::log(x); });
}

void compute_abs(KernelBuilder &k) {
  define_unary(k, [](const Expr &x) { return Halide::abs(x); });
}

void compute_relu(KernelBuilder &k) {
  define_unary(k, [](const Expr &x) { return Halide::max(x, 0.0F); });
}

void compute_tanh(KernelBuilder &k) { define_unary(k, tanh_of); }

void compute_sigmoid(KernelBuilder &k) { define_unary(k, sigmoid_of); }

void compute_relu_gradient(KernelBuilder &k) {
  define_binary(k,
                [](const Expr &dy, const Expr &y) { return Halide::select(y > 0.0F, dy, 0.0F); });
}

void compute_tanh_gradient(KernelBuilder &k) {
  define_binary(k, [](const Expr &dy, const Expr &y) { return dy * (1.0F - y * y); });
}

void compute_sigmoid_gradient(KernelBuilder &k) {
  define_binary(k, [](const Expr &dy, const Expr &y) { return dy * y * (1.0F - y); });
}

void compute_greater_equal(KernelBuilder &k) {
  define_binary(k, [](const Expr &a, const Expr &b) { return Halide::select(a >= b, 1.0F, 0.0F); });
}

void compute_sign(KernelBuilder &k) {
  define_unary(k, [](const Expr &x) {
    return Halide::select(x > 0.0F, 1.0F, Halide::select(x < 0.0F, -1.0F, 0.0F));
  });
}

void compute_cast(KernelBuilder &k) {
  const Halide::Type to = halide_type(k.type().element);
  define_unary(k, [&](const Expr &x) { return Halide::cast(to, x); });
}

} // namespace sinter

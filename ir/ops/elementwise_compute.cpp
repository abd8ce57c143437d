// The algorithms of simple functions of one element.

#include "ir/ops/compute.h"
#include "ir/ops/compute_math.h"

#include <limits>

namespace sinter {

using Halide::Expr;

namespace {

Expr constant_like(const Expr &x, int value) {
  return Halide::Internal::make_const(x.type(), value);
}

} // namespace

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

void compute_abs(KernelBuilder &k) {
  define_unary(k, [](const Expr &x) { return Halide::cast(x.type(), Halide::abs(x)); });
}

void compute_sign(KernelBuilder &k) {
  define_unary(k, [](const Expr &x) {
    const Expr negative = Halide::select(x < constant_like(x, 0), constant_like(x, -1), x);
    return exactly(Halide::select(x > constant_like(x, 0), constant_like(x, 1), negative));
  });
}

void compute_floor(KernelBuilder &k) {
  define_unary(k, [](const Expr &x) { return Halide::floor(x); });
}

void compute_ceil(KernelBuilder &k) {
  define_unary(k, [](const Expr &x) { return Halide::ceil(x); });
}

void compute_round(KernelBuilder &k) {
  define_unary(k, [](const Expr &x) { return Halide::round(x); });
}

void compute_is_nan(KernelBuilder &k) {
  define_unary(k, [](const Expr &x) { return mask_of(holds_nan(x)); });
}

void compute_is_infinite(KernelBuilder &k) {
  define_unary(k, [](const Expr &x) {
    return mask_of(Halide::abs(x) == std::numeric_limits<float>::infinity());
  });
}

void compute_relu(KernelBuilder &k) {
  define_unary(k, [](const Expr &x) { return at_least_number(x, 0.0F); });
}

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

// From f32 to u8 through i32: the processor converts to no smaller integer, and what a direct
// conversion of -1 or 256 gives is undefined.
void compute_cast(KernelBuilder &k) {
  const Halide::Type to = halide_type(k.type().element);
  define_unary(k, [&](const Expr &x) {
    const bool narrows = x.type().is_float() && to == Halide::UInt(8);
    return Halide::cast(to, narrows ? Halide::cast<int32_t>(x) : x);
  });
}

} // namespace sinter

// Element by element, with NumPy's broadcasting.
#include "backends/reference/reference_ops.h"
#include "ir/diagnostics.h"

#include <cmath>

namespace sinter::reference {

namespace {

template <typename F> void unary(const Evaluation &e, F &&f) {
  const Array &x = e.operand(0);
  for (int64_t i = 0; i < e.result.size(); ++i)
    e.result[i] = f(x[i]);
}

/// The operand's strides under the result's extents: zero where it is repeated.
std::vector<int64_t> broadcast_strides(const Array &operand, const Shape &extents) {
  const Shape own = operand.extents();
  const std::vector<int64_t> own_strides = row_major_strides(own);
  std::vector<int64_t> strides(extents.size(), 0);
  const size_t offset = extents.size() - own.size();
  for (size_t i = 0; i < own.size(); ++i)
    if (own[i] == extents[offset + i])
      strides[offset + i] = own_strides[i];
  return strides;
}

template <typename F> void binary(const Evaluation &e, F &&f) {
  const Array &a = e.operand(0);
  const Array &b = e.operand(1);
  Array &y = e.result;
  if (a.size() == y.size() && b.size() == y.size()) {
    for (int64_t i = 0; i < y.size(); ++i)
      y[i] = f(a[i], b[i]);
    return;
  }
  const Shape extents = y.extents();
  int64_t i = 0;
  for_each_offset(extents, broadcast_strides(a, extents),
                  [&](int64_t offset) { y[i++] = a[offset]; });
  i = 0;
  for_each_offset(extents, broadcast_strides(b, extents), [&](int64_t offset) {
    y[i] = f(y[i], b[offset]);
    ++i;
  });
}

} // namespace

void add(const Evaluation &e) {
  binary(e, [](double a, double b) { return a + b; });
}

void subtract(const Evaluation &e) {
  binary(e, [](double a, double b) { return a - b; });
}

void multiply(const Evaluation &e) {
  binary(e, [](double a, double b) { return a * b; });
}

void divide(const Evaluation &e) {
  binary(e, [](double a, double b) { return a / b; });
}

void maximum(const Evaluation &e) {
  binary(e, [](double a, double b) { return a > b ? a : b; });
}

void minimum(const Evaluation &e) {
  binary(e, [](double a, double b) { return a < b ? a : b; });
}

void bias_add(const Evaluation &e) {
  binary(e, [](double a, double b) { return a + b; });
}

void greater_equal(const Evaluation &e) {
  binary(e, [](double a, double b) { return a >= b ? 1.0 : 0.0; });
}

// y = scale * x + offset
void affine(const Evaluation &e) {
  const double scale = static_cast<double>(e.attrs<AffineAttrs>().scale);
  const double offset = static_cast<double>(e.attrs<AffineAttrs>().offset);
  unary(e, [&](double x) { return scale * x + offset; });
}

void negate(const Evaluation &e) {
  unary(e, [](double x) { return -x; });
}

void square(const Evaluation &e) {
  unary(e, [](double x) { return x * x; });
}

void sqrt(const Evaluation &e) {
  unary(e, [](double x) { return std::sqrt(x); });
}

void rsqrt(const Evaluation &e) {
  unary(e, [](double x) { return 1 / std::sqrt(x); });
}

void exp(const Evaluation &e) {
  unary(e, [](double x) { return std::exp(x); });
}

void log(const Evaluation &e) {
  unary(e, [](double x) { return std::log(x); });
}

void abs(const Evaluation &e) {
  unary(e, [](double x) { return std::fabs(x); });
}

void relu(const Evaluation &e) {
  unary(e, [](double x) { return x > 0 ? x : 0.0; });
}

void tanh(const Evaluation &e) {
  unary(e, [](double x) { return std::tanh(x); });
}

void sigmoid(const Evaluation &e) {
  unary(e, [](double x) { return 1 / (1 + std::exp(-x)); });
}

void sign(const Evaluation &e) {
  unary(e, [](double x) { return x > 0 ? 1.0 : x < 0 ? -1.0 : 0.0; });
}

// To an integer type: towards zero.
void cast(const Evaluation &e) {
  const bool to_integer = e.attrs<CastAttrs>().to != ElementType::f32;
  unary(e, [&](double x) { return to_integer ? std::trunc(x) : x; });
}

// Operands (dy, y) of the three activation gradients.
// dx = dy * (y > 0)
void relu_gradient(const Evaluation &e) {
  binary(e, [](double dy, double y) { return y > 0 ? dy : 0.0; });
}

// dx = dy * (1 - y^2)
void tanh_gradient(const Evaluation &e) {
  binary(e, [](double dy, double y) { return dy * (1 - y * y); });
}

// dx = dy * y * (1 - y)
void sigmoid_gradient(const Evaluation &e) {
  binary(e, [](double dy, double y) { return dy * y * (1 - y); });
}

} // namespace sinter::reference

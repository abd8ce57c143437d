// Simple functions of one element.
#include "backends/reference/elementwise.h"

#include <cmath>

namespace sinter::reference {

namespace {

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

} // namespace

std::vector<double> broadcast_values(const Evaluation &e, size_t operand) {
  const Array &x = e.operand(operand);
  if (x.size() == e.result.size())
    return x.values;
  const Shape extents = e.result.extents();
  std::vector<double> values;
  values.reserve(e.result.values.size());
  for_each_offset(extents, broadcast_strides(x, extents),
                  [&](int64_t offset) { values.push_back(x[offset]); });
  return values;
}

double wrap(double value, ElementType element) {
  if (element == ElementType::f32)
    return value;
  const double modulus = element == ElementType::u8 ? 0x1p8 : 0x1p32;
  const double rest = value - std::floor(value / modulus) * modulus;
  return element == ElementType::i32 && rest >= 0x1p31 ? rest - modulus : rest;
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

void abs(const Evaluation &e) {
  unary(e, [](double x) { return std::fabs(x); });
}

void relu(const Evaluation &e) {
  unary(e, [](double x) { return x < 0 ? 0.0 : x; });
}

void sign(const Evaluation &e) {
  unary(e, [](double x) { return x > 0 ? 1.0 : x < 0 ? -1.0 : x; });
}

void floor(const Evaluation &e) {
  unary(e, [](double x) { return std::floor(x); });
}

void ceil(const Evaluation &e) {
  unary(e, [](double x) { return std::ceil(x); });
}

// The even one at a tie.
void round(const Evaluation &e) {
  unary(e, [](double x) { return std::nearbyint(x); });
}

void is_nan(const Evaluation &e) {
  unary(e, [](double x) { return std::isnan(x) ? 1.0 : 0.0; });
}

void is_infinite(const Evaluation &e) {
  unary(e, [](double x) { return std::isinf(x) ? 1.0 : 0.0; });
}

// To an integer type: towards zero.
void cast(const Evaluation &e) {
  const ElementType to = e.attrs<CastAttrs>().to;
  unary(e, [&](double x) { return to == ElementType::f32 ? x : wrap(std::trunc(x), to); });
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

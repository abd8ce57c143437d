// Arithmetic, comparison and choice, with NumPy's broadcasting.
#include "backends/reference/elementwise.h"

#include <cmath>

namespace sinter::reference {

namespace {

bool is_integer(const Evaluation &e) { return e.result.type.element != ElementType::f32; }

/// With the sign of a. The quotient of an integer and zero is zero, so all of it remains.
double remainder(const Evaluation &e, double a, double b) {
  return is_integer(e) && b == 0 ? a : std::fmod(a, b);
}

/// 1 or 0.
template <typename F> void compare(const Evaluation &e, F &&holds) {
  binary(e, [&](double a, double b) { return holds(a, b) ? 1.0 : 0.0; });
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

// Of integers, towards zero; what is divided by zero is zero.
void divide(const Evaluation &e) {
  const bool whole = is_integer(e);
  binary(e, [&](double a, double b) {
    if (!whole)
      return a / b;
    return b == 0 ? 0.0 : std::trunc(a / b);
  });
}

void maximum(const Evaluation &e) {
  binary(e, [](double a, double b) { return a > b || std::isnan(a) ? a : b; });
}

void minimum(const Evaluation &e) {
  binary(e, [](double a, double b) { return a < b || std::isnan(a) ? a : b; });
}

void pow(const Evaluation &e) {
  binary(e, [](double a, double b) { return std::pow(a, b); });
}

void mod(const Evaluation &e) {
  binary(e, [&](double a, double b) {
    const double r = remainder(e, a, b);
    return r != 0 && std::signbit(r) != std::signbit(b) ? r + b : r;
  });
}

void fmod(const Evaluation &e) {
  binary(e, [&](double a, double b) { return remainder(e, a, b); });
}

void equal(const Evaluation &e) {
  compare(e, [](double a, double b) { return a == b; });
}

void greater(const Evaluation &e) {
  compare(e, [](double a, double b) { return a > b; });
}

void greater_equal(const Evaluation &e) {
  compare(e, [](double a, double b) { return a >= b; });
}

// Operands (mask, a, b).
void select(const Evaluation &e) {
  const std::vector<double> mask = broadcast_values(e, 0);
  const std::vector<double> a = broadcast_values(e, 1);
  const std::vector<double> b = broadcast_values(e, 2);
  for (size_t i = 0; i < mask.size(); ++i)
    e.result.values[i] = mask[i] != 0 ? a[i] : b[i];
}

void bias_add(const Evaluation &e) { add(e); }

} // namespace sinter::reference

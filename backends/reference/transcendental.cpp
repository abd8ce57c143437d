// Functions that take more than arithmetic.
#include "backends/reference/elementwise.h"

#include <cmath>

namespace sinter::reference {

void sqrt(const Evaluation &e) {
  unary(e, [](double x) { return std::sqrt(x); });
}

void rsqrt(const Evaluation &e) {
  unary(e, [](double x) { return 1 / std::sqrt(x); });
}

void exp(const Evaluation &e) {
  unary(e, [](double x) { return std::exp(x); });
}

void expm1(const Evaluation &e) {
  unary(e, [](double x) { return std::expm1(x); });
}

void log(const Evaluation &e) {
  unary(e, [](double x) { return std::log(x); });
}

void log1p(const Evaluation &e) {
  unary(e, [](double x) { return std::log1p(x); });
}

void erf(const Evaluation &e) {
  unary(e, [](double x) { return std::erf(x); });
}

void sigmoid(const Evaluation &e) {
  unary(e, [](double x) { return 1 / (1 + std::exp(-x)); });
}

void sin(const Evaluation &e) {
  unary(e, [](double x) { return std::sin(x); });
}

void cos(const Evaluation &e) {
  unary(e, [](double x) { return std::cos(x); });
}

void tan(const Evaluation &e) {
  unary(e, [](double x) { return std::tan(x); });
}

void asin(const Evaluation &e) {
  unary(e, [](double x) { return std::asin(x); });
}

void acos(const Evaluation &e) {
  unary(e, [](double x) { return std::acos(x); });
}

void atan(const Evaluation &e) {
  unary(e, [](double x) { return std::atan(x); });
}

void sinh(const Evaluation &e) {
  unary(e, [](double x) { return std::sinh(x); });
}

void cosh(const Evaluation &e) {
  unary(e, [](double x) { return std::cosh(x); });
}

void tanh(const Evaluation &e) {
  unary(e, [](double x) { return std::tanh(x); });
}

void asinh(const Evaluation &e) {
  unary(e, [](double x) { return std::asinh(x); });
}

void acosh(const Evaluation &e) {
  unary(e, [](double x) { return std::acosh(x); });
}

void atanh(const Evaluation &e) {
  unary(e, [](double x) { return std::atanh(x); });
}

} // namespace sinter::reference

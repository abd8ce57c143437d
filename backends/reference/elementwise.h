// Loops over elements, with NumPy's broadcasting.
#pragma once

#include "backends/reference/reference_ops.h"

namespace sinter::reference {

template <typename F> void unary(const Evaluation &e, F &&f) {
  const Array &x = e.operand(0);
  for (int64_t i = 0; i < e.result.size(); ++i)
    e.result[i] = f(x[i]);
}

/// The operand's values as the result's elements see them.
std::vector<double> broadcast_values(const Evaluation &, size_t operand);

/// Integers overflow as two's complement does.
double wrap(double value, ElementType);

template <typename F> void binary(const Evaluation &e, F &&f) {
  const std::vector<double> a = broadcast_values(e, 0);
  const std::vector<double> b = broadcast_values(e, 1);
  for (size_t i = 0; i < a.size(); ++i)
    e.result.values[i] = wrap(f(a[i], b[i]), e.result.type.element);
}

} // namespace sinter::reference

// Arrays and single nodes for the reference interpreter's own tests.
#pragma once

#include "backends/reference/interpreter.h"

#include <utility>
#include <vector>

namespace sinter {

inline Array array(Shape shape, std::vector<double> values) {
  Array result(TensorType{ElementType::f32, std::move(shape), 0}, /*batch_extent=*/1);
  result.values = std::move(values);
  return result;
}

/// Values that are neither regular nor symmetric.
inline Array irregular(Shape shape, int seed) {
  Array result(TensorType{ElementType::f32, std::move(shape), 0}, /*batch_extent=*/1);
  uint32_t state = 12345U + static_cast<uint32_t>(seed) * 7919U;
  for (double &value : result.values) {
    state = state * 1664525U + 1013904223U;
    value = static_cast<double>(state >> 8) / (1 << 23) - 1;
  }
  return result;
}

/// One op on arrays, with a static result shape.
inline Array run(OpKind kind, const std::vector<Array> &operands, Shape result,
                 Attrs attributes = NoAttrs{}) {
  const Node node{kind, std::move(attributes), {}, {ElementType::f32, std::move(result), 0}, "",
                  {}};
  std::vector<const Array *> pointers;
  for (const Array &operand : operands)
    pointers.push_back(&operand);
  return evaluate_node(node, /*batch=*/1, pointers);
}

inline double dot(const Array &a, const Array &b) {
  double sum = 0;
  for (int64_t i = 0; i < a.size(); ++i)
    sum += a[i] * b[i];
  return sum;
}

} // namespace sinter

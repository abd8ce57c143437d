// Elementwise arithmetic on small constants.
#pragma once

#include "frontend/onnx/operator_context.h"

#include <cstdint>

namespace sinter {

/// Functions of numbers: of floats in double, of everything else in int64. A missing one leaves the
/// node to the graph.
struct ScalarFunctions {
  double (*of_reals)(double, double) = nullptr;
  int64_t (*of_integers)(int64_t, int64_t) = nullptr;
  /// What the function makes of the symbolic batch and another number; nothing when that depends
  /// on the batch.
  std::optional<int64_t> (*of_batch)(int64_t, int64_t) = nullptr;
};

/// Of two numbers the larger or the smaller; a NaN if either is one.
double fold_maximum(double a, double b);
double fold_minimum(double a, double b);

/// Applies a function to two broadcast operands; `type` is the result's.
bool fold_binary(OperatorContext &, const ScalarFunctions &, DataType type);
/// Applies a function to one operand, which it gets twice.
bool fold_unary(OperatorContext &, const ScalarFunctions &, DataType type);
/// Applies a function over all operands, from the left.
bool fold_chain(OperatorContext &, const ScalarFunctions &);
/// Sets result 0 to `values` in the given type; of reals rounded to float32.
void fold_result(OperatorContext &, Shape, std::vector<double> reals, DataType type);

/// `value` in the range of an integer type, as C converts.
int64_t wrap(int64_t value, DataType type);

} // namespace sinter

// Products of matrices and of stacks of them.
#pragma once

#include "frontend/onnx/operator_context.h"

namespace sinter {

/// NumPy's matmul, of shapes that fit.
NodeId matrix_product(OperatorContext &, NodeId a, NodeId b);

/// Einsum of one operand, or of two where it is a matrix product.
void import_einsum(OperatorContext &);

} // namespace sinter

#include "frontend/onnx/matrix_product.h"

#include "frontend/onnx/building.h"

#include <algorithm>

namespace sinter {

namespace {

/// [..., m, k] times one [k, n]: the leading dimensions are more rows. A batch cannot be joined
/// with other dimensions, so the rows of a batched stack are an image for a 1x1 convolution.
NodeId stack_times_matrix(OperatorContext &c, NodeId a, NodeId b) {
  const Shape stack = c.shape_of(a);
  const Shape matrix = c.shape_of(b);
  Shape result = stack;
  result.back() = matrix[1];
  if (stack[0] != kBatch) {
    const int64_t rows = extent_product_between(stack, 0, stack.size() - 1);
    const NodeId product =
        c.append(OpKind::matmul, {c.reshape(a, {rows, stack.back()}), b}, MatmulAttrs{});
    return c.reshape(product, result);
  }
  const int64_t rows = extent_product_between(stack, 1, stack.size() - 1);
  const NodeId image = c.reshape(a, {stack[0], 1, rows, stack.back()});
  const NodeId filter = c.reshape(b, {1, 1, matrix[0], matrix[1]});
  return c.reshape(c.append(OpKind::conv2d, {image, filter}, Conv2dAttrs{}), result);
}

} // namespace

NodeId matrix_product(OperatorContext &c, NodeId a, NodeId b) {
  const size_t rank_a = c.shape_of(a).size();
  const size_t rank_b = c.shape_of(b).size();
  if (rank_a == 2 && rank_b == 2)
    return c.append(OpKind::matmul, {a, b}, MatmulAttrs{});
  if (rank_b == 2)
    return stack_times_matrix(c, a, b);
  c.fail("multiplies stacks of matrices {} and {}", str(c.shape_of(a)), str(c.shape_of(b)));
}

void import_einsum(OperatorContext &c) { c.fail("is not supported yet"); }

} // namespace sinter

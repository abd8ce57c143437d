// Matrix products of any rank, and average pooling with partial windows.
#include "frontend/compose.h"
#include "ir/ops/window.h"

namespace sinter::compose {

namespace {

/// Rows under any leading dimensions times one matrix: more rows. The batch cannot be joined with
/// other dimensions; its rows are an image for a 1 x 1 convolution.
NodeId rows_times_matrix(Composer &c, NodeId rows, NodeId matrix) {
  Shape shape = c.shape(rows);
  const Shape extents = c.shape(matrix);
  int64_t between = 1; // all dimensions but the batch and the row
  for (size_t i = 1; i + 1 < shape.size(); ++i)
    between *= shape[i];
  if (shape[0] != kBatch) {
    const NodeId joined = reshape(c, rows, {shape[0] * between, shape.back()});
    shape.back() = extents[1];
    return reshape(c, c.append(OpKind::matmul, {joined, matrix}, MatmulAttrs{}), shape);
  }
  const NodeId image = reshape(c, rows, {shape[0], between, 1, shape.back()});
  const NodeId filter = reshape(c, matrix, {1, 1, extents[0], extents[1]});
  shape.back() = extents[1];
  return reshape(c, c.append(OpKind::conv2d, {image, filter}, Conv2dAttrs{}), shape);
}

NodeId matrix_product(Composer &c, NodeId a, NodeId b) {
  const int rank_a = c.rank(a);
  const int rank_b = c.rank(b);
  if (rank_a == 2 && rank_b == 2)
    return c.append(OpKind::matmul, {a, b}, MatmulAttrs{});
  if (rank_b == 2 && !c.type(b).batched())
    return rows_times_matrix(c, a, b);
  return c.append(OpKind::batch_matmul, {a, b}, MatmulAttrs{});
}

} // namespace

NodeId matmul(Composer &c, NodeId a, NodeId b) {
  const bool row = c.rank(a) == 1;
  const bool column = c.rank(b) == 1;
  if (row)
    a = reshape(c, a, {1, c.shape(a)[0]});
  if (column)
    b = reshape(c, b, {c.shape(b)[0], 1});
  const NodeId y = matrix_product(c, a, b);
  Shape shape = c.shape(y);
  if (column)
    shape.pop_back();
  if (row)
    shape.erase(shape.end() - (column ? 1 : 2));
  return reshape(c, y, shape);
}

std::array<int64_t, 2> partial_windows(const Shape &x, const Pool2dAttrs &pool) {
  std::array<int64_t, 2> beyond{};
  for (size_t d = 0; d < 2; ++d)
    beyond[d] = partial_window(x[d + 1], pool.padding[d], pool.padding[d + 2],
                               window_span(pool.size[d], pool.dilations[d]), pool.strides[d]);
  return beyond;
}

// Where the padding counts but what lies beyond does not, the padding becomes part of the image.
NodeId average_pool(Composer &c, NodeId x, Pool2dAttrs pool, std::array<int64_t, 2> beyond) {
  if (pool.count_include_pad && beyond != std::array<int64_t, 2>{}) {
    x = c.append(OpKind::pad, {x},
                 PadAttrs{{0, pool.padding[0], pool.padding[1], 0},
                          {0, pool.padding[2], pool.padding[3], 0},
                          0});
    pool.padding = {};
    pool.count_include_pad = false;
  }
  pool.padding[2] += beyond[0];
  pool.padding[3] += beyond[1];
  return c.append(OpKind::average_pool2d, {x}, pool);
}

} // namespace sinter::compose

// Normalisations, reductions and changes of shape.
#include "frontend/compose.h"

#include "ir/diagnostics.h"

#include <algorithm>
#include <numeric>

namespace sinter::compose {

std::vector<int64_t> axes_between(int64_t begin, int64_t end) {
  std::vector<int64_t> axes(static_cast<size_t>(end - begin));
  std::iota(axes.begin(), axes.end(), begin);
  return axes;
}

namespace {

/// f(x) with `axis` moved to the last place and back.
template <typename F> NodeId along_last(Composer &c, NodeId x, int64_t axis, F &&f) {
  const int64_t last = c.rank(x) - 1;
  if (axis == last)
    return f(x);
  SINTER_ASSERT(axis > 0 || c.shape(x)[0] != kBatch, "a function along the batch");
  Permutation order = identity_order(c.rank(x)); // an exchange is its own inverse
  std::swap(order[static_cast<size_t>(axis)], order[static_cast<size_t>(last)]);
  return transpose(c, f(transpose(c, x, order)), order);
}

NodeId scale_and_shift(Composer &c, NodeId x, NodeId scale, NodeId offset) {
  if (scale.valid())
    x = c.append(OpKind::multiply, {x, scale});
  if (!offset.valid())
    return x;
  const bool is_bias = c.shape(offset) == Shape{c.shape(x).back()};
  return c.append(is_bias ? OpKind::bias_add : OpKind::add, {x, offset});
}

} // namespace

NodeId reduce(Composer &c, OpKind kind, NodeId x, std::vector<int64_t> axes, bool keep_dims) {
  return axes.empty() ? x : c.append(kind, {x}, ReduceAttrs{std::move(axes), keep_dims});
}

NodeId softmax(Composer &c, NodeId x, int64_t axis) {
  return along_last(c, x, axis, [&](NodeId rows) { return c.append(OpKind::softmax, {rows}); });
}

// With the maximum m taken out: x - m - log(sum(exp(x - m)))
NodeId log_softmax(Composer &c, NodeId x, int64_t axis) {
  const NodeId m = reduce(c, OpKind::reduce_max, x, {axis}, /*keep_dims=*/true);
  const NodeId shifted = c.append(OpKind::subtract, {x, m});
  const NodeId sum =
      reduce(c, OpKind::reduce_sum, c.append(OpKind::exp, {shifted}), {axis}, /*keep_dims=*/true);
  return c.append(OpKind::subtract, {shifted, c.append(OpKind::log, {sum})});
}

// m + log(sum(exp(x - m)))
NodeId log_sum_exp(Composer &c, NodeId x, const std::vector<int64_t> &axes, bool keep_dims) {
  const NodeId kept = reduce(c, OpKind::reduce_max, x, axes, /*keep_dims=*/true);
  const NodeId shifted = c.append(OpKind::exp, {c.append(OpKind::subtract, {x, kept})});
  const NodeId sum = reduce(c, OpKind::reduce_sum, shifted, axes, keep_dims);
  const NodeId m = keep_dims ? kept : reshape(c, kept, c.shape(sum));
  return c.append(OpKind::add, {m, c.append(OpKind::log, {sum})});
}

Normalized standardize(Composer &c, NodeId x, const std::vector<int64_t> &axes, float epsilon) {
  const NodeId mean = reduce(c, OpKind::reduce_mean, x, axes, /*keep_dims=*/true);
  const NodeId centered = c.append(OpKind::subtract, {x, mean});
  const NodeId squares = c.append(OpKind::square, {centered});
  const NodeId variance = reduce(c, OpKind::reduce_mean, squares, axes, /*keep_dims=*/true);
  const NodeId inverse = c.append(OpKind::rsqrt, {affine(c, variance, 1, epsilon)});
  return {c.append(OpKind::multiply, {centered, inverse}), centered, mean, variance, inverse};
}

Normalized layer_norm(Composer &c, NodeId x, int64_t axis, NodeId scale, NodeId offset,
                      float epsilon) {
  Normalized result = standardize(c, x, axes_between(axis, c.rank(x)), epsilon);
  result.y = scale_and_shift(c, result.y, scale, offset);
  return result;
}

// The power by a logarithm and an exponential: its base is positive.
NodeId local_response_norm(Composer &c, NodeId x, const ChannelSumAttrs &neighbours, float scale,
                           float beta, float bias) {
  const NodeId sums = c.append(OpKind::channel_sum, {c.append(OpKind::square, {x})}, neighbours);
  const NodeId logarithm = c.append(OpKind::log, {affine(c, sums, scale, bias)});
  const NodeId factor = c.append(OpKind::exp, {affine(c, logarithm, -beta)});
  return c.append(OpKind::multiply, {x, factor});
}

NodeId argmin(Composer &c, NodeId x, const ArgmaxAttrs &attrs) {
  if (c.type(x).element == ElementType::u8)
    x = c.append(OpKind::cast, {x}, CastAttrs{ElementType::i32});
  return c.append(OpKind::argmax, {c.append(OpKind::negate, {x})}, attrs);
}

TopK top_k(Composer &c, NodeId x, const TopKAttrs &attrs) {
  const NodeId indices = c.append(OpKind::top_k_indices, {x}, attrs);
  return {c.append(OpKind::gather_elements, {x, indices}, AxisAttrs{attrs.axis}), indices};
}

namespace {

/// The element of [0, extent) that stands at a position outside or inside it.
int64_t mirrored(int64_t position, int64_t extent, PadMode mode) {
  if (mode == PadMode::edge)
    return std::min(std::max<int64_t>(position, 0), extent - 1);
  const int64_t period = mode == PadMode::wrap ? extent : std::max<int64_t>(2 * extent - 2, 1);
  const int64_t rest = ((position % period) + period) % period;
  return rest < extent ? rest : 2 * extent - 2 - rest;
}

} // namespace

NodeId pad(Composer &c, NodeId x, PadMode mode, const std::vector<int64_t> &low,
           const std::vector<int64_t> &high) {
  for (size_t axis = 0; axis < low.size(); ++axis) {
    if (low[axis] == 0 && high[axis] == 0)
      continue;
    const int64_t extent = c.shape(x)[axis];
    ResampleAttrs table;
    table.axis = static_cast<int64_t>(axis);
    for (int64_t i = -low[axis]; i < extent + high[axis]; ++i)
      table.indices.push_back(mirrored(i, extent, mode));
    x = c.append(OpKind::resample, {x}, table);
  }
  return x;
}

NodeId reshape(Composer &c, NodeId x, Shape shape) {
  return c.shape(x) == shape ? x : c.append(OpKind::reshape, {x}, ReshapeAttrs{std::move(shape)});
}

NodeId transpose(Composer &c, NodeId x, Permutation permutation) {
  if (is_identity(permutation))
    return x;
  return c.append(OpKind::transpose, {x}, TransposeAttrs{std::move(permutation)});
}

// Without the dimensions along which it is repeated, x is what `broadcast` takes.
NodeId expand(Composer &c, NodeId x, const Shape &shape) {
  const Shape own = c.shape(x);
  const size_t added = shape.size() - own.size();
  BroadcastAttrs attrs{shape, {}, /*mean=*/false};
  Shape kept;
  for (size_t i = 0; i < shape.size(); ++i)
    if (i < added || (own[i - added] == 1 && shape[i] != 1))
      attrs.axes.push_back(static_cast<int64_t>(i));
    else
      kept.push_back(shape[i]);
  if (std::all_of(attrs.axes.begin(), attrs.axes.end(),
                  [&](int64_t axis) { return shape[static_cast<size_t>(axis)] == 1; }))
    return reshape(c, x, shape);
  return c.append(OpKind::broadcast, {reshape(c, x, kept)}, attrs);
}

NodeId tile(Composer &c, NodeId x, const std::vector<int64_t> &repeats) {
  const Shape shape = c.shape(x);
  SINTER_ASSERT(repeats.size() == shape.size(), "{} repeats of {}", repeats.size(), str(shape));
  BroadcastAttrs attrs;
  Shape result;
  for (size_t i = 0; i < shape.size(); ++i) {
    if (repeats[i] != 1) {
      attrs.axes.push_back(static_cast<int64_t>(attrs.shape.size()));
      attrs.shape.push_back(repeats[i]);
    }
    attrs.shape.push_back(shape[i]);
    result.push_back(repeats[i] == 1 ? shape[i] : shape[i] * repeats[i]);
  }
  if (attrs.axes.empty())
    return x;
  return reshape(c, c.append(OpKind::broadcast, {x}, attrs), result);
}

} // namespace sinter::compose

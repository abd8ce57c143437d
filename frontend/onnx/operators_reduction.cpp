// Reductions and cumulative sums.

#include "frontend/onnx/building.h"
#include "frontend/onnx/folding.h"
#include "frontend/onnx/matrix_product.h"
#include "frontend/onnx/operator_table.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace sinter {

namespace {

/// The dimensions that a reduction goes over: an attribute at first, an operand since opset 13
/// (ReduceSum) or 18. Without any it goes over all, unless the file says that it does nothing then.
ReduceAttrs reduction_attributes(const OperatorContext &c) {
  std::vector<int64_t> axes = c.has_operand(1) ? c.constant_integers(1) : c.integers("axes");
  const int rank = c.rank(0);
  if (axes.empty() && !c.flag("noop_with_empty_axes", false)) {
    axes.resize(static_cast<size_t>(rank));
    std::iota(axes.begin(), axes.end(), 0);
  }
  return {c.axes(axes, rank), c.flag("keepdims", true)};
}

NodeId reduce(OperatorContext &c, OpKind kind, NodeId x, const ReduceAttrs &attributes) {
  return attributes.axes.empty() ? x : c.append(kind, {x}, attributes);
}

void reduction_result(OperatorContext &c, NodeId y) {
  c.result(c.cast(y, graph_element(c.type(0))));
}

template <OpKind kind> void import_reduction(OperatorContext &c) {
  reduction_result(c, reduce(c, kind, c.real_tensor(0), reduction_attributes(c)));
}

/// outer(sum of inner(x))
template <OpKind inner, OpKind outer> void import_reduction_of(OperatorContext &c) {
  const NodeId x = c.append(inner, {c.real_tensor(0)});
  const NodeId y = reduce(c, OpKind::reduce_sum, x, reduction_attributes(c));
  reduction_result(c, c.append(outer, {y}));
}

template <OpKind inner> void import_sum_of(OperatorContext &c) {
  const NodeId x = c.append(inner, {c.real_tensor(0)});
  reduction_result(c, reduce(c, OpKind::reduce_sum, x, reduction_attributes(c)));
}

void import_reduce_log_sum(OperatorContext &c) {
  const NodeId y = reduce(c, OpKind::reduce_sum, c.real_tensor(0), reduction_attributes(c));
  reduction_result(c, c.append(OpKind::log, {y}));
}

/// max + log(sum(exp(x - max)))
void import_reduce_log_sum_exp(OperatorContext &c) {
  const ReduceAttrs attributes = reduction_attributes(c);
  const NodeId x = c.real_tensor(0);
  const NodeId largest =
      reduce(c, OpKind::reduce_max, x, ReduceAttrs{attributes.axes, /*keep_dims=*/true});
  const NodeId shifted = c.append(OpKind::subtract, {x, largest});
  const NodeId total = reduce(c, OpKind::reduce_sum, c.append(OpKind::exp, {shifted}), attributes);
  const NodeId logarithm = c.append(OpKind::log, {total});
  reduction_result(c,
                   c.append(OpKind::add, {logarithm, c.reshape(largest, c.shape_of(logarithm))}));
}

void import_reduce_min(OperatorContext &c) {
  const NodeId negated = c.append(OpKind::negate, {c.real_tensor(0)});
  const NodeId y = reduce(c, OpKind::reduce_max, negated, reduction_attributes(c));
  reduction_result(c, c.append(OpKind::negate, {y}));
}

/// Multiplies the halves of a dimension with each other until one element is left.
NodeId product_along(OperatorContext &c, NodeId x, int64_t axis) {
  const auto along = static_cast<size_t>(axis);
  c.require(c.shape_of(x)[along] != kBatch, "multiplies the samples of a batch");
  while (c.shape_of(x)[along] > 1) {
    const int64_t extent = c.shape_of(x)[along];
    const int64_t half = extent / 2;
    NodeId product = c.append(
        OpKind::multiply, {slice_axis(c, x, axis, 0, half), slice_axis(c, x, axis, half, half)});
    if (extent % 2 != 0)
      product = concat_nodes(c, {product, slice_axis(c, x, axis, extent - 1, 1)}, axis);
    x = product;
  }
  return x;
}

void import_reduce_prod(OperatorContext &c) {
  const ReduceAttrs attributes = reduction_attributes(c);
  NodeId y = c.real_tensor(0);
  for (int64_t axis : attributes.axes)
    y = product_along(c, y, axis);
  Shape shape;
  for (size_t i = 0; i < c.shape(0).size(); ++i)
    if (attributes.keep_dims || !std::binary_search(attributes.axes.begin(), attributes.axes.end(),
                                                    static_cast<int64_t>(i)))
      shape.push_back(c.shape_of(y)[i]);
  reduction_result(c, c.reshape(y, shape));
}

/// Reduces a small constant, in double.
template <double (*combine)(double, double)> bool fold_reduction(OperatorContext &c) {
  const ReduceAttrs attributes = reduction_attributes(c);
  const HostTensor &x = c.constant(0);
  if (std::find(x.integers.begin(), x.integers.end(), kSymbolicBatch) != x.integers.end() ||
      x.size() == 0)
    return false;
  Shape kept = x.shape;
  for (int64_t axis : attributes.axes)
    kept[static_cast<size_t>(axis)] = 1;
  // For each element of x, the element of the result that it goes to.
  std::vector<int64_t> targets(static_cast<size_t>(count_elements(kept)));
  std::iota(targets.begin(), targets.end(), 0);
  const HostTensor target = broadcast_to(HostTensor::of_integers(kept, targets), x.shape);
  std::vector<double> values(targets.size(), std::numeric_limits<double>::quiet_NaN());
  for (int64_t i = 0; i < x.size(); ++i) {
    double &value = values[static_cast<size_t>(target.integers[static_cast<size_t>(i)])];
    value = std::isnan(value) ? x.number(i) : combine(value, x.number(i));
  }
  Shape shape;
  for (size_t i = 0; i < kept.size(); ++i)
    if (attributes.keep_dims || !std::binary_search(attributes.axes.begin(), attributes.axes.end(),
                                                    static_cast<int64_t>(i)))
      shape.push_back(kept[i]);
  fold_result(c, std::move(shape), std::move(values), x.type);
  return true;
}

double add(double a, double b) { return a + b; }
double multiply(double a, double b) { return a * b; }
double larger(double a, double b) { return std::fmax(a, b); }
double smaller(double a, double b) { return std::fmin(a, b); }

/// The position of the first largest element, or of the last one; of the smallest by negation.
template <bool smallest> void import_arg(OperatorContext &c) {
  const int64_t axis = c.axis(c.integer("axis", 0), c.rank(0));
  const auto along = static_cast<size_t>(axis);
  const Shape shape = c.shape(0);
  NodeId x = c.real_tensor(0);
  if (smallest)
    x = c.append(OpKind::negate, {x});
  const bool last = c.flag("select_last_index", false);
  if (last)
    x = reversed(c, x, axis);
  NodeId position = c.append(OpKind::argmax, {x}, ArgmaxAttrs{axis});
  if (last) {
    const NodeId end = c.constant_node(HostTensor::of_integers({}, {shape[along] - 1}));
    position = c.append(OpKind::subtract, {end, position});
  }
  Shape result = shape;
  if (c.flag("keepdims", true)) {
    result[along] = 1;
    position = c.reshape(position, result);
  }
  c.result(position, DataType::i64);
}

/// Sums of the elements up to each one, a product with a triangle of ones.
void import_cumulative_sum(OperatorContext &c) {
  const int rank = c.rank(0);
  const int64_t axis = c.axis(static_cast<int64_t>(c.constant_number(1)), rank);
  const int64_t extent = c.shape(0)[static_cast<size_t>(axis)];
  constexpr int64_t kLongest = 4096; // the triangle is a table
  c.require(extent != kBatch && extent <= kLongest, "adds up {} elements, at most {} are supported",
            extent, kLongest);
  const bool exclusive = c.flag("exclusive", false);
  const bool reverse = c.flag("reverse", false);
  std::vector<float> triangle;
  for (int64_t from = 0; from < extent; ++from)
    for (int64_t to = 0; to < extent; ++to) {
      const int64_t distance = reverse ? from - to : to - from;
      triangle.push_back(distance > 0 || (distance == 0 && !exclusive) ? 1.0F : 0.0F);
    }
  const NodeId ones = c.constant_node(HostTensor::of_floats({extent, extent}, std::move(triangle)));
  const std::vector<int64_t> permutation = axis_to_end(axis, rank);
  NodeId x = c.transpose(c.real_tensor(0), permutation);
  x = rank == 1 ? c.reshape(x, {1, extent}) : x;
  NodeId y = matrix_product(c, x, ones);
  y = rank == 1 ? c.reshape(y, {extent}) : y;
  reduction_result(c, c.transpose(y, permutation));
}

} // namespace

const OnnxOperators &onnx_reduction_operators() {
  static const OnnxOperators operators = {
      {"ArgMax", import_arg</*smallest=*/false>},
      {"ArgMin", import_arg</*smallest=*/true>},
      {"CumSum", import_cumulative_sum},
      {"ReduceL1", import_sum_of<OpKind::abs>},
      {"ReduceL2", import_reduction_of<OpKind::square, OpKind::sqrt>},
      {"ReduceLogSum", import_reduce_log_sum},
      {"ReduceLogSumExp", import_reduce_log_sum_exp},
      {"ReduceMax", import_reduction<OpKind::reduce_max>, fold_reduction<larger>},
      {"ReduceMean", import_reduction<OpKind::reduce_mean>},
      {"ReduceMin", import_reduce_min, fold_reduction<smaller>},
      {"ReduceProd", import_reduce_prod, fold_reduction<multiply>},
      {"ReduceSum", import_reduction<OpKind::reduce_sum>, fold_reduction<add>},
      {"ReduceSumSquare", import_sum_of<OpKind::square>},
  };
  return operators;
}

} // namespace sinter

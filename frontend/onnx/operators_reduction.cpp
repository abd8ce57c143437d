// Reductions and cumulative sums.

#include "frontend/onnx/building.h"
#include "frontend/onnx/folding.h"
#include "frontend/onnx/operator_table.h"

#include <algorithm>
#include <numeric>

namespace sinter {

namespace {

/// The dimensions that a reduction goes over: an attribute at first, an operand since opset 13
/// (ReduceSum) or 18. Without any it goes over all, unless the file says that it does nothing then.
ReduceAttrs reduction_attributes(const OperatorContext &c) {
  std::vector<int64_t> axes = c.has_operand(1) ? c.constant_integers(1) : c.integers("axes");
  const int rank = c.rank(0);
  if (axes.empty() && !c.flag("noop_with_empty_axes", false))
    axes = compose::axes_between(0, rank);
  return {c.axes(axes, rank), c.flag("keepdims", true)};
}

NodeId reduce(OperatorContext &c, OpKind kind, NodeId x, const ReduceAttrs &attributes) {
  return attributes.axes.empty() ? x : c.append(kind, {x}, attributes);
}

void reduction_result(OperatorContext &c, NodeId y) {
  c.result(c.cast(y, graph_element(c.type(0))));
}

/// Of integers, too.
template <OpKind kind> void import_reduction(OperatorContext &c) {
  c.result(reduce(c, kind, c.tensor(0), reduction_attributes(c)));
}

void import_reduce_mean(OperatorContext &c) {
  reduction_result(c, reduce(c, OpKind::reduce_mean, c.real_tensor(0), reduction_attributes(c)));
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

void import_reduce_log_sum_exp(OperatorContext &c) {
  const ReduceAttrs attributes = reduction_attributes(c);
  const NodeId x = c.real_tensor(0);
  Composer composer = c.composer();
  reduction_result(c, compose::log_sum_exp(composer, x, attributes.axes, attributes.keep_dims));
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
  std::vector<double> values(targets.size());
  std::vector<bool> begun(targets.size());
  for (int64_t i = 0; i < x.size(); ++i) {
    const auto at = static_cast<size_t>(target.integers[static_cast<size_t>(i)]);
    values[at] = begun[at] ? combine(values[at], x.number(i)) : x.number(i);
    begun[at] = true;
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

/// The position of the first largest element, or of the last one; of the smallest by negation.
template <bool smallest> void import_arg(OperatorContext &c) {
  const int64_t axis = c.axis(c.integer("axis", 0), c.rank(0));
  const NodeId x = c.real_tensor(0);
  const ArgmaxAttrs attributes{axis, c.flag("select_last_index", false)};
  Composer composer = c.composer();
  NodeId position = smallest ? compose::argmin(composer, x, attributes)
                             : c.append(OpKind::argmax, {x}, attributes);
  if (c.flag("keepdims", true)) {
    Shape shape = c.shape(0);
    shape[static_cast<size_t>(axis)] = 1;
    position = c.reshape(position, shape);
  }
  c.result(position, DataType::i64);
}

void import_cumulative_sum(OperatorContext &c) {
  const int64_t axis = c.axis(c.constant_integer(1), c.rank(0));
  c.result(
      c.append(OpKind::cumulative_sum, {c.tensor(0)},
               CumulativeSumAttrs{axis, c.flag("exclusive", false), c.flag("reverse", false)}));
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
      {"ReduceMax", import_reduction<OpKind::reduce_max>, fold_reduction<fold_maximum>},
      {"ReduceMean", import_reduce_mean},
      {"ReduceMin", import_reduction<OpKind::reduce_min>, fold_reduction<fold_minimum>},
      {"ReduceProd", import_reduction<OpKind::reduce_prod>, fold_reduction<multiply>},
      {"ReduceSum", import_reduction<OpKind::reduce_sum>, fold_reduction<add>},
      {"ReduceSumSquare", import_sum_of<OpKind::square>},
  };
  return operators;
}

} // namespace sinter

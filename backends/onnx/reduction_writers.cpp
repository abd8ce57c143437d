// Reductions, their reverse, and what goes along one dimension.

#include "backends/onnx/operator_writers.h"

#include <algorithm>

namespace sinter {

namespace {

bool contains(const std::vector<int64_t> &axes, int64_t axis) {
  return std::find(axes.begin(), axes.end(), axis) != axes.end();
}

std::vector<int64_t> positions_of(const std::vector<int64_t> &axes, const Permutation &order) {
  std::vector<int64_t> result;
  for (const int64_t axis : axes)
    result.push_back(position_of(axis, order));
  std::sort(result.begin(), result.end());
  return result;
}

/// The order that the result of a reduction has: the operand's without the dimensions that are
/// gone.
Permutation reduced_order(const Permutation &order, const ReduceAttrs &reduce) {
  if (reduce.keep_dims)
    return order;
  Permutation result;
  for (const int64_t dimension : order) {
    const auto gone_before = std::count_if(reduce.axes.begin(), reduce.axes.end(),
                                           [&](int64_t axis) { return axis < dimension; });
    if (!contains(reduce.axes, dimension))
      result.push_back(dimension - gone_before);
  }
  return result;
}

/// ReduceSum takes its axes as an operand since opset 13, the others since 18.
void write_reduction(NodeWriter &w, const char *op) {
  const ReduceAttrs &reduce = w.attributes<ReduceAttrs>();
  const Permutation order = w.order_of(0);
  const std::vector<int64_t> axes = positions_of(reduce.axes, order);
  const bool bytes = w.type().element == ElementType::u8;
  const std::string x =
      bytes ? w.cast(w.operand(0, order), onnx_type(ElementType::i32)) : w.operand(0, order);
  const bool sum = w.node().kind == OpKind::reduce_sum;
  onnx::NodeProto &node = sum ? w.add(op, {x, w.integers(axes)}) : w.add(op, {x});
  if (!sum)
    set_integers(node, "axes", axes);
  set_integer(node, "keepdims", reduce.keep_dims ? 1 : 0);
  w.result(bytes ? w.cast(node.output(0), onnx_type(ElementType::u8)) : node.output(0),
           reduced_order(order, reduce));
}

/// What x is repeated to: 1 where a dimension stays as it is.
std::string repeated_shape(NodeWriter &w, const BroadcastAttrs &broadcast) {
  Shape extents;
  for (size_t i = 0; i < broadcast.shape.size(); ++i)
    extents.push_back(contains(broadcast.axes, static_cast<int64_t>(i)) ? broadcast.shape[i] : 1);
  if (extents.empty() || extents[0] != kBatch)
    return w.integers(extents);
  onnx::NodeProto &shape =
      w.add("Concat", {w.batch(), w.integers(Shape(extents.begin() + 1, extents.end()))});
  set_integer(shape, "axis", 0);
  return shape.output(0);
}

void write_broadcast(NodeWriter &w, const char *op) {
  const BroadcastAttrs &broadcast = w.attributes<BroadcastAttrs>();
  const std::string x = w.apply("Unsqueeze", {w.operand(0), w.integers(broadcast.axes)});
  const std::string shape = repeated_shape(w, broadcast);
  std::string result = w.apply(op, {x, shape});
  if (broadcast.mean) {
    onnx::NodeProto &count = w.add("ReduceProd", {shape});
    set_integer(count, "keepdims", 0);
    result = w.apply("Div", {result, w.cast(count.output(0), onnx_type(ElementType::f32))});
  }
  w.result(result);
}

void write_softmax(NodeWriter &w, const char *op) {
  const Permutation order = w.order_of(0);
  onnx::NodeProto &node = w.add(op, {w.operand(0, order)});
  set_integer(node, "axis", position_of(w.type().rank() - 1, order));
  w.result(node.output(0), order);
}

/// A byte has no maximum in every runtime.
std::string ordered_operand(NodeWriter &w) {
  return w.operand_type(0).element == ElementType::u8
             ? w.cast(w.operand(0), onnx_type(ElementType::i32))
             : w.operand(0);
}

void write_argmax(NodeWriter &w, const char *op) {
  const ArgmaxAttrs &argmax = w.attributes<ArgmaxAttrs>();
  onnx::NodeProto &node = w.add(op, {ordered_operand(w)});
  set_integer(node, "axis", argmax.axis);
  set_integer(node, "keepdims", 0);
  set_integer(node, "select_last_index", argmax.last ? 1 : 0);
  w.result(w.cast(node.output(0), onnx_type(ElementType::i32)));
}

void write_cumulative_sum(NodeWriter &w, const char *op) {
  const CumulativeSumAttrs &sum = w.attributes<CumulativeSumAttrs>();
  onnx::NodeProto &node = w.add(op, {ordered_operand(w), w.integers(Shape{}, {sum.axis})});
  set_integer(node, "exclusive", sum.exclusive ? 1 : 0);
  set_integer(node, "reverse", sum.reverse ? 1 : 0);
  w.result(w.type().element == ElementType::u8 ? w.cast(node.output(0), onnx_type(ElementType::u8))
                                               : node.output(0));
}

void write_top_k_indices(NodeWriter &w, const char *op) {
  const TopKAttrs &top = w.attributes<TopKAttrs>();
  onnx::NodeProto &node = w.add(op, {ordered_operand(w), w.integers({top.k})});
  set_integer(node, "axis", top.axis);
  set_integer(node, "largest", top.smallest ? 0 : 1);
  node.add_output(w.message().unique_name(node.output(0)));
  w.result(w.cast(node.output(1), onnx_type(ElementType::i32)));
}

/// The average over windows along the channels, times their size: padding counts as zeros. All
/// dimensions but the first and the channels become one.
void write_channel_sum(NodeWriter &w, const char *) {
  const ChannelSumAttrs &reach = w.attributes<ChannelSumAttrs>();
  const Permutation order = w.order_of(0);
  const Shape &shape = w.type().shape;
  const int64_t channels = shape.back();
  const bool first = order != identity_order(w.type().rank());
  const int64_t leading = shape.size() > 1 ? shape[0] : 1;
  const int64_t size = reach.before + reach.after + 1;
  const std::string plane =
      w.reshape(w.operand(0, order), first ? Shape{leading, 1, channels, kAllOthers}
                                           : Shape{leading, 1, kAllOthers, channels});
  onnx::NodeProto &mean = w.add("AveragePool", {plane});
  set_integers(mean, "kernel_shape", first ? Shape{size, 1} : Shape{1, size});
  set_integers(mean, "pads",
               first ? Shape{reach.before, 0, reach.after, 0}
                     : Shape{0, reach.before, 0, reach.after});
  set_integer(mean, "count_include_pad", 1);
  const std::string sum = w.apply("Mul", {mean.output(0), w.real(static_cast<float>(size))});
  w.result(w.reshape(sum, permuted(shape, order)), order);
}

} // namespace

const OperatorWriters &reduction_writers() {
  static const OperatorWriters writers = {
      {OpKind::reduce_sum, {write_reduction, "ReduceSum"}},
      {OpKind::reduce_mean, {write_reduction, "ReduceMean"}},
      {OpKind::reduce_max, {write_reduction, "ReduceMax"}},
      {OpKind::reduce_min, {write_reduction, "ReduceMin"}},
      {OpKind::reduce_prod, {write_reduction, "ReduceProd"}},
      {OpKind::broadcast, {write_broadcast, "Expand"}},
      {OpKind::softmax, {write_softmax, "Softmax"}},
      {OpKind::argmax, {write_argmax, "ArgMax"}},
      {OpKind::cumulative_sum, {write_cumulative_sum, "CumSum"}},
      {OpKind::top_k_indices, {write_top_k_indices, "TopK"}},
      {OpKind::channel_sum, {write_channel_sum}},
  };
  return writers;
}

} // namespace sinter

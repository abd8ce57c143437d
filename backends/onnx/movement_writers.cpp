// The same elements elsewhere.

#include "backends/onnx/operator_writers.h"

namespace sinter {

namespace {

void write_reshape(NodeWriter &w, const char *) {
  w.result(w.reshape(w.operand(0), w.type().shape));
}

void write_transpose(NodeWriter &w, const char *) {
  w.result_is_transposed(w.attributes<TransposeAttrs>().permutation);
}

/// `count` values between the elements of a dimension: they become rows that are padded behind and
/// then put one after the other. A last row's padding is cut off by the caller.
std::string spread(NodeWriter &w, const std::string &x, Shape &extents, size_t d, int64_t count,
                   const std::string &value) {
  const auto after = static_cast<int64_t>(d) + 1;
  const std::string rows = w.apply("Unsqueeze", {x, w.integers({after})});
  std::vector<int64_t> pads(2 * (extents.size() + 1), 0);
  pads[extents.size() + 1 + d + 1] = count;
  const std::string padded = w.apply("Pad", {rows, w.integers(pads), value});
  extents[d] *= count + 1;
  return w.reshape(padded, extents);
}

/// Negative amounts cut off what follows the last element of a spread dimension.
void write_pad(NodeWriter &w, const char *op) {
  const PadAttrs &pad = w.attributes<PadAttrs>();
  const Permutation order = w.any_order();
  const std::string value = w.constant({w.type().element, {}, 0}, {pad.value});
  std::string x = w.operand(0, order);
  Shape extents = permuted(w.operand_type(0).shape, order);
  std::vector<int64_t> low = permuted(pad.low, order);
  std::vector<int64_t> high = permuted(pad.high, order);
  const std::vector<int64_t> interior =
      pad.interior.empty() ? std::vector<int64_t>(order.size(), 0) : permuted(pad.interior, order);
  for (size_t d = 0; d < order.size(); ++d)
    if (interior[d] > 0) {
      x = spread(w, x, extents, d, interior[d], value);
      high[d] -= interior[d];
    }
  low.insert(low.end(), high.begin(), high.end());
  w.result(w.apply(op, {x, w.integers(low), value}), order);
}

/// Only the dimensions of which something is left out.
void write_slice(NodeWriter &w, const char *op) {
  const SliceAttrs &slice = w.attributes<SliceAttrs>();
  const Permutation order = w.any_order();
  std::vector<int64_t> begin, end, axes, step;
  for (size_t d = 0; d < slice.begin.size(); ++d) {
    const int64_t stride = slice.step.empty() ? 1 : slice.step[d];
    if (slice.begin[d] == 0 && slice.end[d] == w.operand_type(0).shape[d] && stride == 1)
      continue;
    begin.push_back(slice.begin[d]);
    end.push_back(slice.end[d]);
    axes.push_back(position_of(static_cast<int64_t>(d), order));
    step.push_back(stride);
  }
  if (axes.empty())
    return w.result_is_transposed(identity_order(w.type().rank()));
  w.result(w.apply(op, {w.operand(0, order), w.integers(begin), w.integers(end), w.integers(axes),
                        w.integers(step)}),
           order);
}

/// A slice from the last element to before the first.
void write_reverse(NodeWriter &w, const char *op) {
  const std::vector<int64_t> &axes = w.attributes<ReverseAttrs>().axes;
  if (axes.empty())
    return w.result_is_transposed(identity_order(w.type().rank()));
  const std::vector<int64_t> minus_one(axes.size(), -1);
  std::vector<int64_t> end;
  for (const int64_t axis : axes)
    end.push_back(-w.type().shape[static_cast<size_t>(axis)] - 1);
  w.result(w.apply(op, {w.operand(0), w.integers(minus_one), w.integers(end), w.integers(axes),
                        w.integers(minus_one)}));
}

void write_concat(NodeWriter &w, const char *op) {
  const Permutation order = w.any_order();
  std::vector<std::string> parts;
  for (size_t i = 0; i < w.operand_count(); ++i)
    parts.push_back(w.operand(i, order));
  onnx::NodeProto &node = w.add(op, parts);
  set_integer(node, "axis", position_of(w.attributes<AxisAttrs>().axis, order));
  w.result(node.output(0), order);
}

void write_gather(NodeWriter &w, const char *op) {
  onnx::NodeProto &node = w.add(op, {w.operand(0), w.operand(1)});
  set_integer(node, "axis", w.attributes<AxisAttrs>().axis);
  w.result(node.output(0));
}

/// Takes all that the table names, then adds up the taps of each position.
void write_resample(NodeWriter &w, const char *op) {
  const ResampleAttrs &table = w.attributes<ResampleAttrs>();
  const Permutation order = w.any_order();
  const int64_t axis = position_of(table.axis, order);
  onnx::NodeProto &taken = w.add(op, {w.operand(0, order), w.integers(table.indices)});
  set_integer(taken, "axis", axis);
  if (table.taps == 1 && table.weights.empty())
    return w.result(taken.output(0), order);
  Shape extents = permuted(w.type().shape, order);
  const int64_t count = extents[static_cast<size_t>(axis)];
  extents.insert(extents.begin() + axis + 1, table.taps);
  std::string taps = w.reshape(taken.output(0), extents);
  if (!table.weights.empty()) {
    Shape shape(extents.size() - static_cast<size_t>(axis), 1);
    shape[0] = count;
    shape[1] = table.taps;
    taps = w.apply("Mul", {taps, w.reals(shape, table.weights)});
  }
  onnx::NodeProto &sum = w.add("ReduceSum", {taps, w.integers({axis + 1})});
  set_integer(sum, "keepdims", 0);
  w.result(sum.output(0), order);
}

} // namespace

const OperatorWriters &movement_writers() {
  static const OperatorWriters writers = {
      {OpKind::reshape, {write_reshape}},
      {OpKind::transpose, {write_transpose}},
      {OpKind::pad, {write_pad, "Pad"}},
      {OpKind::slice, {write_slice, "Slice"}},
      {OpKind::reverse, {write_reverse, "Slice"}},
      {OpKind::concat, {write_concat, "Concat"}},
      {OpKind::gather, {write_gather, "Gather"}},
      {OpKind::gather_elements, {write_gather, "GatherElements"}},
      {OpKind::resample, {write_resample, "Gather"}},
  };
  return writers;
}

} // namespace sinter

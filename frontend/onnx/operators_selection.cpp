// Elements chosen by position.

#include "frontend/onnx/building.h"
#include "frontend/onnx/operator_table.h"
#include "ir/strided_view.h"

#include <algorithm>

namespace sinter {

namespace {

/// Positions along an extent, counted from the end when negative.
std::vector<int64_t> positions_of(const OperatorContext &c, size_t operand, int64_t extent) {
  std::vector<int64_t> positions = c.constant_integers(operand);
  for (int64_t &position : positions) {
    c.require(position >= -extent && position < extent, "takes element {} of {}", position, extent);
    position += position < 0 ? extent : 0;
  }
  return positions;
}

/// The shape of `x` with the dimension at `axis` replaced by those of the positions.
Shape gathered_shape(const Shape &x, int64_t axis, const Shape &positions) {
  Shape shape(x.begin(), x.begin() + axis);
  shape.insert(shape.end(), positions.begin(), positions.end());
  shape.insert(shape.end(), x.begin() + axis + 1, x.end());
  return shape;
}

void import_gather(OperatorContext &c) {
  const Shape x = c.shape(0);
  const int64_t axis = c.axis(c.integer("axis", 0), c.rank(0));
  const int64_t extent = x[static_cast<size_t>(axis)];
  c.require(extent != kBatch, "takes samples out of the batch");
  if (!c.is_constant(1)) {
    const NodeId indices = c.cast(c.tensor(1), ElementType::i32);
    return c.result(c.append(OpKind::gather, {c.tensor(0), indices}, AxisAttrs{axis}));
  }
  const NodeId taken = select_axis(c, c.tensor(0), axis, positions_of(c, 1, extent));
  c.result(c.reshape(taken, gathered_shape(x, axis, c.shape(1))));
}

bool fold_gather(OperatorContext &c) {
  const HostTensor &x = c.constant(0);
  const int64_t axis = c.axis(c.integer("axis", 0), c.rank(0));
  const auto along = static_cast<size_t>(axis);
  const std::vector<int64_t> positions = positions_of(c, 1, x.shape[along]);
  const Shape shape = gathered_shape(x.shape, axis, c.shape(1));
  if (!can_fold(shape))
    return false;
  const std::vector<int64_t> strides = row_major_strides(x.shape);
  const int64_t inner = strides[along];
  const int64_t outer = x.size() / std::max<int64_t>(1, inner * x.shape[along]);
  std::vector<int64_t> indices;
  for (int64_t before = 0; before < outer; ++before)
    for (int64_t position : positions)
      for (int64_t after = 0; after < inner; ++after)
        indices.push_back((before * x.shape[along] + position) * inner + after);
  c.result(select_elements(x, shape, indices));
  return true;
}

void import_gather_elements(OperatorContext &c) {
  const int64_t axis = c.axis(c.integer("axis", 0), c.rank(0));
  const NodeId indices = c.cast(c.tensor(1), ElementType::i32);
  c.result(c.append(OpKind::gather_elements, {c.tensor(0), indices}, AxisAttrs{axis}));
}

void import_top_k(OperatorContext &c) {
  const int64_t axis = c.axis(c.integer("axis", -1), c.rank(0));
  const auto count = c.has_operand(1) ? c.constant_integer(1) : c.integer("k", 0);
  const NodeId x = c.tensor(0);
  Composer composer = c.composer();
  const compose::TopK top =
      compose::top_k(composer, x, TopKAttrs{axis, count, !c.flag("largest", true)});
  c.result(top.values);
  c.result(top.indices, DataType::i64, 1);
}

/// `on` at the position, `off` elsewhere; positions are counted from the end when negative.
void import_one_hot(OperatorContext &c) {
  const auto depth = c.constant_integer(1);
  const int rank = c.rank(0) + 1;
  const auto axis = c.axis(c.integer("axis", -1), rank);
  c.require(c.shape(2) == Shape{2}, "expects two values, got {}", str(c.shape(2)));
  c.require(depth >= 1 && depth <= kMaxElements, "has depth {}", depth);
  const NodeId x = c.real_tensor(0);
  const NodeId shifted = c.append(OpKind::affine, {x}, AffineAttrs{1, static_cast<float>(depth)});
  const NodeId negative = c.append(OpKind::greater, {c.scalar(0), x});
  const NodeId position =
      c.cast(c.append(OpKind::select, {negative, shifted, x}), ElementType::i32);
  const NodeId hot = c.append(OpKind::one_hot, {position}, OneHotAttrs{depth});
  const NodeId values = c.tensor(2);
  NodeId result = c.append(OpKind::select, {c.cast(hot, ElementType::u8),
                                            c.reshape(slice_axis(c, values, 0, 1, 1), {}),
                                            c.reshape(slice_axis(c, values, 0, 0, 1), {})});
  std::vector<int64_t> permutation;
  for (int i = 0; i + 1 < rank; ++i)
    permutation.push_back(i);
  permutation.insert(permutation.begin() + axis, rank - 1);
  result = c.transpose(result, permutation);
  c.result(result, c.type(2));
}

compose::PadMode pad_mode(const OperatorContext &c, const std::string &mode) {
  if (mode == "edge")
    return compose::PadMode::edge;
  if (mode == "wrap")
    return compose::PadMode::wrap;
  c.require(mode == "reflect", "has mode '{}'", mode);
  return compose::PadMode::reflect;
}

/// One {before, after} a dimension: attributes before opset 11; for some axes only since 18.
/// A negative number cuts elements off.
std::vector<std::array<int64_t, 2>> given_pads(const OperatorContext &c) {
  const int rank = c.rank(0);
  std::vector<int64_t> pads = c.has_operand(1)          ? c.constant_integers(1)
                              : c.has_attribute("pads") ? c.integers("pads")
                                                        : c.integers("paddings");
  const std::vector<int64_t> axes =
      c.has_operand(3) ? c.constant_integers(3) : compose::axes_between(0, rank);
  c.require(pads.size() == 2 * axes.size(), "expects {} pads, got {}", 2 * axes.size(),
            pads.size());
  std::vector<std::array<int64_t, 2>> result(static_cast<size_t>(rank), {0, 0});
  for (size_t i = 0; i < axes.size(); ++i) {
    const int64_t before = pads[i];
    const int64_t after = pads[axes.size() + i];
    constexpr int64_t kMost = kMaxElements / 4;
    c.require(std::min(before, after) >= -kMost && std::max(before, after) <= kMost,
              "pads by {} and {}", before, after);
    result[static_cast<size_t>(c.axis(axes[i], rank))] = {before, after};
  }
  return result;
}

void import_pad(OperatorContext &c) {
  const std::vector<std::array<int64_t, 2>> pads = given_pads(c);
  const std::string mode = c.text("mode", "constant");
  NodeId x = c.tensor(0);
  PadAttrs attributes;
  for (size_t i = 0; i < pads.size(); ++i) {
    const int64_t extent = c.shape_of(x)[i];
    const auto axis = static_cast<int64_t>(i);
    const auto [before, after] = pads[i];
    attributes.low.push_back(std::max<int64_t>(0, before));
    attributes.high.push_back(std::max<int64_t>(0, after));
    if (before == 0 && after == 0)
      continue;
    c.require(extent != kBatch, "pads the batch");
    const int64_t begin = std::max<int64_t>(0, -before);
    const int64_t count = extent - begin - std::max<int64_t>(0, -after);
    c.require(count >= 1, "cuts all {} elements off", extent);
    x = slice_axis(c, x, axis, begin, count);
    c.require(mode == "constant" || attributes.low[i] + count + attributes.high[i] <= kLongestTable,
              "pads {} elements by {} and {}", count, before, after);
  }
  if (mode == "constant") {
    attributes.value =
        c.has_operand(2) ? static_cast<float>(c.constant_number(2)) : c.real("value", 0);
    return c.result(c.append(OpKind::pad, {x}, attributes));
  }
  Composer composer = c.composer();
  c.result(compose::pad(composer, x, pad_mode(c, mode), attributes.low, attributes.high));
}

/// The triangle above or below a diagonal; the rest becomes 0.
void import_triangle(OperatorContext &c) {
  const Shape shape = c.shape(0);
  c.require(shape.size() >= 2 && shape[shape.size() - 2] != kBatch, "expects matrices, got {}",
            str(shape));
  const auto diagonal = c.has_operand(1) ? c.constant_integer(1) : 0;
  const bool upper = c.flag("upper", true);
  const Shape matrix(shape.end() - 2, shape.end());
  c.require(matrix[0] * matrix[1] <= kMaxFoldedElements, "has matrices of {}", str(matrix));
  std::vector<int64_t> mask;
  for (int64_t row = 0; row < matrix[0]; ++row)
    for (int64_t column = 0; column < matrix[1]; ++column)
      mask.push_back(upper ? column - row >= diagonal : column - row <= diagonal);
  const NodeId kept =
      c.constant_node(HostTensor::of_integers(matrix, std::move(mask), DataType::boolean));
  const NodeId zero =
      c.constant_node(is_float(c.type(0)) ? HostTensor::of_floats({}, {0})
                                          : HostTensor::of_integers({}, {0}, c.type(0)));
  c.result(c.append(OpKind::select, {kept, c.tensor(0), zero}));
}

} // namespace

const OnnxOperators &onnx_selection_operators() {
  static const OnnxOperators operators = {
      {"Gather", import_gather, fold_gather},
      {"GatherElements", import_gather_elements},
      {"OneHot", import_one_hot},
      {"Pad", import_pad},
      {"TopK", import_top_k},
      {"Trilu", import_triangle},
  };
  return operators;
}

} // namespace sinter

// Elements moved, repeated, cut and joined.

#include "frontend/onnx/building.h"
#include "frontend/onnx/operator_table.h"
#include "ir/strided_view.h"

#include <algorithm>
#include <numeric>

namespace sinter {

namespace {

std::vector<int64_t> transpose_permutation(const OperatorContext &c) {
  const int rank = c.rank(0);
  std::vector<int64_t> reversed(static_cast<size_t>(rank));
  std::iota(reversed.rbegin(), reversed.rend(), 0);
  std::vector<int64_t> permutation = c.integers("perm", reversed);
  c.require(static_cast<int>(c.axes(permutation, rank).size()) == rank,
            "expects a permutation of {} axes, got {}", rank, str(permutation));
  return permutation;
}

void import_transpose(OperatorContext &c) {
  c.result(c.transpose(c.tensor(0), transpose_permutation(c)));
}

bool fold_transpose(OperatorContext &c) {
  c.result(transposed(c.constant(0), transpose_permutation(c)));
  return true;
}

int64_t concat_axis(const OperatorContext &c) { return c.axis(c.integer("axis", 1), c.rank(0)); }

void import_concat(OperatorContext &c) {
  std::vector<NodeId> parts;
  for (size_t i = 0; i < c.operand_count(); ++i)
    if (!c.is_constant(i) || c.constant(i).size() > 0) // an empty part adds nothing
      parts.push_back(c.tensor(i));
  c.require(!parts.empty(), "joins nothing");
  c.result(concat_nodes(c, std::move(parts), concat_axis(c)));
}

/// Along the first dimension, as shapes are put together; other folded joins have no use.
bool fold_concat(OperatorContext &c) {
  if (concat_axis(c) != 0)
    return false;
  HostTensor joined = c.constant(0);
  std::vector<float> floats;
  joined.shape[0] = 0;
  joined.integers.clear();
  for (size_t i = 0; i < c.operand_count(); ++i) {
    const HostTensor &part = c.constant(i);
    const bool fits =
        part.type == joined.type && part.rank() == joined.rank() &&
        std::equal(part.shape.begin() + 1, part.shape.end(), joined.shape.begin() + 1);
    c.require(fits, "cannot join {} and {}", str(joined.shape), str(part.shape));
    joined.shape[0] += part.shape[0];
    joined.integers.insert(joined.integers.end(), part.integers.begin(), part.integers.end());
    if (part.holds_floats())
      floats.insert(floats.end(), part.floats->begin(), part.floats->end());
  }
  if (joined.holds_floats())
    joined = HostTensor::of_floats(joined.shape, std::move(floats), joined.type);
  c.result(std::move(joined));
  return true;
}

/// The extents of the parts along an axis: an attribute, an operand since opset 13, or equal ones,
/// of which the last may be smaller (num_outputs, opset 18).
std::vector<int64_t> split_extents(const OperatorContext &c, int64_t extent) {
  c.require(extent != kBatch, "cannot split the batch");
  std::vector<int64_t> extents = c.has_operand(1) ? c.constant_integers(1) : c.integers("split");
  if (extents.empty()) {
    const auto count = static_cast<int64_t>(c.result_count());
    const int64_t each = (extent + count - 1) / count;
    for (int64_t begin = 0; begin < extent; begin += each)
      extents.push_back(std::min(each, extent - begin));
  }
  const bool positive = std::all_of(extents.begin(), extents.end(),
                                    [&](int64_t part) { return part > 0 && part <= extent; });
  c.require(positive && extents.size() == c.result_count() &&
                std::accumulate(extents.begin(), extents.end(), int64_t{0}) == extent,
            "cannot split an extent of {} into {} parts of {}", extent, c.result_count(),
            str(extents));
  return extents;
}

void import_split(OperatorContext &c) {
  const int64_t axis = c.axis(c.integer("axis", 0), c.rank(0));
  const std::vector<int64_t> extents = split_extents(c, c.shape(0)[static_cast<size_t>(axis)]);
  int64_t begin = 0;
  for (size_t i = 0; i < extents.size(); ++i) {
    c.result(slice_axis(c, c.tensor(0), axis, begin, extents[i]), i);
    begin += extents[i];
  }
}

bool fold_split(OperatorContext &c) {
  const HostTensor &x = c.constant(0);
  const int64_t axis = c.axis(c.integer("axis", 0), c.rank(0));
  const auto along = static_cast<size_t>(axis);
  const std::vector<int64_t> extents = split_extents(c, x.shape[along]);
  const std::vector<int64_t> strides = row_major_strides(x.shape);
  int64_t offset = 0;
  for (size_t i = 0; i < extents.size(); ++i) {
    Shape shape = x.shape;
    shape[along] = extents[i];
    c.result(strided_copy(x, shape, strides, offset), i);
    offset += extents[i] * strides[along];
  }
  return true;
}

/// What Slice takes of one dimension: begin, begin + step, ... (count times).
struct Cut {
  int64_t begin = 0;
  int64_t count = 0;
  int64_t step = 1;
};

/// NumPy's rules: negative positions count from the end, and all are clipped.
Cut cut_of(const OperatorContext &c, int64_t start, int64_t end, int64_t step, int64_t extent) {
  c.require(step != 0, "has a step of 0");
  c.require(start != kSymbolicBatch && end != kSymbolicBatch, "computes with the batch");
  const int64_t lowest = step > 0 ? 0 : -1;
  const int64_t highest = step > 0 ? extent : extent - 1;
  const auto clipped = [&](int64_t position) {
    return std::clamp(position < 0 ? position + extent : position, lowest, highest);
  };
  const int64_t from = clipped(start);
  const int64_t to = clipped(end);
  const int64_t distance = step > 0 ? to - from : from - to;
  // A step beyond the extent takes one element; so large a number must not be negated.
  const int64_t stride = std::clamp(step, -(extent + 1), extent + 1);
  const int64_t size = stride < 0 ? -stride : stride;
  return {from, distance <= 0 ? 0 : (distance + size - 1) / size, stride};
}

/// One cut a dimension. starts, ends, axes and steps are attributes before opset 10.
std::vector<Cut> slice_cuts(const OperatorContext &c) {
  const Shape x = c.shape(0);
  const bool operands = c.has_operand(1);
  const auto starts = operands ? c.constant_integers(1) : c.integers("starts");
  const auto ends = operands ? c.constant_integers(2) : c.integers("ends");
  const auto all = compose::axes_between(0, static_cast<int64_t>(starts.size()));
  const auto axes = c.has_operand(3) ? c.constant_integers(3) : c.integers("axes", all);
  std::vector<int64_t> steps(starts.size(), 1);
  if (c.has_operand(4))
    steps = c.constant_integers(4);
  c.require(ends.size() == starts.size() && axes.size() == starts.size() &&
                steps.size() == starts.size(),
            "has {} starts, {} ends, {} axes and {} steps", starts.size(), ends.size(), axes.size(),
            steps.size());
  std::vector<Cut> cuts(x.size());
  for (size_t i = 0; i < x.size(); ++i)
    cuts[i].count = x[i];
  for (size_t i = 0; i < starts.size(); ++i) {
    const auto axis = static_cast<size_t>(c.axis(axes[i], static_cast<int>(x.size())));
    const bool whole = starts[i] == 0 && steps[i] == 1 && ends[i] >= kMaxElements;
    c.require(x[axis] != kBatch || whole, "cannot cut the batch");
    if (x[axis] != kBatch)
      cuts[axis] = cut_of(c, starts[i], ends[i], steps[i], x[axis]);
  }
  return cuts;
}

void import_slice(OperatorContext &c) {
  const Shape x = c.shape(0);
  const std::vector<Cut> cuts = slice_cuts(c);
  ReverseAttrs backwards;
  SliceAttrs slice;
  for (size_t i = 0; i < cuts.size(); ++i) {
    Cut cut = cuts[i];
    c.require(cut.count != 0, "leaves nothing of dimension {} of {}", i, str(x));
    if (cut.step < 0) {
      backwards.axes.push_back(static_cast<int64_t>(i));
      cut.begin = x[i] - 1 - cut.begin;
      cut.step = -cut.step;
    }
    slice.begin.push_back(cut.begin);
    slice.end.push_back(x[i] == kBatch ? kBatch : cut.begin + (cut.count - 1) * cut.step + 1);
    slice.step.push_back(x[i] == kBatch ? 1 : cut.step);
  }
  NodeId result = c.tensor(0);
  if (!backwards.axes.empty())
    result = c.append(OpKind::reverse, {result}, backwards);
  const SliceAttrs whole{std::vector<int64_t>(x.size(), 0), x, std::vector<int64_t>(x.size(), 1)};
  c.result(equal_fields(slice, whole) ? result : c.append(OpKind::slice, {result}, slice));
}

bool fold_slice(OperatorContext &c) {
  const HostTensor &x = c.constant(0);
  const std::vector<Cut> cuts = slice_cuts(c);
  std::vector<int64_t> strides = row_major_strides(x.shape);
  Shape shape;
  int64_t offset = 0;
  for (size_t i = 0; i < cuts.size(); ++i) {
    shape.push_back(cuts[i].count);
    offset += cuts[i].count > 0 ? cuts[i].begin * strides[i] : 0;
    strides[i] *= cuts[i].step;
  }
  c.result(strided_copy(x, std::move(shape), strides, offset));
  return true;
}

/// Expand's shape may have extents of 1 where x has others.
Shape expand_shape(const OperatorContext &c) {
  std::vector<int64_t> target = c.constant_integers(1);
  std::replace(target.begin(), target.end(), kSymbolicBatch, kBatch);
  return common_shape(c, {c.shape(0), target});
}

void import_expand(OperatorContext &c) {
  c.result(broadcast_node(c, c.tensor(0), expand_shape(c)));
}

bool fold_expand(OperatorContext &c) {
  const Shape shape = expand_shape(c);
  if (!can_fold(shape))
    return false;
  c.result(broadcast_to(c.constant(0), shape));
  return true;
}

/// Whole copies one after the other in each dimension.
void import_tile(OperatorContext &c) {
  const std::vector<int64_t> repeats = c.constant_integers(1);
  Shape shape = c.shape(0);
  c.require(repeats.size() == shape.size(), "expects {} repeats, got {}", shape.size(),
            repeats.size());
  for (size_t i = 0; i < shape.size(); ++i) {
    c.require(repeats[i] >= 1 && repeats[i] <= kMaxElements, "repeats {} times", repeats[i]);
    c.require(repeats[i] == 1 || shape[i] != kBatch, "cannot repeat the batch");
    shape[i] *= repeats[i];
  }
  c.require(checked_element_count(shape).has_value(), "makes {}, beyond what a tensor may have",
            str(shape));
  const NodeId x = c.tensor(0);
  Composer composer = c.composer();
  c.result(compose::tile(composer, x, repeats));
}

/// [n, c, h, w] as [n, b, b, c', h, w] or [n, c', b, b, h, w], blocks moved behind h and w.
void import_depth_to_space(OperatorContext &c) {
  const Shape x = c.shape(0);
  const int64_t block = c.integer("blocksize", 0);
  c.require(x.size() == 4 && block >= 1 && block <= x[1] && x[1] % (block * block) == 0,
            "expects [n, c, h, w] with channels in multiples of {}^2, got {}", block, str(x));
  const int64_t channels = x[1] / (block * block);
  const bool depth_first = c.text("mode", "DCR") == "DCR";
  const Shape apart = depth_first ? Shape{x[0], block, block, channels, x[2], x[3]}
                                  : Shape{x[0], channels, block, block, x[2], x[3]};
  const std::vector<int64_t> permutation =
      depth_first ? std::vector<int64_t>{0, 3, 4, 1, 5, 2} : std::vector<int64_t>{0, 1, 4, 2, 5, 3};
  const NodeId moved = c.transpose(c.reshape(c.tensor(0), apart), permutation);
  c.result(c.reshape(moved, {x[0], channels, x[2] * block, x[3] * block}));
}

/// [n, c, h', b, w', b] with the blocks moved in front of the channels.
void import_space_to_depth(OperatorContext &c) {
  const Shape x = c.shape(0);
  const int64_t block = c.integer("blocksize", 0);
  c.require(x.size() == 4 && block >= 1 && x[2] % block == 0 && x[3] % block == 0,
            "expects [n, c, h, w] with extents in multiples of {}, got {}", block, str(x));
  const int64_t height = x[2] / block;
  const int64_t width = x[3] / block;
  const NodeId apart = c.reshape(c.tensor(0), {x[0], x[1], height, block, width, block});
  const NodeId moved = c.transpose(apart, {0, 3, 5, 1, 2, 4});
  c.result(c.reshape(moved, {x[0], x[1] * block * block, height, width}));
}

} // namespace

const OnnxOperators &onnx_movement_operators() {
  static const OnnxOperators operators = {
      {"Concat", import_concat, fold_concat},
      {"DepthToSpace", import_depth_to_space},
      {"Expand", import_expand, fold_expand},
      {"Slice", import_slice, fold_slice},
      {"SpaceToDepth", import_space_to_depth},
      {"Split", import_split, fold_split},
      {"Tile", import_tile},
      {"Transpose", import_transpose, fold_transpose},
  };
  return operators;
}

} // namespace sinter

// The same elements elsewhere.

#include "ir/ops/compute.h"
#include "ir/ops/rules.h"
#include "ir/permutation.h"

namespace sinter {

namespace {

TensorType reshape_type(const TypeContext &context) {
  require_row_major(context, 0);
  const TensorType &x = context.operand(0);
  const Shape &shape = context.attrs<ReshapeAttrs>().shape;
  require_countable(context, shape, "shape");
  TensorType result{x.element, shape, 0};
  require(context, x.batched() == result.batched() && x.elements() == result.elements(),
          "cannot turn {} into {}: {} elements are not {}", str(x.shape), str(shape), x.elements(),
          result.elements());
  return result;
}

TensorType transpose_type(const TypeContext &context) {
  require_row_major(context, 0);
  const TensorType &x = context.operand(0);
  const std::vector<int64_t> &permutation = context.attrs<TransposeAttrs>().permutation;
  require(context, permutation.size() == x.shape.size(), "expects a permutation of {} axes, got {}",
          x.shape.size(), permutation.size());
  std::vector<bool> taken(x.shape.size());
  TensorType result{x.element, {}, 0};
  for (int64_t axis : permutation) {
    require_axis(context, axis, x.rank());
    const auto i = static_cast<size_t>(axis);
    require(context, !taken[i], "has axis {} twice in its permutation", axis);
    taken[i] = true;
    result.shape.push_back(x.shape[i]);
  }
  require(context, !x.batched() || permutation[0] == 0, "would move the batch of {} to axis {}",
          str(x.shape), x.batched() ? permutation[0] : 0);
  return result;
}

TensorType pad_type(const TypeContext &context) {
  const auto &attrs = context.attrs<PadAttrs>();
  TensorType type = require_row_major(context, 0);
  const size_t rank = type.shape.size();
  require(context, attrs.low.size() == rank && attrs.high.size() == rank,
          "expects padding for {} dimensions, got {} and {}", rank, attrs.low.size(),
          attrs.high.size());
  require(context, attrs.interior.empty() || attrs.interior.size() == rank,
          "expects interior padding for {} dimensions, got {}", rank, attrs.interior.size());
  for (size_t i = 0; i < rank; ++i) {
    const int64_t low = attrs.low[i];
    const int64_t high = attrs.high[i];
    const int64_t interior = attrs.interior.empty() ? 0 : attrs.interior[i];
    for (int64_t padding : {low, high, interior})
      require(context, padding >= 0 && padding <= kMaxElements,
              "expects padding of at least 0, got {}", padding);
    require(context, type.shape[i] != kBatch || (low == 0 && high == 0 && interior == 0),
            "would pad the batch by {} and {}", low, high);
    if (type.shape[i] != kBatch)
      type.shape[i] += low + high + (type.shape[i] - 1) * interior;
  }
  return type;
}

TensorType slice_type(const TypeContext &context) {
  const auto &attrs = context.attrs<SliceAttrs>();
  TensorType type = require_row_major(context, 0);
  const size_t rank = type.shape.size();
  require(context, attrs.begin.size() == rank && attrs.end.size() == rank,
          "expects bounds for {} dimensions, got {} and {}", rank, attrs.begin.size(),
          attrs.end.size());
  require(context, attrs.step.empty() || attrs.step.size() == rank,
          "expects steps for {} dimensions, got {}", rank, attrs.step.size());
  for (size_t i = 0; i < rank; ++i) {
    const int64_t begin = attrs.begin[i];
    const int64_t end = attrs.end[i];
    const int64_t step = attrs.step.empty() ? 1 : attrs.step[i];
    int64_t &extent = type.shape[i];
    require(context, step >= 1, "expects steps of at least 1, got {}", step);
    const bool whole_batch = begin == 0 && end == kBatch && step == 1;
    const bool inside = begin >= 0 && begin < end && end <= extent;
    require(context, extent == kBatch ? whole_batch : inside,
            "[{}, {}) does not fit dimension {} of {}", begin, end, i,
            str(context.operand(0).shape));
    if (extent != kBatch)
      extent = (end - begin - 1) / step + 1;
  }
  return type;
}

TensorType reverse_type(const TypeContext &context) {
  const std::vector<int64_t> &axes = context.attrs<ReverseAttrs>().axes;
  require_axes(context, axes, context.operand(0).rank());
  for (int64_t axis : axes)
    require_static_axis(context, axis);
  return require_row_major(context, 0);
}

TensorType concat_type(const TypeContext &context) {
  const int64_t axis = context.attrs<AxisAttrs>().axis;
  TensorType result = context.operand(0);
  require_axis(context, axis, result.rank());
  const auto along = static_cast<size_t>(axis);
  require(context, result.shape[along] != kBatch, "would join batches of {}", str(result.shape));
  require_row_major(context, 0);
  for (size_t i = 1; i < context.operands.size(); ++i) {
    TensorType other = context.operand(i);
    const int64_t extent = other.rank() == result.rank() ? other.shape[along] : 0;
    if (extent > 0)
      other.shape[along] = context.operand(0).shape[along];
    require(context, extent > 0 && other == context.operand(0),
            "expects operands that differ along axis {} only, got {} and {}", axis,
            context.operand(0).str(), context.operand(i).str());
    result.shape[along] += extent;
  }
  return result;
}

// dx = dy in x's shape
void differentiate_reshape(GradientBuilder &g) {
  g.add_to_input(0, g.append(OpKind::reshape, {g.dy()}, ReshapeAttrs{g.type(g.x(0)).shape}));
}

// dx = dy under the inverse permutation
void differentiate_transpose(GradientBuilder &g) {
  const TransposeAttrs back{inverse(g.attrs<TransposeAttrs>().permutation)};
  g.add_to_input(0, g.append(OpKind::transpose, {g.dy()}, back));
}

// dx = dy without the padding
void differentiate_pad(GradientBuilder &g) {
  const PadAttrs attrs = g.attrs<PadAttrs>();
  const Shape x = g.type(g.x(0)).shape;
  SliceAttrs slice{attrs.low, x, {}};
  if (!attrs.interior.empty())
    slice.step.assign(x.size(), 1);
  for (size_t i = 0; i < x.size(); ++i) {
    if (x[i] == kBatch)
      continue;
    const int64_t step = attrs.interior.empty() ? 1 : attrs.interior[i] + 1;
    slice.end[i] = attrs.low[i] + (x[i] - 1) * step + 1;
    if (!attrs.interior.empty())
      slice.step[i] = step;
  }
  g.add_to_input(0, g.append(OpKind::slice, {g.dy()}, slice));
}

// dx = dy with zeros where x was left out
void differentiate_slice(GradientBuilder &g) {
  const SliceAttrs attrs = g.attrs<SliceAttrs>();
  const Shape x = g.type(g.x(0)).shape;
  const Shape y = g.node().type.shape;
  PadAttrs pad{attrs.begin, std::vector<int64_t>(x.size(), 0), 0, {}};
  for (int64_t step : attrs.step)
    pad.interior.push_back(step - 1);
  for (size_t i = 0; i < x.size(); ++i) {
    const int64_t step = attrs.step.empty() ? 1 : attrs.step[i];
    if (x[i] != kBatch)
      pad.high[i] = x[i] - attrs.begin[i] - (y[i] - 1) * step - 1;
  }
  g.add_to_input(0, g.append(OpKind::pad, {g.dy()}, pad));
}

// dx = dy turned back
void differentiate_reverse(GradientBuilder &g) {
  const ReverseAttrs attrs = g.attrs<ReverseAttrs>();
  g.add_to_input(0, g.append(OpKind::reverse, {g.dy()}, attrs));
}

// dx_i = the part of dy that x_i became
void differentiate_concat(GradientBuilder &g) {
  const auto axis = static_cast<size_t>(g.attrs<AxisAttrs>().axis);
  const size_t count = g.node().inputs.size();
  int64_t begin = 0;
  for (size_t i = 0; i < count; ++i) {
    const Shape x = g.type(g.x(i)).shape;
    SliceAttrs part{std::vector<int64_t>(x.size(), 0), x, {}};
    part.begin[axis] = begin;
    part.end[axis] = begin + x[axis];
    begin = part.end[axis];
    g.add_to_input(i, g.append(OpKind::slice, {g.dy()}, part));
  }
}

} // namespace

const OpDef ops::reshape = {
    "the same elements in row-major order under another shape; the batch stays",
    R"(%0 = input {name="x", type=f32[N,4,3,5]} : f32[N,4,3,5]
%1 = reshape %0 {shape=[N,12,5]} : f32[N,12,5])",
    /*min_inputs=*/1,
    /*max_inputs=*/1,
    {OpClass::movement, {&Traits::view}},
    reshape_type,
    differentiate_reshape,
    compute_reshape,
    no_cost,
};

const OpDef ops::transpose = {
    "dimension i of the result is dimension permutation[i] of x; the batch stays first",
    R"(%0 = input {name="x", type=f32[N,4,3,5]} : f32[N,4,3,5]
%1 = transpose %0 {permutation=[0,3,1,2]} : f32[N,5,4,3])",
    /*min_inputs=*/1,
    /*max_inputs=*/1,
    {OpClass::movement},
    transpose_type,
    differentiate_transpose,
    compute_transpose,
    no_cost,
};

const OpDef ops::pad = {
    "x with `low` values before it, `high` after it and `interior` inside it in each dimension",
    R"(%0 = input {name="x", type=f32[N,4,3,5]} : f32[N,4,3,5]
%1 = pad %0 {low=[0,1,0,2], high=[0,0,2,1], value=0.5, interior=[0,2,0,0]} : f32[N,11,5,8])",
    /*min_inputs=*/1,
    /*max_inputs=*/1,
    {OpClass::movement},
    pad_type,
    differentiate_pad,
    compute_pad,
    no_cost,
};

const OpDef ops::slice = {
    "every step-th element in [begin, end) of each dimension",
    R"(%0 = input {name="x", type=f32[N,4,3,5]} : f32[N,4,3,5]
%1 = slice %0 {begin=[0,1,0,1], end=[N,3,3,5], step=[1,1,1,2]} : f32[N,2,3,2])",
    /*min_inputs=*/1,
    /*max_inputs=*/1,
    {OpClass::movement},
    slice_type,
    differentiate_slice,
    compute_slice,
    no_cost,
};

const OpDef ops::reverse = {
    "x in reverse order along the axes",
    R"(%0 = input {name="x", type=f32[N,4,3,5]} : f32[N,4,3,5]
%1 = reverse %0 {axes=[1,3]} : f32[N,4,3,5])",
    /*min_inputs=*/1,
    /*max_inputs=*/1,
    {OpClass::movement},
    reverse_type,
    differentiate_reverse,
    compute_reverse,
    no_cost,
};

const OpDef ops::concat = {
    "operands one after the other along an axis",
    R"(%0 = input {name="a", type=f32[N,3,2]} : f32[N,3,2]
%1 = input {name="b", type=f32[N,3,5]} : f32[N,3,5]
%2 = concat %0, %1 {axis=2} : f32[N,3,7])",
    /*min_inputs=*/1,
    /*max_inputs=*/-1,
    {OpClass::movement},
    concat_type,
    differentiate_concat,
    compute_concat,
    no_cost,
};

} // namespace sinter

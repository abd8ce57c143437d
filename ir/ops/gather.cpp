// Elements picked along an axis: by indices that are a value of the program, or by a table that is
// part of the graph.
//
// Gradients scatter: what was picked several times gets the sum, in the order of the indices.

#include "ir/ops/compute.h"
#include "ir/ops/rules.h"

#include <algorithm>

namespace sinter {

namespace {

size_t axis_of(const TypeContext &context, int64_t axis) {
  require_static_axis(context, axis);
  return static_cast<size_t>(axis);
}

const TensorType &indices_of(const TypeContext &context) {
  const TensorType &indices = context.operand(1);
  require(context, indices.element == ElementType::i32 && !indices.blocked(),
          "expects i32 indices, got {}", indices.str());
  return indices;
}

/// `shape` with the dimension `axis` replaced by other ones.
Shape replaced(const Shape &shape, size_t axis, size_t count, const Shape &by) {
  Shape result(shape.begin(), shape.begin() + static_cast<int64_t>(axis));
  result.insert(result.end(), by.begin(), by.end());
  result.insert(result.end(), shape.begin() + static_cast<int64_t>(axis + count), shape.end());
  return result;
}

TensorType gather_type(const TypeContext &context) {
  const size_t axis = axis_of(context, context.attrs<AxisAttrs>().axis);
  const TensorType &x = context.operand(0);
  const TensorType &indices = indices_of(context);
  require(context, !indices.batched() || axis == 0, "expects static indices along axis {}, got {}",
          axis, str(indices.shape));
  return {x.element, replaced(x.shape, axis, 1, indices.shape), 0};
}

TensorType gather_gradient_type(const TypeContext &context) {
  const auto &attrs = context.attrs<GatherGradientAttrs>();
  require_plain_f32(context, 0);
  const TensorType &dy = context.operand(0);
  const TensorType &indices = indices_of(context);
  const auto axis = static_cast<size_t>(attrs.axis);
  const bool holds =
      attrs.axis >= 0 && attrs.axis <= dy.rank() - indices.rank() &&
      std::equal(indices.shape.begin(), indices.shape.end(), dy.shape.begin() + attrs.axis);
  require(context, holds, "expects dy with the indices' shape {} at axis {}, got {}",
          str(indices.shape), attrs.axis, str(dy.shape));
  const Shape shape = replaced(dy.shape, axis, indices.shape.size(), {attrs.extent});
  require_countable(context, shape, "shape");
  return {ElementType::f32, shape, 0};
}

/// `x` and `indices` agree but along the axis.
void require_aligned(const TypeContext &context, size_t axis, const Shape &x) {
  Shape indices = indices_of(context).shape;
  if (indices.size() == x.size())
    indices[axis] = x[axis];
  require(context, indices == x, "expects indices that differ from {} along axis {} only, got {}",
          str(x), axis, str(context.operand(1).shape));
}

TensorType gather_elements_type(const TypeContext &context) {
  const size_t axis = axis_of(context, context.attrs<AxisAttrs>().axis);
  require_aligned(context, axis, context.operand(0).shape);
  return {context.operand(0).element, context.operand(1).shape, 0};
}

TensorType gather_elements_gradient_type(const TypeContext &context) {
  const auto &attrs = context.attrs<GatherGradientAttrs>();
  require_plain_f32(context, 0);
  const size_t axis = axis_of(context, attrs.axis);
  TensorType type = context.operand(0);
  require(context, indices_of(context).shape == type.shape, "expects indices of shape {}, got {}",
          str(type.shape), str(context.operand(1).shape));
  type.shape[axis] = attrs.extent;
  require_countable(context, type.shape, "shape");
  return type;
}

TensorType resample_type(const TypeContext &context) {
  const auto &attrs = context.attrs<ResampleAttrs>();
  const size_t axis = axis_of(context, attrs.axis);
  TensorType type = context.operand(0);
  const auto count = static_cast<int64_t>(attrs.indices.size());
  require(context, attrs.taps >= 1 && count >= attrs.taps && count % attrs.taps == 0,
          "expects indices in groups of {}, got {}", attrs.taps, count);
  const auto outside = std::find_if(attrs.indices.begin(), attrs.indices.end(), [&](int64_t index) {
    return index < 0 || index >= type.shape[axis];
  });
  require(context, outside == attrs.indices.end(), "has index {} out of range for axis {} of {}",
          outside == attrs.indices.end() ? 0 : *outside, axis, str(type.shape));
  require(context, attrs.weights.empty() || attrs.weights.size() == attrs.indices.size(),
          "expects a weight an index, got {} for {}", attrs.weights.size(), count);
  require(context, type.element == ElementType::f32 || (attrs.weights.empty() && attrs.taps == 1),
          "expects f32 to add, got {}", type.str());
  type.shape[axis] = count / attrs.taps;
  return type;
}

int64_t extent_of(GradientBuilder &g, int64_t axis) {
  return g.type(g.x(0)).shape[static_cast<size_t>(axis)];
}

// dx[.., i, ..] = sum of dy[.., j, ..] over the j with indices[j] = i
void differentiate_gather(GradientBuilder &g) {
  const int64_t axis = g.attrs<AxisAttrs>().axis;
  g.add_to_input(0, g.append(OpKind::gather_gradient, {g.dy(), g.x(1)},
                             GatherGradientAttrs{axis, extent_of(g, axis)}));
}

void differentiate_gather_elements(GradientBuilder &g) {
  const int64_t axis = g.attrs<AxisAttrs>().axis;
  g.add_to_input(0, g.append(OpKind::gather_elements_gradient, {g.dy(), g.x(1)},
                             GatherGradientAttrs{axis, extent_of(g, axis)}));
}

/// The table that undoes one: for each of `extent` elements, where it went with which weight.
ResampleAttrs transposed_table(const ResampleAttrs &table, int64_t extent) {
  struct Use {
    int64_t result;
    float weight;
  };
  std::vector<std::vector<Use>> uses(static_cast<size_t>(extent));
  for (size_t i = 0; i < table.indices.size(); ++i) {
    const float weight = table.weights.empty() ? 1 : table.weights[i];
    if (weight != 0)
      uses[static_cast<size_t>(table.indices[i])].push_back(
          {static_cast<int64_t>(i) / table.taps, weight});
  }
  ResampleAttrs result{table.axis, 1, {}, {}};
  for (const std::vector<Use> &list : uses)
    result.taps = std::max(result.taps, static_cast<int64_t>(list.size()));
  for (const std::vector<Use> &list : uses)
    for (size_t tap = 0; tap < static_cast<size_t>(result.taps); ++tap) {
      const Use use = tap < list.size() ? list[tap] : Use{0, 0};
      result.indices.push_back(use.result);
      result.weights.push_back(use.weight);
    }
  if (std::all_of(result.weights.begin(), result.weights.end(), [](float w) { return w == 1; }))
    result.weights.clear();
  return result;
}

// dx is dy resampled by the transposed table.
void differentiate_resample(GradientBuilder &g) {
  const ResampleAttrs attrs = g.attrs<ResampleAttrs>();
  g.add_to_input(
      0, g.append(OpKind::resample, {g.dy()}, transposed_table(attrs, extent_of(g, attrs.axis))));
}

Cost resample_cost(const Graph &, const Node &node) {
  const auto &table = attrs<ResampleAttrs>(node);
  return cost_per_element(node.type, table.weights.empty()
                                         ? static_cast<double>(table.taps - 1)
                                         : 2 * static_cast<double>(table.taps) - 1);
}

} // namespace

const OpDef ops::gather = {
    "the slices of x that the indices name along an axis; a negative index counts from the end",
    R"(%0 = input {name="x", type=f32[N,4,3,5]} : f32[N,4,3,5]
%1 = input {name="indices", role="label", type=i32[2,3]} : i32[2,3]
%2 = gather %0, %1 {axis=1} : f32[N,2,3,3,5])",
    /*min_inputs=*/2,
    /*max_inputs=*/2,
    {OpClass::movement},
    gather_type,
    differentiate_gather,
    compute_gather,
    no_cost,
};

const OpDef ops::gather_gradient = {
    "gradient of gather, from dy and the indices: the sum of what each slice of x went to",
    R"(%0 = input {name="dy", type=f32[N,2,3,3,5]} : f32[N,2,3,3,5]
%1 = input {name="indices", role="label", type=i32[2,3]} : i32[2,3]
%2 = gather_gradient %0, %1 {axis=1, extent=4} : f32[N,4,3,5])",
    /*min_inputs=*/2,
    /*max_inputs=*/2,
    {OpClass::movement},
    gather_gradient_type,
    /*gradient=*/nullptr,
    compute_gather_gradient,
    operand_cost<1>,
};

const OpDef ops::gather_elements = {
    "at each position, the element of x that the index there names along an axis",
    R"(%0 = input {name="x", type=f32[N,4,5]} : f32[N,4,5]
%1 = input {name="indices", role="label", type=i32[N,3,5]} : i32[N,3,5]
%2 = gather_elements %0, %1 {axis=1} : f32[N,3,5])",
    /*min_inputs=*/2,
    /*max_inputs=*/2,
    {OpClass::movement},
    gather_elements_type,
    differentiate_gather_elements,
    compute_gather_elements,
    no_cost,
};

const OpDef ops::gather_elements_gradient = {
    "gradient of gather_elements, from dy and the indices",
    R"(%0 = input {name="dy", type=f32[N,3,5]} : f32[N,3,5]
%1 = input {name="indices", role="label", type=i32[N,3,5]} : i32[N,3,5]
%2 = gather_elements_gradient %0, %1 {axis=1, extent=4} : f32[N,4,5])",
    /*min_inputs=*/2,
    /*max_inputs=*/2,
    {OpClass::movement},
    gather_elements_gradient_type,
    /*gradient=*/nullptr,
    compute_gather_elements_gradient,
    operand_cost<1>,
};

// y[.., o, ..] = sum over t < taps of weights[o taps + t] * x[.., indices[o taps + t], ..]
const OpDef ops::resample = {
    "each slice along an axis a weighted sum of `taps` slices of x: resizing, padding by mirroring",
    R"(%0 = input {name="x", type=f32[N,3,4,5]} : f32[N,3,4,5]
%1 = resample %0 {axis=2, taps=2, indices=[0,0,0,1,1,2,2,3,3,3], weights=[1,0,0.75,0.25,0.5,0.5,0.25,0.75,0,1]} : f32[N,3,5,5])",
    /*min_inputs=*/1,
    /*max_inputs=*/1,
    {OpClass::movement},
    resample_type,
    differentiate_resample,
    compute_resample,
    resample_cost,
};

} // namespace sinter

// The functions on tensors that a script may call (tensor_functions.cpp), as layers without a
// class of Keras's: "keras.ops.Mean".
#include "frontend/layer_table.h"
#include "ir/ops/window.h"

#include <algorithm>

namespace sinter {

namespace {

template <OpKind kind> NodeId apply_unary(LayerBuilder &b, const std::vector<NodeId> &inputs) {
  return b.append(kind, {inputs[0]});
}

/// The dimension that `axis` counts, from the end when negative.
int64_t dimension(const LayerBuilder &b, const Value &axis, int64_t rank) {
  const auto *given = std::get_if<int64_t>(&axis);
  const int64_t result = !given ? -1 : *given < 0 ? *given + rank : *given;
  if (result < 0 || result >= rank)
    b.fail("has no axis {} in {} dimensions", describe(axis), rank);
  return result;
}

/// The dimensions that the argument `axis` names: one, several, or all.
std::vector<int64_t> dimensions(const LayerBuilder &b, int64_t rank) {
  const Value &value = b.arguments()["axis"];
  if (std::holds_alternative<None>(value))
    return compose::axes_between(0, rank);
  std::vector<int64_t> axes;
  const std::vector<Value> *items = sequence_items(value);
  for (const Value &item : items ? *items : std::vector<Value>{value})
    axes.push_back(dimension(b, item, rank));
  std::sort(axes.begin(), axes.end());
  if (std::adjacent_find(axes.begin(), axes.end()) != axes.end())
    b.fail("names an axis twice: {}", describe(value));
  return axes;
}

template <OpKind kind> NodeId apply_reduce(LayerBuilder &b, const std::vector<NodeId> &inputs) {
  ReduceAttrs attrs{dimensions(b, b.type(inputs[0]).rank()), b.arguments().boolean("keepdims")};
  return b.append(kind, {inputs[0]}, attrs);
}

/// x, or with a number y: max(x, y). The gradient at a tie goes to x.
template <OpKind kind> NodeId apply_choice(LayerBuilder &b, const std::vector<NodeId> &inputs) {
  const NodeId other = inputs.size() == 2 ? inputs[1] : b.constant({}, b.arguments().real("value"));
  if (!broadcast_shapes(b.shape(inputs[0]), b.shape(other)))
    b.fail("cannot combine inputs of shapes {} and {}", str(b.shape(inputs[0])),
           str(b.shape(other)));
  return b.append(kind, {inputs[0], other});
}

NodeId apply_power(LayerBuilder &b, const std::vector<NodeId> &inputs) {
  const float exponent = b.arguments().real("value");
  if (exponent == 2)
    return b.append(OpKind::square, {inputs[0]});
  return b.append(OpKind::pow, {inputs[0], b.constant({}, exponent)});
}

/// x . w for x [N,k] and w [k,m].
NodeId apply_matmul(LayerBuilder &b, const std::vector<NodeId> &inputs) {
  const Shape x = b.shape(inputs[0]);
  const Shape w = b.shape(inputs[1]);
  if (x.size() != 2 || w.size() != 2 || x[1] != w[0] || w[0] == kBatch)
    b.fail("multiplies [N,k] by [k,m], got {} and {}", str(x), str(w));
  return b.append(OpKind::matmul, {inputs[0], inputs[1]}, MatmulAttrs{});
}

NodeId apply_clip(LayerBuilder &b, const std::vector<NodeId> &inputs) {
  const NodeId low = b.constant({}, b.arguments().real("low"));
  const NodeId high = b.constant({}, b.arguments().real("high"));
  return b.append(OpKind::minimum, {b.append(OpKind::maximum, {inputs[0], low}), high});
}

/// A weight in another shape, which has no batch.
NodeId reshape_weight(LayerBuilder &b, NodeId weight) {
  const Value &target = b.arguments()["shape"];
  const std::vector<Value> *items = sequence_items(target);
  const int64_t total = b.type(weight).elements();
  Shape shape;
  int64_t product = 1;
  int64_t unknown = 0;
  for (const Value &item : items ? *items : std::vector<Value>{}) {
    const auto *extent = std::get_if<int64_t>(&item);
    shape.push_back(extent ? *extent : 0);
    unknown += shape.back() == -1 ? 1 : 0;
    if (shape.back() > 0 && product <= total)
      product = shape.back() > total ? total + 1 : product * shape.back();
    if (shape.back() == 0 || shape.back() < -1)
      b.fail("cannot reshape a weight to {}", describe(target));
  }
  if (!items || unknown > 1 || total % product != 0 || (unknown == 0 && product != total))
    b.fail("cannot reshape {} values to {}", total, describe(target));
  std::replace(shape.begin(), shape.end(), int64_t{-1}, total / product);
  return b.reshape(weight, shape);
}

/// The target with its one -1 worked out; the batch may be None, -1 or left to the -1.
NodeId apply_full_reshape(LayerBuilder &b, const std::vector<NodeId> &inputs) {
  if (!b.type(inputs[0]).batched())
    return reshape_weight(b, inputs[0]);
  const Value &target = b.arguments()["shape"];
  const std::vector<Value> *items = sequence_items(target);
  const int64_t total = b.type(inputs[0]).elements();
  Shape shape{kBatch};
  int64_t product = 1;
  int64_t unknown = 0;
  for (size_t i = 0; items && i < items->size(); ++i) {
    const auto *extent = std::get_if<int64_t>(&(*items)[i]);
    const bool is_batch = std::holds_alternative<None>((*items)[i]) || (extent && *extent == -1);
    if (i == 0 && is_batch)
      continue;
    if (i == 0 || !extent || *extent == 0 || *extent < -1)
      b.fail("needs a shape (-1, ...) of positive extents whose first is the batch, got {}",
             describe(target));
    unknown += *extent == -1 ? 1 : 0;
    shape.push_back(*extent);
    if (*extent > 0 && (__builtin_mul_overflow(product, *extent, &product) || product > total))
      product = total + 1;
  }
  if (!items || items->empty() || unknown > 1 || total % product != 0 ||
      (unknown == 0 && product != total))
    b.fail("cannot reshape {} values a sample to {}", total, describe(target));
  std::replace(shape.begin() + 1, shape.end(), int64_t{-1}, total / product);
  return b.reshape(inputs[0], shape);
}

NodeId apply_transpose(LayerBuilder &b, const std::vector<NodeId> &inputs) {
  const Value &axes = b.arguments()["axes"];
  const int64_t rank = b.type(inputs[0]).rank();
  const std::vector<Value> *items = sequence_items(axes);
  TransposeAttrs attrs;
  for (const Value &item : items ? *items : std::vector<Value>{})
    attrs.permutation.push_back(dimension(b, item, rank));
  std::vector<int64_t> sorted = attrs.permutation;
  std::sort(sorted.begin(), sorted.end());
  for (size_t i = 0; i < sorted.size(); ++i)
    if (sorted[i] != static_cast<int64_t>(i))
      sorted.clear();
  if (static_cast<int64_t>(sorted.size()) != rank || attrs.permutation[0] != 0)
    b.fail("needs axes that permute the dimensions of {} behind the batch, got {}",
           str(b.shape(inputs[0])), describe(axes));
  return b.append(OpKind::transpose, {inputs[0]}, attrs);
}

NodeId apply_expand_dims(LayerBuilder &b, const std::vector<NodeId> &inputs) {
  Shape shape = b.shape(inputs[0]);
  const auto rank = static_cast<int64_t>(shape.size());
  const int64_t axis = dimension(b, b.arguments()["axis"], rank + 1);
  if (axis == 0)
    b.fail("cannot insert a dimension before the batch");
  shape.insert(shape.begin() + axis, 1);
  return b.reshape(inputs[0], shape);
}

NodeId apply_squeeze(LayerBuilder &b, const std::vector<NodeId> &inputs) {
  const Shape shape = b.shape(inputs[0]);
  const bool all = b.arguments().is_none("axis");
  const std::vector<int64_t> axes = dimensions(b, static_cast<int64_t>(shape.size()));
  Shape kept;
  for (size_t i = 0; i < shape.size(); ++i) {
    const bool named = std::find(axes.begin(), axes.end(), static_cast<int64_t>(i)) != axes.end();
    if (named && !all && shape[i] != 1)
      b.fail("cannot remove axis {} of {}", i, str(shape));
    if (!named || shape[i] != 1)
      kept.push_back(shape[i]);
  }
  return b.reshape(inputs[0], kept);
}

/// begin:end along each dimension; dimensions that `dropped` names go.
NodeId apply_slice(LayerBuilder &b, const std::vector<NodeId> &inputs) {
  const auto numbers = [&](const char *name) {
    std::vector<int64_t> all;
    for (const Value &item : b.arguments().items(name))
      all.push_back(std::get<int64_t>(item));
    return all;
  };
  SliceAttrs attrs{numbers("begin"), numbers("end"), {}};
  attrs.begin[0] = 0;
  attrs.end[0] = kBatch;
  const NodeId part = b.append(OpKind::slice, {inputs[0]}, attrs);
  const std::vector<int64_t> dropped = numbers("dropped");
  Shape kept;
  for (size_t i = 0; i < attrs.end.size(); ++i)
    if (std::find(dropped.begin(), dropped.end(), static_cast<int64_t>(i)) == dropped.end())
      kept.push_back(b.shape(part)[i]);
  return dropped.empty() ? part : b.reshape(part, kept);
}

/// x repeated to the other input's shape.
NodeId apply_expand_as(LayerBuilder &b, const std::vector<NodeId> &inputs) {
  Composer composer = b.composer();
  return compose::expand(composer, inputs[0], b.shape(inputs[1]));
}

/// Krizhevsky et al. 2012 as TensorFlow has it: x / (bias + alpha * sum over the channels
/// i - radius ... i + radius of x^2) ^ beta.
NodeId apply_local_response_normalization(LayerBuilder &b, const std::vector<NodeId> &inputs) {
  b.require_rank(inputs[0], 4, kImages);
  const Arguments &arguments = b.arguments();
  const int64_t radius = arguments.integer("depth_radius");
  Composer composer = b.composer();
  return compose::local_response_norm(composer, inputs[0], {radius, radius},
                                      arguments.real("alpha"), arguments.real("beta"),
                                      arguments.real("bias"));
}

/// Four numbers, or one or two for height and width.
std::array<int64_t, 4> window_argument(const LayerBuilder &b, const char *name) {
  const Value &value = b.arguments()[name];
  std::vector<int64_t> numbers;
  const std::vector<Value> *items = sequence_items(value);
  for (const Value &item : items ? *items : std::vector<Value>{value})
    if (const auto *number = std::get_if<int64_t>(&item); number && *number > 0)
      numbers.push_back(*number);
  const bool whole = !items || items->size() == numbers.size();
  if (whole && numbers.size() == 1)
    return {1, numbers[0], numbers[0], 1};
  if (whole && numbers.size() == 2)
    return {1, numbers[0], numbers[1], 1};
  if (!whole || numbers.size() != 4 || numbers[0] != 1)
    b.fail("needs {} as n, (height, width) or (1, height, width, channels), got {}", name,
           describe(value));
  return {numbers[0], numbers[1], numbers[2], numbers[3]};
}

/// tf.nn.max_pool: over height and width, or over groups of channels, which are the columns of an
/// image that has every position as a row.
template <OpKind kind> NodeId apply_pool(LayerBuilder &b, const std::vector<NodeId> &inputs) {
  b.require_rank(inputs[0], 4, kImages);
  const Shape input = b.shape(inputs[0]);
  const std::array<int64_t, 4> size = window_argument(b, "ksize");
  const std::array<int64_t, 4> strides = window_argument(b, "strides");
  const bool over_channels = size[3] > 1 || strides[3] > 1;
  if (over_channels && (size[1] > 1 || size[2] > 1 || strides[1] > 1 || strides[2] > 1))
    b.fail("pools either over positions or over channels");
  Pool2dAttrs attrs;
  attrs.size =
      over_channels ? std::array<int64_t, 2>{1, size[3]} : std::array<int64_t, 2>{size[1], size[2]};
  attrs.strides = over_channels ? std::array<int64_t, 2>{1, strides[3]}
                                : std::array<int64_t, 2>{strides[1], strides[2]};
  const Shape image = over_channels ? Shape{kBatch, input[1] * input[2], input[3], 1} : input;
  if (b.arguments().text("padding") == "same")
    attrs.padding = same_padding({image[1], image[2]}, attrs.size, attrs.strides);
  for (size_t d = 0; d < 2; ++d)
    if (image[d + 1] + attrs.padding[d] + attrs.padding[d + 2] < attrs.size[d])
      b.fail("has a window larger than its input {}", str(input));
  const NodeId y = b.append(kind, {b.reshape(inputs[0], image)}, attrs);
  return over_channels ? b.reshape(y, {kBatch, input[1], input[2], b.shape(y)[2]}) : y;
}

} // namespace

std::vector<LayerType> tensor_layers() {
  using Kind = ArgumentKind;
  const auto with = [](std::vector<ArgumentSpec> arguments) {
    return with_common_arguments(std::move(arguments));
  };
  const std::vector<ArgumentSpec> none = with({});
  const std::vector<ArgumentSpec> reduction =
      with({optional("axis", Kind::any), optional("keepdims", Kind::boolean, Value(false))});
  const std::vector<ArgumentSpec> number = with({optional("value", Kind::number, 0)});
  const std::vector<ArgumentSpec> window =
      with({required("ksize", Kind::any), required("strides", Kind::any),
            choice("padding", "valid", "valid|same")});
  return {
      {{"keras.ops.Tanh", none}, apply_unary<OpKind::tanh>},
      {{"keras.ops.Sigmoid", none}, apply_unary<OpKind::sigmoid>},
      {{"keras.ops.Exp", none}, apply_unary<OpKind::exp>},
      {{"keras.ops.Log", none}, apply_unary<OpKind::log>},
      {{"keras.ops.Sqrt", none}, apply_unary<OpKind::sqrt>},
      {{"keras.ops.Rsqrt", none}, apply_unary<OpKind::rsqrt>},
      {{"keras.ops.Square", none}, apply_unary<OpKind::square>},
      {{"keras.ops.Absolute", none}, apply_unary<OpKind::abs>},
      {{"keras.ops.Negative", none}, apply_unary<OpKind::negate>},
      {{"keras.ops.Mean", reduction}, apply_reduce<OpKind::reduce_mean>},
      {{"keras.ops.Sum", reduction}, apply_reduce<OpKind::reduce_sum>},
      {{"keras.ops.Max", reduction}, apply_reduce<OpKind::reduce_max>},
      {{"keras.ops.Maximum", number}, apply_choice<OpKind::maximum>, 1, 2},
      {{"keras.ops.Minimum", number}, apply_choice<OpKind::minimum>, 1, 2},
      {{"keras.ops.Power", number}, apply_power},
      {{"keras.ops.Matmul", none}, apply_matmul, 2, 2},
      {{"keras.ops.Clip", with({required("low", Kind::number), required("high", Kind::number)})},
       apply_clip},
      {{"keras.ops.Reshape", with({required("shape", Kind::any)})}, apply_full_reshape},
      {{"keras.ops.Transpose", with({required("axes", Kind::any)})}, apply_transpose},
      {{"keras.ops.ExpandDims", with({required("axis", Kind::any)})}, apply_expand_dims},
      {{"keras.ops.Slice", with({required("begin", Kind::any), required("end", Kind::any),
                                 required("dropped", Kind::any)})},
       apply_slice},
      {{"keras.ops.ExpandAs", none}, apply_expand_as, 2, 2},
      {{"keras.ops.Squeeze", with({optional("axis", Kind::any)})}, apply_squeeze},
      {{"keras.ops.LocalResponseNormalization",
        with({optional("depth_radius", Kind::non_negative, 5), optional("bias", Kind::number, 1),
              optional("alpha", Kind::number, 1), optional("beta", Kind::number, Value(0.5))})},
       apply_local_response_normalization},
      {{"keras.ops.MaxPool", window}, apply_pool<OpKind::max_pool2d>},
      {{"keras.ops.AveragePool", window}, apply_pool<OpKind::average_pool2d>},
  };
}

} // namespace sinter

// Layers of several inputs, and the operators + - * / on tensors.
#include "frontend/layer_table.h"

namespace sinter {

namespace {

/// Folds the inputs from the left.
template <OpKind kind> NodeId apply_fold(LayerBuilder &b, const std::vector<NodeId> &inputs) {
  NodeId result = inputs[0];
  for (size_t i = 1; i < inputs.size(); ++i) {
    if (!broadcast_shapes(b.shape(result), b.shape(inputs[i])))
      b.fail("cannot combine inputs of shapes {} and {}", str(b.shape(result)),
             str(b.shape(inputs[i])));
    result = b.append(kind, {result, inputs[i]});
  }
  return result;
}

NodeId apply_average(LayerBuilder &b, const std::vector<NodeId> &inputs) {
  const NodeId sum = apply_fold<OpKind::add>(b, inputs);
  return b.append(OpKind::affine, {sum}, AffineAttrs{1 / static_cast<float>(inputs.size()), 0});
}

/// The inner product of rows.
NodeId apply_dot(LayerBuilder &b, const std::vector<NodeId> &inputs) {
  const Value &axes = b.arguments()["axes"];
  const std::vector<Value> *items = sequence_items(axes);
  const auto is_row = [](const Value &axis) {
    return equal(axis, int64_t{1}) || equal(axis, int64_t{-1});
  };
  const bool rows =
      items ? items->size() == 2 && is_row((*items)[0]) && is_row((*items)[1]) : is_row(axes);
  if (!rows || b.type(inputs[0]).rank() != 2 || b.shape(inputs[0]) != b.shape(inputs[1]))
    b.fail("multiplies rows [N,features] along axis 1, got {} and {} along {}",
           str(b.shape(inputs[0])), str(b.shape(inputs[1])), describe(axes));
  const NodeId product = b.append(OpKind::multiply, {inputs[0], inputs[1]});
  return b.append(OpKind::reduce_sum, {product}, ReduceAttrs{{1}, /*keep_dims=*/true});
}

NodeId apply_concatenate(LayerBuilder &b, const std::vector<NodeId> &inputs) {
  const Shape first = b.shape(inputs[0]);
  const auto rank = static_cast<int64_t>(first.size());
  const int64_t given = b.arguments().integer("axis");
  const int64_t axis = given < 0 ? given + rank : given;
  if (axis < 1 || axis >= rank)
    b.fail("along axis {} is not supported for inputs of shape {}", given, str(first));
  for (const NodeId input : inputs) {
    Shape other = b.shape(input);
    if (static_cast<int64_t>(other.size()) == rank)
      other[static_cast<size_t>(axis)] = first[static_cast<size_t>(axis)];
    if (other != first)
      b.fail("cannot join inputs of shapes {} and {} along axis {}", str(first),
             str(b.shape(input)), axis);
  }
  return b.append(OpKind::concat, inputs, AxisAttrs{axis});
}

/// x op y for two tensors; scale * x + offset for a tensor and a number.
template <OpKind kind> NodeId apply_operator(LayerBuilder &b, const std::vector<NodeId> &inputs) {
  if (inputs.size() == 2)
    return apply_fold<kind>(b, inputs);
  return b.append(OpKind::affine, {inputs[0]},
                  AffineAttrs{b.arguments().real("scale"), b.arguments().real("offset")});
}

std::vector<ArgumentSpec> operator_arguments() {
  using Kind = ArgumentKind;
  return with_common_arguments(
      {optional("scale", Kind::number, 1), optional("offset", Kind::number, 0)});
}

} // namespace

std::vector<LayerType> merge_layers() {
  const std::vector<ArgumentSpec> none = with_common_arguments({});
  return {
      {{"keras.layers.Add", none}, apply_fold<OpKind::add>, 2, -1},
      {{"keras.layers.Subtract", none}, apply_fold<OpKind::subtract>, 2, 2},
      {{"keras.layers.Multiply", none}, apply_fold<OpKind::multiply>, 2, -1},
      {{"keras.layers.Maximum", none}, apply_fold<OpKind::maximum>, 2, -1},
      {{"keras.layers.Minimum", none}, apply_fold<OpKind::minimum>, 2, -1},
      {{"keras.layers.Average", none}, apply_average, 2, -1},
      {{"keras.layers.Concatenate",
        with_common_arguments({optional("axis", ArgumentKind::integer, -1)})},
       apply_concatenate,
       2,
       -1},
      {{"keras.layers.Dot",
        with_common_arguments({required("axes", ArgumentKind::any),
                               optional("normalize", ArgumentKind::unsupported, Value(false))})},
       apply_dot,
       2,
       2},
      {{"keras.ops.Add", operator_arguments()}, apply_operator<OpKind::add>, 1, 2},
      {{"keras.ops.Subtract", operator_arguments()}, apply_operator<OpKind::subtract>, 1, 2},
      {{"keras.ops.Multiply", operator_arguments()}, apply_operator<OpKind::multiply>, 1, 2},
      {{"keras.ops.TrueDivide", operator_arguments()}, apply_operator<OpKind::divide>, 1, 2},
  };
}

} // namespace sinter

#include "frontend/layer_table.h"
#include "ir/ops/window.h"

namespace sinter {

namespace {

/// Pools an image; `what` is the layer's whole input, for its message.
NodeId pool(LayerBuilder &b, OpKind kind, NodeId x, Pool2dAttrs attrs, const Shape &what) {
  const Shape input = b.shape(x);
  if (b.arguments().text("padding") == "same")
    attrs.padding = same_padding({input[1], input[2]}, attrs.size, attrs.strides);
  for (size_t d = 0; d < 2; ++d)
    if (input[d + 1] + attrs.padding[d] + attrs.padding[d + 2] < attrs.size[d])
      b.fail("has a window of {} x {}, larger than its input {}", attrs.size[0], attrs.size[1],
             str(what));
  return b.append(kind, {x}, attrs);
}

template <OpKind kind> NodeId apply_pool2d(LayerBuilder &b, const std::vector<NodeId> &inputs) {
  b.require_rank(inputs[0], 4, kImages);
  const Arguments &arguments = b.arguments();
  Pool2dAttrs attrs;
  attrs.size = arguments.pair("pool_size");
  attrs.strides = arguments.is_none("strides") ? attrs.size : arguments.pair("strides");
  return pool(b, kind, inputs[0], attrs, b.shape(inputs[0]));
}

/// A sequence is an image of one row.
template <OpKind kind> NodeId apply_pool1d(LayerBuilder &b, const std::vector<NodeId> &inputs) {
  b.require_rank(inputs[0], 3, kSequences);
  const Arguments &arguments = b.arguments();
  const Shape input = b.shape(inputs[0]);
  Pool2dAttrs attrs;
  attrs.size = {1, arguments.integer("pool_size")};
  attrs.strides = {1, arguments.is_none("strides") ? attrs.size[1] : arguments.integer("strides")};
  const NodeId y =
      pool(b, kind, b.reshape(inputs[0], {kBatch, 1, input[1], input[2]}), attrs, input);
  return b.reshape(y, {kBatch, b.shape(y)[2], input[2]});
}

template <OpKind kind, int rank>
NodeId apply_global_pool(LayerBuilder &b, const std::vector<NodeId> &inputs) {
  b.require_rank(inputs[0], rank, rank == 4 ? kImages : kSequences);
  ReduceAttrs attrs;
  for (int axis = 1; axis + 1 < rank; ++axis)
    attrs.axes.push_back(axis);
  attrs.keep_dims = b.arguments().boolean("keepdims");
  return b.append(kind, {inputs[0]}, attrs);
}

std::vector<ArgumentSpec> pool_arguments(ArgumentKind extent) {
  return with_common_arguments({optional("pool_size", extent, 2), optional("strides", extent),
                                choice("padding", "valid", "valid|same"), data_format_argument()});
}

std::vector<ArgumentSpec> global_pool_arguments() {
  using Kind = ArgumentKind;
  return with_common_arguments(
      {data_format_argument(), optional("keepdims", Kind::boolean, Value(false))});
}

} // namespace

std::vector<LayerType> pooling_layers() {
  using Kind = ArgumentKind;
  return {
      {{"keras.layers.MaxPooling2D", pool_arguments(Kind::pair)}, apply_pool2d<OpKind::max_pool2d>},
      {{"keras.layers.AveragePooling2D", pool_arguments(Kind::pair)},
       apply_pool2d<OpKind::average_pool2d>},
      {{"keras.layers.GlobalMaxPooling2D", global_pool_arguments()},
       apply_global_pool<OpKind::reduce_max, 4>},
      {{"keras.layers.GlobalAveragePooling2D", global_pool_arguments()},
       apply_global_pool<OpKind::reduce_mean, 4>},
      {{"keras.layers.MaxPooling1D", pool_arguments(Kind::single)},
       apply_pool1d<OpKind::max_pool2d>},
      {{"keras.layers.AveragePooling1D", pool_arguments(Kind::single)},
       apply_pool1d<OpKind::average_pool2d>},
      {{"keras.layers.GlobalMaxPooling1D", global_pool_arguments()},
       apply_global_pool<OpKind::reduce_max, 3>},
      {{"keras.layers.GlobalAveragePooling1D", global_pool_arguments()},
       apply_global_pool<OpKind::reduce_mean, 3>},
  };
}

} // namespace sinter

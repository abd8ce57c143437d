#include "frontend/layer_table.h"
#include "ir/ops/window.h"

namespace sinter {

namespace {

constexpr const char *kImages = "images [N,height,width,channels]";

template <OpKind kind> NodeId apply_pool2d(LayerBuilder &b, const std::vector<NodeId> &inputs) {
  const NodeId x = inputs[0];
  b.require_rank(x, 4, kImages);
  const Arguments &arguments = b.arguments();
  const Shape input = b.shape(x);
  Pool2dAttrs attrs;
  attrs.size = arguments.pair("pool_size");
  attrs.strides = arguments.is_none("strides") ? attrs.size : arguments.pair("strides");
  if (arguments.text("padding") == "same")
    attrs.padding = same_padding({input[1], input[2]}, attrs.size, attrs.strides);
  for (size_t d = 0; d < 2; ++d)
    if (input[d + 1] + attrs.padding[d] + attrs.padding[d + 2] < attrs.size[d])
      b.fail("has a window of {} x {}, larger than its input {}", attrs.size[0], attrs.size[1],
             str(input));
  return b.append(kind, {x}, attrs);
}

template <OpKind kind>
NodeId apply_global_pool2d(LayerBuilder &b, const std::vector<NodeId> &inputs) {
  b.require_rank(inputs[0], 4, kImages);
  ReduceAttrs attrs;
  attrs.axes = {1, 2};
  attrs.keep_dims = b.arguments().boolean("keepdims");
  return b.append(kind, {inputs[0]}, attrs);
}

std::vector<ArgumentSpec> pool_arguments() {
  using Kind = ArgumentKind;
  return with_common_arguments({optional("pool_size", Kind::pair, 2),
                                optional("strides", Kind::pair),
                                choice("padding", "valid", "valid|same"), data_format_argument()});
}

std::vector<ArgumentSpec> global_pool_arguments() {
  using Kind = ArgumentKind;
  return with_common_arguments(
      {data_format_argument(), optional("keepdims", Kind::boolean, Value(false))});
}

} // namespace

std::vector<LayerType> pooling_layers() {
  return {
      {{"keras.layers.MaxPooling2D", pool_arguments()}, apply_pool2d<OpKind::max_pool2d>},
      {{"keras.layers.AveragePooling2D", pool_arguments()}, apply_pool2d<OpKind::average_pool2d>},
      {{"keras.layers.GlobalMaxPooling2D", global_pool_arguments()},
       apply_global_pool2d<OpKind::reduce_max>},
      {{"keras.layers.GlobalAveragePooling2D", global_pool_arguments()},
       apply_global_pool2d<OpKind::reduce_mean>},
  };
}

} // namespace sinter

#include "frontend/layer_table.h"
#include "ir/ops/window.h"

namespace sinter {

namespace {

constexpr const char *kImages = "images [N,height,width,channels]";

NodeId apply_conv2d(LayerBuilder &b, const std::vector<NodeId> &inputs) {
  const NodeId x = inputs[0];
  b.require_rank(x, 4, kImages);
  const Arguments &arguments = b.arguments();
  const Shape input = b.shape(x);
  const int64_t channels = input[3];
  const int64_t filters = arguments.integer("filters");
  const std::array<int64_t, 2> size = arguments.pair("kernel_size");
  Conv2dAttrs attrs;
  attrs.strides = arguments.pair("strides");
  attrs.dilations = arguments.pair("dilation_rate");
  attrs.groups = arguments.integer("groups");
  if (channels % attrs.groups != 0 || filters % attrs.groups != 0)
    b.fail("cannot split {} input channels and {} filters into {} groups", channels, filters,
           attrs.groups);
  if (arguments.text("padding") == "same")
    attrs.padding = same_padding({input[1], input[2]}, size, attrs.strides, attrs.dilations);
  for (size_t d = 0; d < 2; ++d)
    if (window_count(input[d + 1], attrs.padding[d] + attrs.padding[d + 2],
                     window_span(size[d], attrs.dilations[d]), attrs.strides[d]) == 0)
      b.fail("has a kernel of {} x {}, larger than its input {}", size[0], size[1], str(input));
  const NodeId kernel = b.parameter("kernel", {size[0], size[1], channels / attrs.groups, filters},
                                    arguments["kernel_initializer"]);
  NodeId y = b.append(OpKind::conv2d, {x, kernel}, attrs);
  if (arguments.boolean("use_bias"))
    y = b.append(OpKind::bias_add,
                 {y, b.parameter("bias", {filters}, arguments["bias_initializer"])});
  return b.activate(y);
}

/// The zeros around an image: n, (vertical, horizontal) or ((top, bottom), (left, right)).
std::array<int64_t, 4> border(const LayerBuilder &b) {
  const Value &value = b.arguments()["padding"];
  const auto amount = [&](const Value &v) {
    const auto *integer = std::get_if<int64_t>(&v);
    if (!integer || *integer < 0 || *integer > INT32_MAX)
      b.fail("needs padding of at least 0 pixels: n, (rows, columns) or ((top, bottom), (left, "
             "right)), got {}",
             describe(value));
    return *integer;
  };
  const auto sides = [&](const Value &v) -> std::array<int64_t, 2> {
    const std::vector<Value> *items = sequence_items(v);
    if (!items)
      return {amount(v), amount(v)};
    if (items->size() != 2)
      b.fail("needs padding of two sides, got {}", describe(v));
    return {amount((*items)[0]), amount((*items)[1])};
  };
  const std::vector<Value> *items = sequence_items(value);
  if (items && items->size() != 2)
    b.fail("needs padding of two dimensions, got {}", describe(value));
  const auto rows = sides(items ? (*items)[0] : value);
  const auto columns = sides(items ? (*items)[1] : value);
  return {rows[0], columns[0], rows[1], columns[1]};
}

NodeId apply_zero_padding2d(LayerBuilder &b, const std::vector<NodeId> &inputs) {
  b.require_rank(inputs[0], 4, kImages);
  const auto [top, left, bottom, right] = border(b);
  return b.append(OpKind::pad, {inputs[0]}, PadAttrs{{0, top, left, 0}, {0, bottom, right, 0}, 0});
}

} // namespace

std::vector<LayerType> convolution_layers() {
  using Kind = ArgumentKind;
  return {
      {{"keras.layers.Conv2D",
        with_common_arguments({
            required("filters", Kind::positive),
            required("kernel_size", Kind::pair),
            optional("strides", Kind::pair, 1),
            choice("padding", "valid", "valid|same"),
            data_format_argument(),
            optional("dilation_rate", Kind::pair, 1),
            optional("groups", Kind::positive, 1),
            optional("activation", Kind::activation),
            optional("use_bias", Kind::boolean, Value(true)),
            optional("kernel_initializer", Kind::initializer, "glorot_uniform"),
            optional("bias_initializer", Kind::initializer, "zeros"),
            optional("kernel_regularizer", Kind::unsupported),
            optional("bias_regularizer", Kind::unsupported),
            optional("activity_regularizer", Kind::unsupported),
            optional("kernel_constraint", Kind::unsupported),
            optional("bias_constraint", Kind::unsupported),
        })},
       apply_conv2d},
      {{"keras.layers.ZeroPadding2D",
        with_common_arguments({optional("padding", Kind::any, 1), data_format_argument()})},
       apply_zero_padding2d},
  };
}

} // namespace sinter

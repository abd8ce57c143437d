// Convolutions: whole, depthwise and separable, over images and over sequences.
#include "frontend/layer_table.h"
#include "ir/ops/window.h"

#include <algorithm>

namespace sinter {

namespace {

/// One convolution of an image, in Keras's terms.
struct Convolution {
  std::array<int64_t, 2> size;
  std::array<int64_t, 2> strides;
  std::array<int64_t, 2> dilations;
  std::string padding; // "valid", "same"
  int64_t groups = 1;
};

Convolution convolution_2d(const Arguments &arguments) {
  return {arguments.pair("kernel_size"), arguments.pair("strides"), arguments.pair("dilation_rate"),
          arguments.text("padding")};
}

/// `filter` is [height, width, channels / groups, filters].
NodeId convolve(LayerBuilder &b, NodeId x, NodeId filter, const Convolution &convolution) {
  const Shape input = b.shape(x);
  Conv2dAttrs attrs;
  attrs.strides = convolution.strides;
  attrs.dilations = convolution.dilations;
  attrs.groups = convolution.groups;
  if (convolution.padding == "same")
    attrs.padding =
        same_padding({input[1], input[2]}, convolution.size, attrs.strides, attrs.dilations);
  for (size_t d = 0; d < 2; ++d)
    if (window_count(input[d + 1], attrs.padding[d] + attrs.padding[d + 2],
                     window_span(convolution.size[d], attrs.dilations[d]), attrs.strides[d]) == 0)
      b.fail("has a kernel of {} x {}, larger than its input {}", convolution.size[0],
             convolution.size[1], str(input));
  return b.append(OpKind::conv2d, {x, filter}, attrs);
}

int64_t channels_in_group(const LayerBuilder &b, int64_t channels) {
  const int64_t groups = b.arguments().integer("groups");
  const int64_t filters = b.arguments().integer("filters");
  if (channels % groups != 0 || filters % groups != 0)
    b.fail("cannot split {} input channels and {} filters into {} groups", channels, filters,
           groups);
  return channels / groups;
}

NodeId apply_conv2d(LayerBuilder &b, const std::vector<NodeId> &inputs) {
  b.require_rank(inputs[0], 4, kImages);
  const Arguments &arguments = b.arguments();
  Convolution convolution = convolution_2d(arguments);
  convolution.groups = arguments.integer("groups");
  const int64_t filters = arguments.integer("filters");
  const NodeId kernel = b.parameter("kernel",
                                    {convolution.size[0], convolution.size[1],
                                     channels_in_group(b, b.shape(inputs[0])[3]), filters},
                                    arguments["kernel_initializer"]);
  return b.add_bias(convolve(b, inputs[0], kernel, convolution), filters);
}

/// The transposed convolution: what a convolution of the result would send back to it from x. The
/// result has strides * extent positions with "same" padding, and room for a whole last window
/// without. Its kernel is the convolution's: [height, width, filters, channels of x].
NodeId apply_conv2d_transpose(LayerBuilder &b, const std::vector<NodeId> &inputs) {
  b.require_rank(inputs[0], 4, kImages);
  const Arguments &arguments = b.arguments();
  const Convolution convolution = convolution_2d(arguments);
  const Shape input = b.shape(inputs[0]);
  const int64_t filters = arguments.integer("filters");
  Conv2dGradientAttrs attrs;
  attrs.strides = convolution.strides;
  attrs.dilations = convolution.dilations;
  const bool same = convolution.padding == "same";
  for (size_t d = 0; d < 2; ++d) {
    const int64_t span = window_span(convolution.size[d], attrs.dilations[d]);
    attrs.size[d] = input[d + 1] * attrs.strides[d] +
                    (same ? 0 : std::max<int64_t>(span - attrs.strides[d], 0));
  }
  if (same)
    attrs.padding = same_padding(attrs.size, convolution.size, attrs.strides, attrs.dilations);
  const NodeId kernel =
      b.parameter("kernel", {convolution.size[0], convolution.size[1], filters, input[3]},
                  arguments["kernel_initializer"]);
  const NodeId y = b.append(OpKind::conv2d_input_gradient, {inputs[0], kernel}, attrs);
  return b.add_bias(y, filters);
}

/// A sequence [N,steps,channels] is an image of one row; "causal" sees no later steps.
NodeId apply_conv1d(LayerBuilder &b, const std::vector<NodeId> &inputs) {
  b.require_rank(inputs[0], 3, kSequences);
  const Arguments &arguments = b.arguments();
  const Shape input = b.shape(inputs[0]);
  const int64_t size = arguments.integer("kernel_size");
  const int64_t filters = arguments.integer("filters");
  const int64_t dilation = arguments.integer("dilation_rate");
  Convolution convolution{{1, size},
                          {1, arguments.integer("strides")},
                          {1, dilation},
                          arguments.text("padding"),
                          arguments.integer("groups")};
  const int64_t depth = channels_in_group(b, input[2]);
  const NodeId kernel =
      b.parameter("kernel", {size, depth, filters}, arguments["kernel_initializer"]);
  NodeId x = b.reshape(inputs[0], {kBatch, 1, input[1], input[2]});
  if (convolution.padding == "causal") {
    x = b.append(OpKind::pad, {x}, PadAttrs{{0, 0, (size - 1) * dilation, 0}, {0, 0, 0, 0}, 0});
    convolution.padding = "valid";
  }
  NodeId y = convolve(b, x, b.reshape(kernel, {1, size, depth, filters}), convolution);
  y = b.reshape(y, {kBatch, b.shape(y)[2], filters});
  return b.add_bias(y, filters);
}

/// Every channel filtered on its own: `depth_multiplier` results a channel. Keras keeps the
/// filters as [height, width, channels, multiplier], which are the same values in the same order
/// as a convolution's in as many groups as channels.
NodeId depthwise(LayerBuilder &b, NodeId x, const char *name) {
  const Arguments &arguments = b.arguments();
  Convolution convolution = convolution_2d(arguments);
  const int64_t channels = b.shape(x)[3];
  const int64_t multiplier = arguments.integer("depth_multiplier");
  convolution.groups = channels;
  const auto [height, width] = convolution.size;
  const NodeId kernel = b.parameter(name, {height, width, channels, multiplier},
                                    arguments["depthwise_initializer"], "weight", "depthwise");
  return convolve(b, x, b.reshape(kernel, {height, width, 1, channels * multiplier}), convolution);
}

NodeId apply_depthwise_conv2d(LayerBuilder &b, const std::vector<NodeId> &inputs) {
  b.require_rank(inputs[0], 4, kImages);
  const NodeId y = depthwise(b, inputs[0], "kernel");
  return b.add_bias(y, b.shape(y)[3]);
}

NodeId apply_separable_conv2d(LayerBuilder &b, const std::vector<NodeId> &inputs) {
  b.require_rank(inputs[0], 4, kImages);
  const NodeId filtered = depthwise(b, inputs[0], "depthwise_kernel");
  const int64_t filters = b.arguments().integer("filters");
  const NodeId kernel = b.parameter("pointwise_kernel", {1, 1, b.shape(filtered)[3], filters},
                                    b.arguments()["pointwise_initializer"], "weight", "pointwise");
  const NodeId y = b.append(OpKind::conv2d, {filtered, kernel}, Conv2dAttrs{});
  return b.add_bias(y, filters);
}

using Specs = std::vector<ArgumentSpec>;

Specs conv2d_arguments() {
  using Kind = ArgumentKind;
  return joined({{required("filters", Kind::positive), required("kernel_size", Kind::pair),
                  optional("strides", Kind::pair, 1), choice("padding", "valid", "valid|same"),
                  data_format_argument(), optional("dilation_rate", Kind::pair, 1),
                  optional("groups", Kind::positive, 1), optional("activation", Kind::activation)},
                 kernel_and_bias_arguments()});
}

Specs conv2d_transpose_arguments() {
  using Kind = ArgumentKind;
  return joined(
      {{required("filters", Kind::positive), required("kernel_size", Kind::pair),
        optional("strides", Kind::pair, 1), choice("padding", "valid", "valid|same"),
        optional("output_padding", Kind::unsupported), data_format_argument(),
        optional("dilation_rate", Kind::pair, 1), optional("activation", Kind::activation)},
       kernel_and_bias_arguments()});
}

Specs conv1d_arguments() {
  using Kind = ArgumentKind;
  return joined(
      {{required("filters", Kind::positive), required("kernel_size", Kind::single),
        optional("strides", Kind::single, 1), choice("padding", "valid", "valid|same|causal"),
        data_format_argument(), optional("dilation_rate", Kind::single, 1),
        optional("groups", Kind::positive, 1), optional("activation", Kind::activation)},
       kernel_and_bias_arguments()});
}

Specs depthwise_arguments() {
  using Kind = ArgumentKind;
  return with_common_arguments({
      required("kernel_size", Kind::pair),
      optional("strides", Kind::pair, 1),
      choice("padding", "valid", "valid|same"),
      optional("depth_multiplier", Kind::positive, 1),
      data_format_argument(),
      optional("dilation_rate", Kind::pair, 1),
      optional("activation", Kind::activation),
      optional("use_bias", Kind::boolean, Value(true)),
      optional("depthwise_initializer", Kind::initializer, "glorot_uniform"),
      optional("bias_initializer", Kind::initializer, "zeros"),
      optional("depthwise_regularizer", Kind::regularizer),
      optional("bias_regularizer", Kind::regularizer),
      optional("activity_regularizer", Kind::regularizer),
      optional("depthwise_constraint", Kind::constraint),
      optional("bias_constraint", Kind::constraint),
  });
}

Specs separable_arguments() {
  using Kind = ArgumentKind;
  return with_common_arguments({
      required("filters", Kind::positive),
      required("kernel_size", Kind::pair),
      optional("strides", Kind::pair, 1),
      choice("padding", "valid", "valid|same"),
      data_format_argument(),
      optional("dilation_rate", Kind::pair, 1),
      optional("depth_multiplier", Kind::positive, 1),
      optional("activation", Kind::activation),
      optional("use_bias", Kind::boolean, Value(true)),
      optional("depthwise_initializer", Kind::initializer, "glorot_uniform"),
      optional("pointwise_initializer", Kind::initializer, "glorot_uniform"),
      optional("bias_initializer", Kind::initializer, "zeros"),
      optional("depthwise_regularizer", Kind::regularizer),
      optional("pointwise_regularizer", Kind::regularizer),
      optional("bias_regularizer", Kind::regularizer),
      optional("activity_regularizer", Kind::regularizer),
      optional("depthwise_constraint", Kind::constraint),
      optional("pointwise_constraint", Kind::constraint),
      optional("bias_constraint", Kind::constraint),
  });
}

} // namespace

std::vector<LayerType> convolution_layers() {
  return {{{"keras.layers.Conv2D", conv2d_arguments()}, apply_conv2d},
          {{"keras.layers.Conv2DTranspose", conv2d_transpose_arguments()}, apply_conv2d_transpose},
          {{"keras.layers.Conv1D", conv1d_arguments()}, apply_conv1d},
          {{"keras.layers.DepthwiseConv2D", depthwise_arguments()}, apply_depthwise_conv2d},
          {{"keras.layers.SeparableConv2D", separable_arguments()}, apply_separable_conv2d}};
}

} // namespace sinter

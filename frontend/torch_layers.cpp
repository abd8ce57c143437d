// The layers of torch.nn. Images are [N,channels,height,width], as torch has them: a layer that
// works along channels turns them to channels-last and back, and the passes cancel what meets.
#include "frontend/layer_table.h"
#include "frontend/torch_modules.h"
#include "ir/ops/window.h"

#include <cmath>
#include <numeric>

namespace sinter {

namespace {

using Kind = ArgumentKind;
using Specs = std::vector<ArgumentSpec>;

constexpr const char *kTorchImages = "images [N,channels,height,width]";

NodeId to_channels_last(LayerBuilder &b, NodeId x) {
  return b.append(OpKind::transpose, {x}, TransposeAttrs{channels_last_order(4)});
}
NodeId to_channels_first(LayerBuilder &b, NodeId x) {
  return b.append(OpKind::transpose, {x}, TransposeAttrs{channels_first_order(4)});
}

/// A non-negative integer or two of them.
std::array<int64_t, 2> extents(const LayerBuilder &b, const char *name) {
  const Value &value = b.arguments()[name];
  const std::vector<Value> *items = sequence_items(value);
  const Value &first = items && items->size() == 2 ? (*items)[0] : value;
  const Value &second = items && items->size() == 2 ? (*items)[1] : value;
  const auto *rows = std::get_if<int64_t>(&first);
  const auto *columns = std::get_if<int64_t>(&second);
  if (!rows || !columns || *rows < 0 || *columns < 0 || *rows > INT32_MAX || *columns > INT32_MAX)
    b.fail("needs {} as one or two integers of at least 0, got {}", name, describe(value));
  return {*rows, *columns};
}

/// torch's default for weights and biases: uniform in +-1 / sqrt(fan_in).
InitialValues default_initializer(int64_t fan_in) {
  const double bound = 1 / std::sqrt(static_cast<double>(std::max<int64_t>(fan_in, 1)));
  return {"uniform", static_cast<float>(-bound), static_cast<float>(bound)};
}

/// `padding`: n, (rows, columns), 'same' or 'valid'; the odd pixel of 'same' is at the bottom and
/// right.
std::array<int64_t, 4> conv_padding(const LayerBuilder &b, const std::array<int64_t, 2> &size,
                                    const std::array<int64_t, 2> &dilations) {
  const auto *text = std::get_if<std::string>(&b.arguments()["padding"]);
  if (!text) {
    const std::array<int64_t, 2> both = extents(b, "padding");
    return {both[0], both[1], both[0], both[1]};
  }
  if (*text != "same" && *text != "valid")
    b.fail("needs padding as integers, 'same' or 'valid', got '{}'", *text);
  std::array<int64_t, 4> padding{};
  for (size_t d = 0; d < 2 && *text == "same"; ++d) {
    const int64_t total = dilations[d] * (size[d] - 1);
    padding[d] = total / 2;
    padding[d + 2] = total - total / 2;
  }
  return padding;
}

void require_channels(const LayerBuilder &b, int64_t expected, int64_t given) {
  if (expected != given)
    b.fail("expects {} input channels, got {}", expected, given);
}

void require_groups(const LayerBuilder &b, int64_t channels, int64_t filters, int64_t groups) {
  if (channels % groups != 0 || filters % groups != 0)
    b.fail("cannot split {} input channels and {} filters into {} groups", channels, filters,
           groups);
}

/// y + bias, unless the argument bias is False.
NodeId with_bias(LayerBuilder &b, NodeId y, int64_t channels, const InitialValues &initial) {
  if (!b.arguments().boolean("bias"))
    return y;
  return b.append(OpKind::bias_add, {y, b.parameter("bias", {channels}, initial)});
}

/// What an argument says of the input; the lazy layers leave it to the input.
int64_t input_extent(const LayerBuilder &b, std::string_view name, int64_t given) {
  return b.arguments().has(name) ? b.arguments().integer(name) : given;
}

NodeId apply_conv2d(LayerBuilder &b, const std::vector<NodeId> &inputs) {
  b.require_rank(inputs[0], 4, kTorchImages);
  const Arguments &arguments = b.arguments();
  const int64_t channels = input_extent(b, "in_channels", b.shape(inputs[0])[1]);
  const int64_t filters = arguments.integer("out_channels");
  const std::array<int64_t, 2> size = arguments.pair("kernel_size");
  Conv2dAttrs attrs;
  attrs.strides = arguments.pair("stride");
  attrs.dilations = arguments.pair("dilation");
  attrs.groups = arguments.integer("groups");
  attrs.padding = conv_padding(b, size, attrs.dilations);
  require_channels(b, channels, b.shape(inputs[0])[1]);
  require_groups(b, channels, filters, attrs.groups);
  const NodeId x = to_channels_last(b, inputs[0]);
  const Shape input = b.shape(x);
  for (size_t d = 0; d < 2; ++d)
    if (window_count(input[d + 1], attrs.padding[d] + attrs.padding[d + 2],
                     window_span(size[d], attrs.dilations[d]), attrs.strides[d]) == 0)
      b.fail("has a kernel of {} x {}, larger than its input {}", size[0], size[1],
             str(b.shape(inputs[0])));
  const int64_t depth = channels / attrs.groups;
  const InitialValues initializer = default_initializer(depth * size[0] * size[1]);
  const NodeId weight = b.parameter("weight", {size[0], size[1], depth, filters}, initializer);
  const NodeId y = b.append(OpKind::conv2d, {x, weight}, attrs);
  return to_channels_first(b, with_bias(b, y, filters, initializer));
}

/// The transposed convolution; torch's weight [in, out / groups, height, width] is a convolution's
/// filter from the result to x.
NodeId apply_conv_transpose2d(LayerBuilder &b, const std::vector<NodeId> &inputs) {
  b.require_rank(inputs[0], 4, kTorchImages);
  const Arguments &arguments = b.arguments();
  const int64_t channels = input_extent(b, "in_channels", b.shape(inputs[0])[1]);
  const int64_t filters = arguments.integer("out_channels");
  require_channels(b, channels, b.shape(inputs[0])[1]);
  const std::array<int64_t, 2> size = arguments.pair("kernel_size");
  const std::array<int64_t, 2> padding = extents(b, "padding");
  const std::array<int64_t, 2> more = extents(b, "output_padding");
  const NodeId x = to_channels_last(b, inputs[0]);
  Conv2dGradientAttrs attrs;
  attrs.strides = arguments.pair("stride");
  attrs.dilations = arguments.pair("dilation");
  attrs.groups = arguments.integer("groups");
  attrs.padding = {padding[0], padding[1], padding[0], padding[1]};
  for (size_t d = 0; d < 2; ++d) {
    attrs.size[d] = (b.shape(x)[d + 1] - 1) * attrs.strides[d] - 2 * padding[d] +
                    window_span(size[d], attrs.dilations[d]) + more[d];
    if (attrs.size[d] < 1 || more[d] >= attrs.strides[d])
      b.fail("with padding {} and output_padding {} has no result", padding[d], more[d]);
  }
  require_groups(b, channels, filters, attrs.groups);
  const int64_t depth = filters / attrs.groups;
  const InitialValues initial = default_initializer(depth * size[0] * size[1]);
  const NodeId weight = b.parameter("weight", {size[0], size[1], depth, channels}, initial);
  const NodeId y = b.append(OpKind::conv2d_input_gradient, {x, weight}, attrs);
  return to_channels_first(b, with_bias(b, y, filters, initial));
}

NodeId apply_linear(LayerBuilder &b, const std::vector<NodeId> &inputs) {
  b.require_rank(inputs[0], 2, "rows [N,features]");
  const Arguments &arguments = b.arguments();
  const int64_t in = input_extent(b, "in_features", b.shape(inputs[0])[1]);
  const int64_t out = arguments.integer("out_features");
  if (b.shape(inputs[0])[1] != in)
    b.fail("expects {} input features, got {}", in, b.shape(inputs[0])[1]);
  const InitialValues initializer = default_initializer(in);
  const NodeId weight = b.parameter("weight", {in, out}, initializer);
  const NodeId y = b.append(OpKind::matmul, {inputs[0], weight}, MatmulAttrs{});
  return with_bias(b, y, out, initializer);
}

template <OpKind kind> NodeId apply_pool2d(LayerBuilder &b, const std::vector<NodeId> &inputs) {
  b.require_rank(inputs[0], 4, kTorchImages);
  const Arguments &arguments = b.arguments();
  const NodeId x = to_channels_last(b, inputs[0]);
  const Shape input = b.shape(x);
  Pool2dAttrs attrs;
  attrs.size = arguments.pair("kernel_size");
  attrs.strides = arguments.is_none("stride") ? attrs.size : arguments.pair("stride");
  const std::array<int64_t, 2> padding = extents(b, "padding");
  attrs.padding = {padding[0], padding[1], padding[0], padding[1]};
  const bool average = kind == OpKind::average_pool2d;
  attrs.count_include_pad = average && arguments.boolean("count_include_pad");
  for (size_t d = 0; d < 2; ++d)
    if (input[d + 1] + 2 * padding[d] < attrs.size[d] || 2 * padding[d] > attrs.size[d])
      b.fail("has a window of {} x {} that does not fit its input {}", attrs.size[0], attrs.size[1],
             str(b.shape(inputs[0])));
  std::array<int64_t, 2> beyond{};
  if (arguments.boolean("ceil_mode"))
    beyond = compose::partial_windows(input, attrs);
  if (average) {
    Composer composer = b.composer();
    return to_channels_first(b, compose::average_pool(composer, x, attrs, beyond));
  }
  attrs.padding[2] += beyond[0];
  attrs.padding[3] += beyond[1];
  return to_channels_first(b, b.append(kind, {x}, attrs));
}

/// Windows of equal extent, which exist where the output's divides the input's.
template <OpKind pool, OpKind whole>
NodeId apply_adaptive_pool2d(LayerBuilder &b, const std::vector<NodeId> &inputs) {
  b.require_rank(inputs[0], 4, kTorchImages);
  const Shape input = b.shape(inputs[0]);
  const Value &value = b.arguments()["output_size"];
  const std::vector<Value> *items = sequence_items(value);
  Pool2dAttrs attrs;
  std::array<int64_t, 2> output{};
  for (size_t d = 0; d < 2; ++d) {
    const Value &item = items && items->size() == 2 ? (*items)[d] : value;
    const auto *extent = std::get_if<int64_t>(&item);
    output[d] = std::holds_alternative<None>(item) ? input[d + 2] : extent ? *extent : 0;
    if (output[d] < 1 || input[d + 2] % output[d] != 0)
      b.fail("needs an output size that divides its input {}, got {}", str(input), describe(value));
    attrs.size[d] = attrs.strides[d] = input[d + 2] / output[d];
  }
  if (output[0] == 1 && output[1] == 1)
    return b.append(whole, {inputs[0]}, ReduceAttrs{{2, 3}, /*keep_dims=*/true});
  if (attrs.size == std::array<int64_t, 2>{1, 1})
    return inputs[0];
  return to_channels_first(b, b.append(pool, {to_channels_last(b, inputs[0])}, attrs));
}

/// torch's momentum is that of the new statistics, and the variance among them the sample estimate.
template <int rank> NodeId apply_batch_norm(LayerBuilder &b, const std::vector<NodeId> &inputs) {
  b.require_rank(inputs[0], rank, rank == 4 ? kTorchImages : "rows [N,features]");
  const Arguments &arguments = b.arguments();
  const Shape channels{input_extent(b, "num_features", b.shape(inputs[0])[1])};
  require_channels(b, channels[0], b.shape(inputs[0])[1]);
  const bool affine = arguments.boolean("affine");
  const NodeId weight =
      affine ? b.parameter("weight", channels, InitialValues{"ones"}) : b.constant(channels, 1);
  const NodeId bias =
      affine ? b.parameter("bias", channels, InitialValues{}) : b.constant(channels, 0);
  const NodeId mean = b.parameter("running_mean", channels, InitialValues{}, "statistic");
  const NodeId variance = b.parameter("running_var", channels, InitialValues{"ones"}, "statistic");
  BatchNormAttrs attrs{arguments.real("eps"), 1 - arguments.number("momentum")};
  attrs.sample_variance = true;
  const NodeId x = rank == 4 ? to_channels_last(b, inputs[0]) : inputs[0];
  const NodeId y = b.append(OpKind::batch_norm, {x, weight, bias, mean, variance}, attrs);
  return rank == 4 ? to_channels_first(b, y) : y;
}

template <OpKind kind> NodeId apply_unary(LayerBuilder &b, const std::vector<NodeId> &inputs) {
  return b.append(kind, {inputs[0]});
}

/// What compose.h spells for Keras, torch and ONNX alike.
template <NodeId (*function)(Composer &, NodeId)>
NodeId apply_composed(LayerBuilder &b, const std::vector<NodeId> &inputs) {
  Composer composer = b.composer();
  return function(composer, inputs[0]);
}

NodeId apply_gelu(LayerBuilder &b, const std::vector<NodeId> &inputs) {
  Composer composer = b.composer();
  return b.arguments().text("approximate") == "tanh" ? compose::gelu_tanh(composer, inputs[0])
                                                     : compose::gelu(composer, inputs[0]);
}

NodeId apply_relu6(LayerBuilder &b, const std::vector<NodeId> &inputs) {
  Composer composer = b.composer();
  return compose::clip(composer, inputs[0], 0, 6);
}

NodeId apply_hard_sigmoid(LayerBuilder &b, const std::vector<NodeId> &inputs) {
  Composer composer = b.composer();
  return compose::hard_sigmoid(composer, inputs[0], 1.0F / 6);
}

NodeId apply_leaky_relu(LayerBuilder &b, const std::vector<NodeId> &inputs) {
  Composer composer = b.composer();
  return compose::leaky_relu(composer, inputs[0], b.arguments().real("negative_slope"));
}

NodeId apply_elu(LayerBuilder &b, const std::vector<NodeId> &inputs) {
  Composer composer = b.composer();
  return compose::elu(composer, inputs[0], b.arguments().real("alpha"));
}

/// One slope, or one a channel.
NodeId apply_prelu(LayerBuilder &b, const std::vector<NodeId> &inputs) {
  const int64_t count = b.arguments().integer("num_parameters");
  const Shape input = b.shape(inputs[0]);
  if (count != 1 && count != input[1])
    b.fail("has {} slopes for {} channels", count, input[1]);
  NodeId slope =
      b.parameter("weight", {count}, InitialValues{"constant", b.arguments().real("init")});
  Shape shape(input.size() - 1, 1);
  shape[0] = count;
  slope = b.reshape(slope, shape);
  Composer composer = b.composer();
  return compose::prelu(composer, inputs[0], slope);
}

template <NodeId (*function)(Composer &, NodeId, int64_t)>
NodeId apply_along(LayerBuilder &b, const std::vector<NodeId> &inputs) {
  const int64_t rank = b.type(inputs[0]).rank();
  const Value &dim = b.arguments()["dim"];
  const auto *given = std::get_if<int64_t>(&dim);
  const int64_t axis = !given ? 1 : *given < 0 ? *given + rank : *given; // None: the channels
  if (axis < 1 || axis >= rank)
    b.fail("along dimension {} is not supported for an input {}", describe(dim),
           str(b.shape(inputs[0])));
  Composer composer = b.composer();
  return function(composer, inputs[0], axis);
}

NodeId apply_dropout(LayerBuilder &b, const std::vector<NodeId> &inputs) {
  const float rate = b.arguments().real("p");
  return rate == 0 ? inputs[0] : b.append(OpKind::dropout, {inputs[0]}, DropoutAttrs{rate, 0, {}});
}

/// Whole channels are dropped; of [N,channels] that is single values.
NodeId apply_dropout2d(LayerBuilder &b, const std::vector<NodeId> &inputs) {
  if (b.shape(inputs[0]).size() == 2)
    return apply_dropout(b, inputs);
  b.require_rank(inputs[0], 4, kTorchImages);
  const float rate = b.arguments().real("p");
  return rate == 0 ? inputs[0]
                   : b.append(OpKind::dropout, {inputs[0]}, DropoutAttrs{rate, 0, {2, 3}});
}

NodeId apply_flatten(LayerBuilder &b, const std::vector<NodeId> &inputs) {
  const Shape input = b.shape(inputs[0]);
  const auto rank = static_cast<int64_t>(input.size());
  const int64_t start = b.arguments().integer("start_dim");
  const int64_t given = b.arguments().integer("end_dim");
  const int64_t end = given < 0 ? given + rank : given;
  if (start < 1 || end >= rank || end < start)
    b.fail("from dimension {} to {} is not supported for an input {}", start, given, str(input));
  Shape shape(input.begin(), input.begin() + start);
  shape.push_back(std::accumulate(input.begin() + start, input.begin() + end + 1, int64_t{1},
                                  std::multiplies<>()));
  shape.insert(shape.end(), input.begin() + end + 1, input.end());
  return b.reshape(inputs[0], shape);
}

NodeId apply_identity(LayerBuilder &, const std::vector<NodeId> &inputs) { return inputs[0]; }

/// x / (k + alpha * mean of x^2 over `size` channels) ^ beta
NodeId apply_local_response_norm(LayerBuilder &b, const std::vector<NodeId> &inputs) {
  b.require_rank(inputs[0], 4, kTorchImages);
  const Arguments &arguments = b.arguments();
  const int64_t size = arguments.integer("size");
  const NodeId x = to_channels_last(b, inputs[0]);
  Composer composer = b.composer();
  return to_channels_first(
      b, compose::local_response_norm(composer, x, {size / 2, (size - 1) / 2},
                                      arguments.real("alpha") / static_cast<float>(size),
                                      arguments.real("beta"), arguments.real("k")));
}

/// Bilinearly, the corners are either the images' or, with align_corners, the centres of the
/// outermost pixels.
NodeId apply_upsample(LayerBuilder &b, const std::vector<NodeId> &inputs) {
  b.require_rank(inputs[0], 4, kTorchImages);
  const Arguments &arguments = b.arguments();
  std::optional<compose::Coordinates> bilinear;
  if (arguments.text("mode") == "bilinear")
    bilinear = compose::Coordinates::half_pixel;
  else if (!arguments.is_none("align_corners"))
    b.fail("takes align_corners with mode='bilinear' only");
  if (!arguments.is_none("align_corners") && arguments.boolean("align_corners"))
    bilinear = compose::Coordinates::align_corners;
  return append_upsampling(b, inputs[0], 2, arguments.pair("scale_factor"), bilinear);
}

/// (left, right, top, bottom), or n for all.
NodeId apply_zero_pad2d(LayerBuilder &b, const std::vector<NodeId> &inputs) {
  b.require_rank(inputs[0], 4, kTorchImages);
  const Value &value = b.arguments()["padding"];
  const std::vector<Value> *items = sequence_items(value);
  std::array<int64_t, 4> sides{};
  for (size_t i = 0; i < 4; ++i) {
    const auto *side = std::get_if<int64_t>(items && items->size() == 4 ? &(*items)[i] : &value);
    if (!side || *side < 0 || *side > INT32_MAX)
      b.fail("needs padding as n or (left, right, top, bottom), got {}", describe(value));
    sides[i] = *side;
  }
  return b.append(OpKind::pad, {inputs[0]},
                  PadAttrs{{0, 0, sides[2], sides[0]}, {0, 0, sides[3], sides[1]}, 0});
}

ArgumentSpec flag(const char *name, bool fallback) {
  return optional(name, Kind::boolean, Value(fallback));
}

Specs conv_arguments() {
  return {required("in_channels", Kind::positive), required("out_channels", Kind::positive),
          required("kernel_size", Kind::pair),     optional("stride", Kind::pair, 1),
          optional("padding", Kind::any, 0),       optional("dilation", Kind::pair, 1),
          optional("groups", Kind::positive, 1),   flag("bias", true),
          choice("padding_mode", "zeros", "zeros")};
}

Specs pool_arguments(bool average) {
  Specs arguments = {required("kernel_size", Kind::pair), optional("stride", Kind::pair),
                     optional("padding", Kind::any, 0)};
  if (average) {
    arguments.insert(arguments.end(), {flag("ceil_mode", false), flag("count_include_pad", true),
                                       optional("divisor_override", Kind::unsupported)});
  } else {
    arguments.insert(arguments.end(), {optional("dilation", Kind::unsupported, 1),
                                       optional("return_indices", Kind::unsupported, Value(false)),
                                       flag("ceil_mode", false)});
  }
  return arguments;
}

std::vector<LayerType> parametric_layers() {
  const Specs norm = {required("num_features", Kind::positive),
                      optional("eps", Kind::number, Value(1e-5)),
                      optional("momentum", Kind::fraction, Value(0.1)), flag("affine", true),
                      optional("track_running_stats", Kind::unsupported, Value(true))};
  const Specs transpose = {
      required("in_channels", Kind::positive), required("out_channels", Kind::positive),
      required("kernel_size", Kind::pair),     optional("stride", Kind::pair, 1),
      optional("padding", Kind::any, 0),       optional("output_padding", Kind::any, 0),
      optional("groups", Kind::positive, 1),   flag("bias", true),
      optional("dilation", Kind::pair, 1)};
  const auto lazy = [](Specs arguments) {
    arguments.erase(arguments.begin());
    return arguments;
  };
  const Specs linear = {required("in_features", Kind::positive),
                        required("out_features", Kind::positive), flag("bias", true)};
  return {{{"torch.nn.Conv2d", conv_arguments()}, apply_conv2d},
          {{"torch.nn.ConvTranspose2d", transpose}, apply_conv_transpose2d},
          {{"torch.nn.Linear", linear}, apply_linear},
          {{"torch.nn.LazyConv2d", lazy(conv_arguments())}, apply_conv2d},
          {{"torch.nn.LazyConvTranspose2d", lazy(transpose)}, apply_conv_transpose2d},
          {{"torch.nn.LazyLinear", lazy(linear)}, apply_linear},
          {{"torch.nn.LazyBatchNorm2d", lazy(norm)}, apply_batch_norm<4>},
          {{"torch.nn.LazyBatchNorm1d", lazy(norm)}, apply_batch_norm<2>},
          {{"torch.nn.BatchNorm2d", norm}, apply_batch_norm<4>},
          {{"torch.nn.BatchNorm1d", norm}, apply_batch_norm<2>},
          {{"torch.nn.PReLU",
            {optional("num_parameters", Kind::positive, 1),
             optional("init", Kind::number, Value(0.25))}},
           apply_prelu}};
}

std::vector<LayerType> module_activations() {
  const Specs in_place = {optional("inplace", Kind::ignored)};
  const Specs dim = {optional("dim", Kind::any)};
  return {
      {{"torch.nn.ReLU", in_place}, apply_unary<OpKind::relu>},
      {{"torch.nn.ReLU6", in_place}, apply_relu6},
      {{"torch.nn.LeakyReLU",
        {optional("negative_slope", Kind::number, Value(0.01)),
         optional("inplace", Kind::ignored)}},
       apply_leaky_relu},
      {{"torch.nn.ELU", {optional("alpha", Kind::number, 1), optional("inplace", Kind::ignored)}},
       apply_elu},
      {{"torch.nn.Sigmoid", {}}, apply_unary<OpKind::sigmoid>},
      {{"torch.nn.Tanh", {}}, apply_unary<OpKind::tanh>},
      {{"torch.nn.SiLU", in_place}, apply_composed<compose::silu>},
      {{"torch.nn.Mish", in_place}, apply_composed<compose::mish>},
      {{"torch.nn.Softplus", {}}, apply_composed<compose::softplus>},
      {{"torch.nn.Hardswish", in_place}, apply_composed<compose::hard_swish>},
      {{"torch.nn.Hardsigmoid", in_place}, apply_hard_sigmoid},
      {{"torch.nn.GELU", {choice("approximate", "none", "none|tanh")}}, apply_gelu},
      {{"torch.nn.Softmax", dim}, apply_along<compose::softmax>},
      {{"torch.nn.LogSoftmax", dim}, apply_along<compose::log_softmax>}};
}

std::vector<LayerType> window_and_shape_layers() {
  const Specs rate = {optional("p", Kind::fraction, Value(0.5)),
                      optional("training", Kind::ignored), optional("inplace", Kind::ignored)};
  const Specs output_size = {required("output_size", Kind::any)};
  return {
      {{"torch.nn.MaxPool2d", pool_arguments(false)}, apply_pool2d<OpKind::max_pool2d>},
      {{"torch.nn.AvgPool2d", pool_arguments(true)}, apply_pool2d<OpKind::average_pool2d>},
      {{"torch.nn.AdaptiveAvgPool2d", output_size},
       apply_adaptive_pool2d<OpKind::average_pool2d, OpKind::reduce_mean>},
      {{"torch.nn.AdaptiveMaxPool2d", output_size},
       apply_adaptive_pool2d<OpKind::max_pool2d, OpKind::reduce_max>},
      {{"torch.nn.Dropout", rate}, apply_dropout},
      {{"torch.nn.Dropout2d", rate}, apply_dropout2d},
      {{"torch.nn.Flatten",
        {optional("start_dim", Kind::integer, 1), optional("end_dim", Kind::integer, -1)}},
       apply_flatten},
      {{"torch.nn.Identity", {optional("values", Kind::rest), optional("options", Kind::keywords)}},
       apply_identity},
      {{"torch.nn.LocalResponseNorm",
        {required("size", Kind::positive), optional("alpha", Kind::number, Value(1e-4)),
         optional("beta", Kind::number, Value(0.75)), optional("k", Kind::number, 1)}},
       apply_local_response_norm},
      {{"torch.nn.Upsample",
        {optional("size", Kind::unsupported), required("scale_factor", Kind::pair),
         choice("mode", "nearest", "nearest|bilinear"), optional("align_corners", Kind::boolean)}},
       apply_upsample},
      {{"torch.nn.ZeroPad2d", {required("padding", Kind::any)}}, apply_zero_pad2d}};
}

} // namespace

std::vector<LayerType> torch_layers() {
  std::vector<LayerType> all;
  for (auto *family : {parametric_layers, module_activations, window_and_shape_layers})
    for (LayerType &type : family())
      all.push_back(std::move(type));
  return all;
}

} // namespace sinter

// Layers that change an image's extent: padding, cropping, magnifying.
#include "frontend/layer_table.h"

#include <algorithm>

namespace sinter {

namespace {

/// Pixels at each side, {top, left, bottom, right}, from the argument `name`: n,
/// (vertical, horizontal) or ((top, bottom), (left, right)).
std::array<int64_t, 4> border(const LayerBuilder &b, const char *name) {
  const Value &value = b.arguments()[name];
  const auto amount = [&](const Value &v) {
    const auto *integer = std::get_if<int64_t>(&v);
    if (!integer || *integer < 0 || *integer > INT32_MAX)
      b.fail("needs {} of at least 0 pixels: n, (rows, columns) or ((top, bottom), (left, "
             "right)), got {}",
             name, describe(value));
    return *integer;
  };
  const auto sides = [&](const Value &v) -> std::array<int64_t, 2> {
    const std::vector<Value> *items = sequence_items(v);
    if (!items)
      return {amount(v), amount(v)};
    if (items->size() != 2)
      b.fail("needs {} of two sides, got {}", name, describe(v));
    return {amount((*items)[0]), amount((*items)[1])};
  };
  const std::vector<Value> *items = sequence_items(value);
  if (items && items->size() != 2)
    b.fail("needs {} of two dimensions, got {}", name, describe(value));
  const auto rows = sides(items ? (*items)[0] : value);
  const auto columns = sides(items ? (*items)[1] : value);
  return {rows[0], columns[0], rows[1], columns[1]};
}

NodeId apply_zero_padding2d(LayerBuilder &b, const std::vector<NodeId> &inputs) {
  b.require_rank(inputs[0], 4, kImages);
  const auto [top, left, bottom, right] = border(b, "padding");
  return b.append(OpKind::pad, {inputs[0]}, PadAttrs{{0, top, left, 0}, {0, bottom, right, 0}, 0});
}

NodeId apply_cropping2d(LayerBuilder &b, const std::vector<NodeId> &inputs) {
  b.require_rank(inputs[0], 4, kImages);
  const Shape input = b.shape(inputs[0]);
  const auto [top, left, bottom, right] = border(b, "cropping");
  if (top + bottom >= input[1] || left + right >= input[2])
    b.fail("cannot crop {} rows and {} columns off an input {}", top + bottom, left + right,
           str(input));
  return b.append(
      OpKind::slice, {inputs[0]},
      SliceAttrs{{0, top, left, 0}, {kBatch, input[1] - bottom, input[2] - right, input[3]}});
}

/// n or (before, after) steps of a sequence.
std::array<int64_t, 2> ends(const LayerBuilder &b, const char *name) {
  const Value &value = b.arguments()[name];
  const std::vector<Value> *items = sequence_items(value);
  const auto *both = std::get_if<int64_t>(&value);
  const auto *first = items && items->size() == 2 ? std::get_if<int64_t>(&(*items)[0]) : both;
  const auto *last = items && items->size() == 2 ? std::get_if<int64_t>(&(*items)[1]) : both;
  if (!first || !last || *first < 0 || *last < 0 || *first > INT32_MAX || *last > INT32_MAX)
    b.fail("needs {} of at least 0 steps: n or (before, after), got {}", name, describe(value));
  return {*first, *last};
}

NodeId apply_zero_padding1d(LayerBuilder &b, const std::vector<NodeId> &inputs) {
  b.require_rank(inputs[0], 3, kSequences);
  const auto [before, after] = ends(b, "padding");
  return b.append(OpKind::pad, {inputs[0]}, PadAttrs{{0, before, 0}, {0, after, 0}, 0});
}

NodeId apply_cropping1d(LayerBuilder &b, const std::vector<NodeId> &inputs) {
  b.require_rank(inputs[0], 3, kSequences);
  const Shape input = b.shape(inputs[0]);
  const auto [before, after] = ends(b, "cropping");
  if (before + after >= input[1])
    b.fail("cannot crop {} steps off an input {}", before + after, str(input));
  return b.append(OpKind::slice, {inputs[0]},
                  SliceAttrs{{0, before, 0}, {kBatch, input[1] - after, input[2]}});
}

/// Every pixel repeated, or as many between it and its neighbours.
NodeId apply_upsampling2d(LayerBuilder &b, const std::vector<NodeId> &inputs) {
  b.require_rank(inputs[0], 4, kImages);
  const bool bilinear = b.arguments().text("interpolation") == "bilinear";
  return append_upsampling(b, inputs[0], 1, b.arguments().pair("size"),
                           bilinear ? std::optional(compose::Coordinates::half_pixel)
                                    : std::nullopt);
}

NodeId apply_upsampling1d(LayerBuilder &b, const std::vector<NodeId> &inputs) {
  b.require_rank(inputs[0], 3, kSequences);
  const Shape x = b.shape(inputs[0]);
  const int64_t times = b.arguments().integer("size");
  const NodeId y = b.append(OpKind::broadcast, {inputs[0]},
                            BroadcastAttrs{{kBatch, x[1], times, x[2]}, {2}, false});
  return b.reshape(y, {kBatch, x[1] * times, x[2]});
}

/// [N,features] as [N,n,features].
NodeId apply_repeat_vector(LayerBuilder &b, const std::vector<NodeId> &inputs) {
  b.require_rank(inputs[0], 2, "rows [N,features]");
  return b.append(
      OpKind::broadcast, {inputs[0]},
      BroadcastAttrs{{kBatch, b.arguments().integer("n"), b.shape(inputs[0])[1]}, {1}, false});
}

} // namespace

NodeId append_upsampling(LayerBuilder &b, NodeId image, int64_t rows,
                         const std::array<int64_t, 2> &times,
                         std::optional<compose::Coordinates> bilinear) {
  const Shape x = b.shape(image);
  Shape result = x;
  for (size_t d = 0; d < 2; ++d)
    result[static_cast<size_t>(rows) + d] *= times[d];
  if (!checked_element_count(result))
    b.fail("makes of {} more than {} elements", str(x), kMaxElements);
  const int64_t height = result[static_cast<size_t>(rows)];
  const int64_t width = result[static_cast<size_t>(rows) + 1];
  if (bilinear) {
    if (std::max(height, width) > kLongestTable)
      b.fail("interpolates {} x {} pixels; more than {} a side are not supported", height, width,
             kLongestTable);
    compose::ResizeRules rules;
    rules.interpolation = compose::Interpolation::linear;
    rules.coordinates = *bilinear;
    Composer composer = b.composer();
    return compose::resize(composer, image,
                           {{rows, height, static_cast<double>(times[0])},
                            {rows + 1, width, static_cast<double>(times[1])}},
                           rules);
  }
  Shape repeated = x;
  repeated.insert(repeated.begin() + rows + 2, times[1]);
  repeated.insert(repeated.begin() + rows + 1, times[0]);
  const NodeId y =
      b.append(OpKind::broadcast, {image}, BroadcastAttrs{repeated, {rows + 1, rows + 3}, false});
  return b.reshape(y, result);
}

std::vector<LayerType> border_layers() {
  using Kind = ArgumentKind;
  const auto with = [](std::vector<ArgumentSpec> arguments) {
    arguments.push_back(data_format_argument());
    return with_common_arguments(std::move(arguments));
  };
  return {
      {{"keras.layers.ZeroPadding2D", with({optional("padding", Kind::any, 1)})},
       apply_zero_padding2d},
      {{"keras.layers.ZeroPadding1D", with({optional("padding", Kind::any, 1)})},
       apply_zero_padding1d},
      {{"keras.layers.Cropping2D", with({optional("cropping", Kind::any, 0)})}, apply_cropping2d},
      {{"keras.layers.Cropping1D", with({optional("cropping", Kind::any, 1)})}, apply_cropping1d},
      {{"keras.layers.UpSampling2D",
        with_common_arguments({optional("size", Kind::pair, 2), data_format_argument(),
                               choice("interpolation", "nearest", "nearest|bilinear")})},
       apply_upsampling2d},
      {{"keras.layers.UpSampling1D", with_common_arguments({optional("size", Kind::single, 2)})},
       apply_upsampling1d},
      {{"keras.layers.RepeatVector", with_common_arguments({required("n", Kind::positive)})},
       apply_repeat_vector},
  };
}

} // namespace sinter

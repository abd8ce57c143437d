// Layers that change an image's extent: padding, cropping, magnifying.
#include "frontend/compose_resize.h"
#include "frontend/layer_table.h"

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

NodeId interpolate(LayerBuilder &b, NodeId image, int64_t rows, int64_t columns) {
  const Shape x = b.shape(image);
  compose::ResizeRules rules;
  rules.interpolation = compose::Interpolation::linear;
  Composer composer = b.composer();
  return compose::resize(composer, image,
                         {{1, x[1] * rows, static_cast<double>(rows)},
                          {2, x[2] * columns, static_cast<double>(columns)}},
                         rules);
}

/// Every pixel repeated rows x columns times, or as many between it and its neighbours.
NodeId apply_upsampling2d(LayerBuilder &b, const std::vector<NodeId> &inputs) {
  b.require_rank(inputs[0], 4, kImages);
  const Shape x = b.shape(inputs[0]);
  const auto [rows, columns] = b.arguments().pair("size");
  const Shape repeated{kBatch, x[1], rows, x[2], columns, x[3]};
  if (!checked_element_count(repeated))
    b.fail("makes of {} more than {} elements", str(x), kMaxElements);
  if (b.arguments().text("interpolation") == "bilinear")
    return interpolate(b, inputs[0], rows, columns);
  const NodeId y =
      b.append(OpKind::broadcast, {inputs[0]}, BroadcastAttrs{repeated, {2, 4}, false});
  return b.reshape(y, {kBatch, x[1] * rows, x[2] * columns, x[3]});
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

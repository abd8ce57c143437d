// Layers that make other pictures of pictures: at random in training, else not at all; and those
// that bring pictures to a size.
#include "frontend/layer_table.h"

#include <algorithm>
#include <cmath>

namespace sinter {

namespace {

using Kind = ArgumentKind;

struct Range {
  float low = 0;
  float high = 0;
};

std::optional<float> finite_number(const Value &value) {
  if (!is_number(value) || !std::isfinite(to_number(value)))
    return std::nullopt;
  return static_cast<float>(to_number(value));
}

/// An argument (lower, upper).
Range pair_argument(const LayerBuilder &b, const char *name) {
  const Value &value = b.arguments()[name];
  const std::vector<Value> *items = sequence_items(value);
  const auto low = items && items->size() == 2 ? finite_number((*items)[0]) : std::nullopt;
  const auto high = low ? finite_number((*items)[1]) : std::nullopt;
  if (!high)
    b.fail("needs {} as two numbers (lower, upper), or as one of at least 0, got {}", name,
           describe(value));
  return {*low, *high};
}

/// An argument f, as much as to say (-f, f), or (lower, upper).
Range range_argument(const LayerBuilder &b, const char *name) {
  const Value &value = b.arguments()[name];
  if (const auto both = finite_number(value); both && *both >= 0)
    return {-*both, *both};
  return pair_argument(b, name);
}

/// A random number for each picture of x, which it broadcasts to.
NodeId draw(LayerBuilder &b, NodeId x, Range range) {
  Shape shape(b.shape(x).size(), 1);
  shape[0] = kBatch;
  Composer c = b.composer();
  return compose::affine(c, b.random_uniform(shape), range.high - range.low, range.low);
}

// ---- pictures as a whole -----------------------------------------------------------------------

NodeId flip(LayerBuilder &b, NodeId x, int64_t axis) {
  const NodeId heads = b.append(OpKind::greater_equal, {draw(b, x, {0, 1}), b.constant({}, 0.5F)});
  return b.append(OpKind::select, {heads, b.append(OpKind::reverse, {x}, ReverseAttrs{{axis}}), x});
}

NodeId apply_random_flip(LayerBuilder &b, const std::vector<NodeId> &inputs) {
  b.require_rank(inputs[0], 4, kImages);
  const std::string &mode = b.arguments().text("mode");
  NodeId y = inputs[0];
  if (mode != "vertical")
    y = flip(b, y, 2);
  if (mode != "horizontal")
    y = flip(b, y, 1);
  return b.in_training(inputs[0], y);
}

Range values_of_pictures(const LayerBuilder &b) {
  return b.arguments().is_none("value_range") ? Range{0, 255} : pair_argument(b, "value_range");
}

NodeId clip_to_values(LayerBuilder &b, NodeId x) {
  const Range values = values_of_pictures(b);
  Composer c = b.composer();
  return compose::clip(c, x, values.low, values.high);
}

/// (x - mean) * factor + mean, the mean being that of each channel of a picture.
NodeId apply_random_contrast(LayerBuilder &b, const std::vector<NodeId> &inputs) {
  b.require_rank(inputs[0], 4, kImages);
  const NodeId x = inputs[0];
  Range factor = range_argument(b, "factor");
  if (sequence_items(b.arguments()["factor"])) // (lower, upper) stands for 1 - lower, 1 + upper
    factor.low = -factor.low;
  if (factor.low < -1)
    b.fail("takes at most 1 of the contrast away, got factor={}",
           describe(b.arguments()["factor"]));
  Composer c = b.composer();
  const NodeId mean = compose::reduce(c, OpKind::reduce_mean, x, {1, 2}, /*keep_dims=*/true);
  const NodeId scaled = b.append(OpKind::multiply, {b.append(OpKind::subtract, {x, mean}),
                                                    draw(b, x, {1 + factor.low, 1 + factor.high})});
  return b.in_training(x, clip_to_values(b, b.append(OpKind::add, {scaled, mean})));
}

/// x + a share of the values' range
NodeId apply_random_brightness(LayerBuilder &b, const std::vector<NodeId> &inputs) {
  b.require_rank(inputs[0], 4, kImages);
  const Range factor = range_argument(b, "factor");
  const Range values = values_of_pictures(b);
  const float width = values.high - values.low;
  const NodeId added = draw(b, inputs[0], {factor.low * width, factor.high * width});
  return b.in_training(inputs[0], clip_to_values(b, b.append(OpKind::add, {inputs[0], added})));
}

// ---- pixels from elsewhere ---------------------------------------------------------------------

/// Which pixels a picture [N,height,width,channels] is made of: for each of its own, the row and
/// the column of x that it is, as values that broadcast to [N,height,width,1].
struct Positions {
  NodeId row, column;
  int64_t height, width;
};

/// The extents of x, if there can be numbers for its rows and columns, and for its pixels in f32,
/// with `border` more of them on every side.
Shape require_numbered(const LayerBuilder &b, NodeId x, int64_t border) {
  constexpr int64_t kMostPixels = int64_t{1} << 24U;
  b.require_rank(x, 4, kImages);
  const Shape image = b.shape(x);
  if (std::max(image[1], image[2]) > kLongestTable ||
      (image[1] + 2 * border) * (image[2] + 2 * border) > kMostPixels)
    b.fail("of pictures of {} x {} pixels is not supported", image[1], image[2]);
  return image;
}

NodeId row_numbers(LayerBuilder &b, int64_t height) {
  std::vector<float> numbers(static_cast<size_t>(height));
  for (size_t i = 0; i < numbers.size(); ++i)
    numbers[i] = static_cast<float>(i);
  return b.constant({height, 1, 1}, numbers);
}

NodeId column_numbers(LayerBuilder &b, int64_t width) {
  return b.reshape(row_numbers(b, width), {1, width, 1});
}

/// Pixels of x at rows and columns that are whole numbers within it.
NodeId take_pixels(LayerBuilder &b, NodeId x, const Positions &at) {
  const Shape image = b.shape(x);
  const int64_t count = at.height * at.width;
  Composer c = b.composer();
  const NodeId first = compose::affine(c, at.row, static_cast<float>(image[2]));
  const NodeId index = compose::expand(c, b.append(OpKind::add, {first, at.column}),
                                       {kBatch, at.height, at.width, 1});
  const NodeId whole = b.append(OpKind::cast, {index}, CastAttrs{ElementType::i32});
  const NodeId repeated =
      compose::expand(c, b.reshape(whole, {kBatch, count, 1}), {kBatch, count, image[3]});
  const NodeId pixels = b.reshape(x, {kBatch, image[1] * image[2], image[3]});
  return b.reshape(b.append(OpKind::gather_elements, {pixels, repeated}, AxisAttrs{1}),
                   {kBatch, at.height, at.width, image[3]});
}

/// A coordinate beyond `count` pixels, moved back by their count. Like TensorFlow it takes the
/// pixels to repeat after count - 1 of them: what lies farther away is moved once too often now and
/// then, and ends at the border.
NodeId wrapped(LayerBuilder &b, NodeId coordinate, float count) {
  Composer c = b.composer();
  const NodeId last = b.constant({}, std::max(count - 1, 1.0F));
  const auto moved = [&](NodeId distance) { // towards 0
    const NodeId times = b.append(OpKind::floor, {b.append(OpKind::divide, {distance, last})});
    return b.append(OpKind::subtract, {distance, compose::affine(c, times, count)});
  };
  const NodeId below = compose::affine(c, moved(compose::affine(c, coordinate, -1)), -1, count);
  const NodeId above = b.append(OpKind::select, {b.append(OpKind::greater, {coordinate, last}),
                                                 moved(coordinate), coordinate});
  const NodeId positive = b.append(OpKind::greater_equal, {coordinate, b.constant({}, 0)});
  return b.append(OpKind::select, {positive, above, below});
}

/// Where a coordinate lies that may be outside of `extent` pixels, as TensorFlow's
/// ImageProjectiveTransformV3 does it.
NodeId brought_inside(LayerBuilder &b, NodeId coordinate, int64_t extent, const std::string &mode) {
  Composer c = b.composer();
  const auto count = static_cast<float>(extent);
  if (mode == "reflect") { // d c b a | a b c d | d c b a
    const NodeId turn =
        b.append(OpKind::mod, {compose::affine(c, coordinate, 1, 0.5F), b.constant({}, 2 * count)});
    const NodeId folded =
        b.append(OpKind::minimum, {turn, compose::affine(c, turn, -1, 2 * count)});
    coordinate = compose::affine(c, folded, 1, -0.5F);
  } else if (mode == "wrap") {
    coordinate = wrapped(b, coordinate, count);
  }
  return compose::clip(c, coordinate, 0, count - 1);
}

/// The pixel before a coordinate, the one after it, and how near that is.
struct Neighbours {
  NodeId before, after, share;
};

Neighbours neighbours(LayerBuilder &b, NodeId coordinate, int64_t extent) {
  Composer c = b.composer();
  const NodeId before = b.append(OpKind::floor, {coordinate});
  const NodeId after = b.append(OpKind::minimum, {compose::affine(c, before, 1, 1),
                                                  b.constant({}, static_cast<float>(extent - 1))});
  return {before, after, b.append(OpKind::subtract, {coordinate, before})};
}

/// a + (b - a) * share
NodeId between(LayerBuilder &b, NodeId first, NodeId last, NodeId share) {
  const NodeId difference = b.append(OpKind::subtract, {last, first});
  return b.append(OpKind::add, {first, b.append(OpKind::multiply, {difference, share})});
}

/// The extents of a picture x that is to be sampled.
Shape require_sampled(const LayerBuilder &b, NodeId x) {
  return require_numbered(b, x, b.arguments().text("fill_mode") == "constant" ? 1 : 0);
}

/// x at positions between its pixels and around it, by the arguments fill_mode, fill_value and
/// interpolation.
NodeId sample(LayerBuilder &b, NodeId x, Positions at) {
  const std::string &mode = b.arguments().text("fill_mode");
  Composer c = b.composer();
  if (mode == "constant") { // a border of the value, to which all that is outside is held
    x = b.append(OpKind::pad, {x},
                 PadAttrs{{0, 1, 1, 0}, {0, 1, 1, 0}, b.arguments().real("fill_value")});
    at.row = compose::affine(c, at.row, 1, 1);
    at.column = compose::affine(c, at.column, 1, 1);
  }
  const Shape image = b.shape(x);
  at.row = brought_inside(b, at.row, image[1], mode);
  at.column = brought_inside(b, at.column, image[2], mode);
  if (b.arguments().text("interpolation") == "nearest") {
    at.row = b.append(OpKind::floor, {compose::affine(c, at.row, 1, 0.5F)});
    at.column = b.append(OpKind::floor, {compose::affine(c, at.column, 1, 0.5F)});
    return take_pixels(b, x, at);
  }
  const Neighbours rows = neighbours(b, at.row, image[1]);
  const Neighbours columns = neighbours(b, at.column, image[2]);
  const auto in_row = [&](NodeId row) {
    return between(b, take_pixels(b, x, {row, columns.before, at.height, at.width}),
                   take_pixels(b, x, {row, columns.after, at.height, at.width}), columns.share);
  };
  return between(b, in_row(rows.before), in_row(rows.after), rows.share);
}

/// By an angle of the argument's range, in turns, about the middle.
NodeId apply_random_rotation(LayerBuilder &b, const std::vector<NodeId> &inputs) {
  constexpr float kTurn = 6.28318530717958648F;
  const NodeId x = inputs[0];
  const Shape image = require_sampled(b, x);
  const Range turns = range_argument(b, "factor");
  const NodeId angle = draw(b, x, {turns.low * kTurn, turns.high * kTurn});
  const NodeId cosine = b.append(OpKind::cos, {angle});
  const NodeId sine = b.append(OpKind::sin, {angle});
  Composer c = b.composer();
  const float middle_row = static_cast<float>(image[1] - 1) / 2;
  const float middle_column = static_cast<float>(image[2] - 1) / 2;
  const NodeId down = compose::affine(c, row_numbers(b, image[1]), 1, -middle_row);
  const NodeId right = compose::affine(c, column_numbers(b, image[2]), 1, -middle_column);
  const auto product = [&](NodeId p, NodeId q) { return b.append(OpKind::multiply, {p, q}); };
  const NodeId row = b.append(OpKind::add, {product(sine, right), product(cosine, down)});
  const NodeId column = b.append(OpKind::subtract, {product(cosine, right), product(sine, down)});
  return b.in_training(x,
                       sample(b, x,
                              {compose::affine(c, row, 1, middle_row),
                               compose::affine(c, column, 1, middle_column), image[1], image[2]}));
}

/// Down and to the right by shares of the picture.
NodeId apply_random_translation(LayerBuilder &b, const std::vector<NodeId> &inputs) {
  const NodeId x = inputs[0];
  const Shape image = require_sampled(b, x);
  const auto moved = [&](NodeId numbers, const char *name, int64_t extent) {
    const Range share = range_argument(b, name);
    const auto count = static_cast<float>(extent);
    return b.append(OpKind::subtract,
                    {numbers, draw(b, x, {share.low * count, share.high * count})});
  };
  const NodeId row = moved(row_numbers(b, image[1]), "height_factor", image[1]);
  const NodeId column = moved(column_numbers(b, image[2]), "width_factor", image[2]);
  return b.in_training(x, sample(b, x, {row, column, image[1], image[2]}));
}

/// Out of the picture by a share, or into it by a negative one; the aspect stays where there is no
/// factor for the width.
NodeId apply_random_zoom(LayerBuilder &b, const std::vector<NodeId> &inputs) {
  const NodeId x = inputs[0];
  const Shape image = require_sampled(b, x);
  Composer c = b.composer();
  const auto factor = [&](const char *name) {
    const Range share = range_argument(b, name);
    return draw(b, x, {1 + share.low, 1 + share.high});
  };
  const auto zoomed = [&](NodeId numbers, NodeId by, int64_t extent) {
    const float middle = static_cast<float>(extent - 1) / 2;
    const NodeId from_middle = compose::affine(c, numbers, 1, -middle);
    return compose::affine(c, b.append(OpKind::multiply, {from_middle, by}), 1, middle);
  };
  const NodeId height = factor("height_factor");
  const NodeId width = b.arguments().is_none("width_factor") ? height : factor("width_factor");
  return b.in_training(
      x, sample(b, x,
                {zoomed(row_numbers(b, image[1]), height, image[1]),
                 zoomed(column_numbers(b, image[2]), width, image[2]), image[1], image[2]}));
}

// ---- pictures of a size ------------------------------------------------------------------------

std::array<int64_t, 2> wanted_size(const LayerBuilder &b) {
  return {b.arguments().integer("height"), b.arguments().integer("width")};
}

NodeId middle_part(LayerBuilder &b, NodeId x, int64_t height, int64_t width) {
  const Shape image = b.shape(x);
  if (image[1] == height && image[2] == width)
    return x;
  const int64_t top = (image[1] - height) / 2;
  const int64_t left = (image[2] - width) / 2;
  return b.append(OpKind::slice, {x},
                  SliceAttrs{{0, top, left, 0}, {kBatch, top + height, left + width, image[3]}});
}

/// The largest part of the wanted aspect in the middle of x.
NodeId part_of_aspect(LayerBuilder &b, NodeId x, const std::array<int64_t, 2> &size) {
  const Shape image = b.shape(x);
  const auto fitting = [&](size_t d) {
    const double other = static_cast<double>(image[2 - d]) * static_cast<double>(size[d]) /
                         static_cast<double>(size[1 - d]);
    return std::max(static_cast<int64_t>(std::min(other, static_cast<double>(image[d + 1]))),
                    int64_t{1});
  };
  return middle_part(b, x, fitting(0), fitting(1));
}

NodeId resized(LayerBuilder &b, NodeId x, const std::array<int64_t, 2> &size, bool nearest) {
  const Shape image = b.shape(x);
  if (std::max(size[0], size[1]) > kLongestTable)
    b.fail("makes pictures of {} x {} pixels; more than {} a side are not supported", size[0],
           size[1], kLongestTable);
  compose::ResizeRules rules;
  rules.interpolation = nearest ? compose::Interpolation::nearest : compose::Interpolation::linear;
  rules.coordinates =
      nearest ? compose::Coordinates::tf_half_pixel_for_nn : compose::Coordinates::half_pixel;
  rules.rounding = compose::Rounding::floor;
  std::vector<compose::ResizeAxis> axes;
  for (size_t d = 0; d < 2; ++d)
    if (size[d] != image[d + 1])
      axes.push_back({static_cast<int64_t>(d) + 1, size[d],
                      static_cast<double>(size[d]) / static_cast<double>(image[d + 1])});
  Composer c = b.composer();
  return axes.empty() ? x : compose::resize(c, x, axes, rules);
}

NodeId apply_resizing(LayerBuilder &b, const std::vector<NodeId> &inputs) {
  b.require_rank(inputs[0], 4, kImages);
  const std::array<int64_t, 2> size = wanted_size(b);
  const NodeId x = b.arguments().boolean("crop_to_aspect_ratio")
                       ? part_of_aspect(b, inputs[0], size)
                       : inputs[0];
  return resized(b, x, size, b.arguments().text("interpolation") == "nearest");
}

/// Of pictures that are too small, what resizing makes of their middle.
NodeId apply_center_crop(LayerBuilder &b, const std::vector<NodeId> &inputs) {
  b.require_rank(inputs[0], 4, kImages);
  const std::array<int64_t, 2> size = wanted_size(b);
  const Shape image = b.shape(inputs[0]);
  return image[1] >= size[0] && image[2] >= size[1]
             ? middle_part(b, inputs[0], size[0], size[1])
             : resized(b, part_of_aspect(b, inputs[0], size), size, /*nearest=*/false);
}

/// A part of the wanted size in training, if there is one; else the middle of the wanted aspect.
NodeId apply_random_crop(LayerBuilder &b, const std::vector<NodeId> &inputs) {
  const NodeId x = inputs[0];
  const std::array<int64_t, 2> size = wanted_size(b);
  const Shape image = require_numbered(b, x, 0);
  const NodeId middle = resized(b, part_of_aspect(b, x, size), size, /*nearest=*/false);
  if (image[1] < size[0] || image[2] < size[1])
    return middle;
  const auto moved = [&](NodeId numbers, int64_t places) {
    const NodeId drawn = b.append(OpKind::floor, {draw(b, x, {0, static_cast<float>(places)})});
    const NodeId last = b.constant({}, static_cast<float>(places - 1)); // where that rounded up
    return b.append(OpKind::add, {numbers, b.append(OpKind::minimum, {drawn, last})});
  };
  return b.in_training(
      middle,
      take_pixels(b, x,
                  {moved(row_numbers(b, size[0]), image[1] - size[0] + 1),
                   moved(column_numbers(b, size[1]), image[2] - size[1] + 1), size[0], size[1]}));
}

} // namespace

std::vector<LayerType> augmentation_layers() {
  const auto with = [](std::vector<ArgumentSpec> arguments) {
    arguments.push_back(optional("seed", Kind::ignored));
    arguments.push_back(data_format_argument());
    return with_common_arguments(std::move(arguments));
  };
  const auto sampling = [&](std::vector<ArgumentSpec> arguments) {
    arguments.push_back(choice("fill_mode", "reflect", "reflect|wrap|constant|nearest"));
    arguments.push_back(choice("interpolation", "bilinear", "bilinear|nearest"));
    arguments.push_back(optional("seed", Kind::ignored));
    arguments.push_back(optional("fill_value", Kind::number, Value(0.0)));
    arguments.push_back(data_format_argument());
    return with_common_arguments(std::move(arguments));
  };
  const ArgumentSpec factor = required("factor", Kind::any);
  const ArgumentSpec height_factor = required("height_factor", Kind::any);
  const ArgumentSpec height = required("height", Kind::positive);
  const ArgumentSpec width = required("width", Kind::positive);
  const ArgumentSpec value_range = optional("value_range", Kind::any);
  return {
      {{"keras.layers.RandomFlip", with({choice("mode", "horizontal_and_vertical",
                                                "horizontal|vertical|horizontal_and_vertical")})},
       apply_random_flip},
      {{"keras.layers.RandomRotation", sampling({factor})}, apply_random_rotation},
      {{"keras.layers.RandomTranslation",
        sampling({height_factor, required("width_factor", Kind::any)})},
       apply_random_translation},
      {{"keras.layers.RandomZoom", sampling({height_factor, optional("width_factor", Kind::any)})},
       apply_random_zoom},
      {{"keras.layers.RandomContrast", with({factor, value_range})}, apply_random_contrast},
      {{"keras.layers.RandomBrightness", with({factor, value_range})}, apply_random_brightness},
      {{"keras.layers.RandomCrop", with({height, width})}, apply_random_crop},
      {{"keras.layers.CenterCrop", joined({{height, width, data_format_argument()}})},
       apply_center_crop},
      {{"keras.layers.Resizing",
        joined({{height, width, choice("interpolation", "bilinear", "bilinear|nearest"),
                 optional("crop_to_aspect_ratio", Kind::boolean, Value(false)),
                 optional("pad_to_aspect_ratio", Kind::unsupported, Value(false)),
                 data_format_argument()}})},
       apply_resizing},
  };
}

} // namespace sinter

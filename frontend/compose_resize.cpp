// Every interpolation is a weighted sum of a few elements along one axis after the other, with
// weights that are known now: a table for `resample`.
#include "frontend/compose_resize.h"

#include "ir/diagnostics.h"

#include <algorithm>
#include <cmath>

namespace sinter::compose {

namespace {

/// Where position `i` of the result lies in x, which has `extent` elements.
double position_in_x(const ResizeAxis &axis, Coordinates coordinates, int64_t i, int64_t extent) {
  const auto in = static_cast<double>(extent);
  const double out = axis.scale * in; // before it was rounded to the new extent
  const auto x = static_cast<double>(i);
  const double half_pixel = (x + 0.5) / axis.scale - 0.5;
  switch (coordinates) {
  case Coordinates::half_pixel:
    return half_pixel;
  case Coordinates::half_pixel_symmetric:
    return in / 2 * (1 - static_cast<double>(axis.extent) / out) + half_pixel;
  case Coordinates::pytorch_half_pixel:
    return axis.extent > 1 ? half_pixel : 0;
  case Coordinates::align_corners:
    return axis.extent > 1 ? x * (in - 1) / (out - 1) : 0;
  case Coordinates::asymmetric:
    return x / axis.scale;
  case Coordinates::tf_half_pixel_for_nn:
    return (x + 0.5) / axis.scale;
  case Coordinates::tf_crop_and_resize:
    return axis.begin * (in - 1) + (axis.extent > 1
                                        ? x * (axis.end - axis.begin) * (in - 1) / (out - 1)
                                        : (axis.end - axis.begin) * (in - 1) / 2);
  }
  SINTER_UNREACHABLE("coordinates {}", static_cast<int>(coordinates));
}

double nearest(double x, Rounding rounding) {
  switch (rounding) {
  case Rounding::prefer_floor:
    return std::ceil(x - 0.5);
  case Rounding::prefer_ceil:
    return std::floor(x + 0.5);
  case Rounding::floor:
    return std::floor(x);
  case Rounding::ceil:
    return std::ceil(x);
  }
  SINTER_UNREACHABLE("rounding {}", static_cast<int>(rounding));
}

/// The weight of an element at a distance. The cubic is R. Keys', "Cubic convolution interpolation
/// for digital image processing", 1981.
double weight_at(double distance, const ResizeRules &rules) {
  const double d = std::fabs(distance);
  if (rules.interpolation == Interpolation::linear)
    return std::max(1 - d, 0.0);
  const double a = rules.cubic_coefficient;
  if (d <= 1)
    return ((a + 2) * d - (a + 3)) * d * d + 1;
  return d < 2 ? ((a * d - 5 * a) * d + 8 * a) * d - 4 * a : 0;
}

struct Tap {
  int64_t index;
  double weight;
};

/// What the element at `x` is made of.
std::vector<Tap> taps_at(double x, const ResizeAxis &axis, const ResizeRules &rules,
                         int64_t extent) {
  const double last = static_cast<double>(extent) - 1;
  const auto held = [&](double index) {
    return static_cast<int64_t>(std::clamp(index, 0.0, last));
  };
  if (std::isnan(x)) // of factors and regions that a damaged file gives
    x = 0;
  if (rules.interpolation == Interpolation::nearest)
    return {{held(nearest(x, rules.rounding)), 1}};
  const double shrink = rules.antialias ? std::min(axis.scale, 1.0) : 1;
  const double reach = (rules.interpolation == Interpolation::linear ? 1 : 2) / shrink;
  x = std::clamp(x, -reach - 1, last + reach + 1); // far outside all positions are alike
  std::vector<Tap> taps;
  double sum = 0;
  for (double i = std::ceil(x - reach); i <= std::floor(x + reach); ++i) {
    const double weight = weight_at((i - x) * shrink, rules);
    const bool outside = i < 0 || i > last;
    if (weight == 0 || (outside && rules.exclude_outside))
      continue;
    taps.push_back({held(i), weight});
    sum += weight;
  }
  for (Tap &tap : taps)
    tap.weight /= sum;
  return taps;
}

/// The taps of all positions, as many for each.
ResampleAttrs make_table(const ResizeAxis &axis, const std::vector<std::vector<Tap>> &positions) {
  ResampleAttrs table;
  table.axis = axis.axis;
  for (const std::vector<Tap> &taps : positions)
    table.taps = std::max(table.taps, static_cast<int64_t>(taps.size()));
  bool weighted = false;
  for (const std::vector<Tap> &taps : positions)
    for (size_t i = 0; i < static_cast<size_t>(table.taps); ++i) {
      const Tap tap = i < taps.size() ? taps[i] : Tap{0, 0};
      table.indices.push_back(tap.index);
      table.weights.push_back(static_cast<float>(tap.weight));
      weighted = weighted || tap.weight != 1;
    }
  if (!weighted)
    table.weights.clear();
  return table;
}

/// `value` at the positions along the axis where the mask is 1.
NodeId fill(Composer &c, NodeId x, int64_t axis, const std::vector<float> &mask, float value) {
  Shape shape(static_cast<size_t>(c.rank(x) - axis), 1);
  shape[0] = static_cast<int64_t>(mask.size());
  const NodeId where =
      c.append(OpKind::constant, {}, ConstantAttrs{mask, {ElementType::u8, shape, 0}});
  return c.append(OpKind::select, {where, c.scalar_like(x, value), x});
}

} // namespace

NodeId resize(Composer &c, NodeId x, const std::vector<ResizeAxis> &axes,
              const ResizeRules &rules) {
  for (const ResizeAxis &axis : axes) {
    const int64_t extent = c.shape(x)[static_cast<size_t>(axis.axis)];
    std::vector<std::vector<Tap>> positions;
    std::vector<float> outside;
    for (int64_t i = 0; i < axis.extent; ++i) {
      const double at = position_in_x(axis, rules.coordinates, i, extent);
      positions.push_back(taps_at(at, axis, rules, extent));
      outside.push_back(rules.coordinates == Coordinates::tf_crop_and_resize &&
                                (at < 0 || at > static_cast<double>(extent - 1))
                            ? 1.0F
                            : 0.0F);
    }
    const ResampleAttrs table = make_table(axis, positions);
    bool identity = table.taps == 1 && table.weights.empty() && extent == axis.extent;
    for (size_t i = 0; identity && i < table.indices.size(); ++i)
      identity = table.indices[i] == static_cast<int64_t>(i);
    if (!identity)
      x = c.append(OpKind::resample, {x}, table);
    if (std::find(outside.begin(), outside.end(), 1.0F) != outside.end())
      x = fill(c, x, axis.axis, outside, rules.extrapolation);
  }
  return x;
}

} // namespace sinter::compose

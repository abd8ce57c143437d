// Resize and Upsample: what the file says, as the rules and axes of compose::resize.

#include "frontend/compose_resize.h"
#include "frontend/onnx/building.h"
#include "frontend/onnx/operator_table.h"

#include <algorithm>
#include <cmath>

namespace sinter {

namespace {

using compose::Coordinates;
using compose::Interpolation;
using compose::ResizeRules;
using compose::Rounding;

/// One dimension: its extents, the factor between them, and what tf_crop_and_resize cuts out.
struct Resampling {
  int64_t input = 1;
  int64_t output = 1;
  double scale = 1;
  double start = 0;
  double end = 1;
};

/// The value that a table has for a word of the file.
template <typename T, size_t size>
T choose(const OperatorContext &c, const char *attribute,
         const std::pair<const char *, T> (&table)[size], const char *fallback) {
  const std::string word = c.text(attribute, fallback);
  for (const auto &[spelling, value] : table)
    if (word == spelling)
      return value;
  c.fail("has {} '{}'", attribute, word);
}

/// Before opset 11 positions were multiples of the inverse scale, rounded down.
ResizeRules rules_of(const OperatorContext &c) {
  constexpr std::pair<const char *, Interpolation> kModes[] = {{"nearest", Interpolation::nearest},
                                                               {"linear", Interpolation::linear},
                                                               {"bilinear", Interpolation::linear},
                                                               {"cubic", Interpolation::cubic}};
  constexpr std::pair<const char *, Coordinates> kCoordinates[] = {
      {"half_pixel", Coordinates::half_pixel},
      {"half_pixel_symmetric", Coordinates::half_pixel_symmetric},
      {"pytorch_half_pixel", Coordinates::pytorch_half_pixel},
      {"align_corners", Coordinates::align_corners},
      {"asymmetric", Coordinates::asymmetric},
      {"tf_half_pixel_for_nn", Coordinates::tf_half_pixel_for_nn},
      {"tf_crop_and_resize", Coordinates::tf_crop_and_resize}};
  constexpr std::pair<const char *, Rounding> kRoundings[] = {
      {"round_prefer_floor", Rounding::prefer_floor},
      {"round_prefer_ceil", Rounding::prefer_ceil},
      {"floor", Rounding::floor},
      {"ceil", Rounding::ceil}};
  const bool early = c.opset() < 11;
  ResizeRules rules;
  rules.interpolation = choose(c, "mode", kModes, "nearest");
  rules.coordinates = choose(c, "coordinate_transformation_mode", kCoordinates,
                             early ? "asymmetric" : "half_pixel");
  rules.rounding = choose(c, "nearest_mode", kRoundings, early ? "floor" : "round_prefer_floor");
  rules.cubic_coefficient = static_cast<double>(c.real("cubic_coeff_a", -0.75F));
  rules.exclude_outside = c.flag("exclude_outside", false);
  rules.antialias = c.flag("antialias", false);
  rules.extrapolation = c.real("extrapolation_value", 0);
  return rules;
}

/// An operand that is there and has elements: an empty tensor stands for none.
bool is_given(const OperatorContext &c, size_t operand) {
  return c.has_operand(operand) && !(c.is_constant(operand) && c.constant(operand).size() == 0);
}

std::vector<double> constant_reals(const OperatorContext &c, size_t operand) {
  const HostTensor &tensor = c.constant(operand);
  std::vector<double> values;
  for (int64_t i = 0; i < tensor.size(); ++i)
    values.push_back(tensor.number(i));
  return values;
}

/// Every dimension as it is, for those that `axes` does not name.
std::vector<Resampling> unchanged(const OperatorContext &c) {
  std::vector<Resampling> dimensions;
  for (int64_t extent : c.shape(0))
    dimensions.push_back({extent, extent});
  return dimensions;
}

void set_output(const OperatorContext &c, Resampling &r, double output) {
  c.require(output >= 1 && output <= static_cast<double>(kLongestTable), "makes {} of {} elements",
            output, r.input);
  r.output = static_cast<int64_t>(output);
}

void resize(OperatorContext &c, const std::vector<Resampling> &dimensions) {
  const ResizeRules rules = rules_of(c);
  const bool crops = rules.coordinates == Coordinates::tf_crop_and_resize;
  std::vector<compose::ResizeAxis> axes;
  for (size_t i = 0; i < dimensions.size(); ++i) {
    const Resampling &r = dimensions[i];
    if (r.input == kBatch || (r.input == r.output && r.scale == 1 && !crops))
      continue;
    c.require(!rules.antialias || r.input <= kLongestTable / 8, "smooths over {} elements",
              r.input); // a position takes up to four for each that it stands for
    axes.push_back({static_cast<int64_t>(i), r.output, r.scale, r.start, r.end});
  }
  NodeId x = c.tensor(0);
  if (rules.interpolation != Interpolation::nearest)
    x = c.cast(x, ElementType::f32);
  Composer composer = c.composer();
  c.result(c.cast(compose::resize(composer, x, axes, rules), graph_element(c.type(0))));
}

/// Extents from factors: floor(extent * factor).
void apply_scales(const OperatorContext &c, const std::vector<double> &scales,
                  const std::vector<int64_t> &axes, std::vector<Resampling> &dimensions) {
  c.require(scales.size() == axes.size(), "has {} scales for {} axes", scales.size(), axes.size());
  for (size_t i = 0; i < axes.size(); ++i) {
    Resampling &r = dimensions[static_cast<size_t>(axes[i])];
    c.require(scales[i] > 0, "has scale {}", scales[i]);
    r.scale = scales[i];
    c.require(r.input != kBatch || scales[i] == 1, "scales the batch by {}", scales[i]);
    if (r.input != kBatch)
      set_output(c, r, std::floor(static_cast<double>(r.input) * scales[i]));
  }
}

/// With a policy the aspect ratio stays: one factor, the smallest or the largest, for all axes.
void apply_sizes(const OperatorContext &c, const std::vector<int64_t> &sizes,
                 const std::vector<int64_t> &axes, std::vector<Resampling> &dimensions) {
  c.require(sizes.size() == axes.size(), "has {} sizes for {} axes", sizes.size(), axes.size());
  const std::string policy = c.text("keep_aspect_ratio_policy", "stretch");
  std::vector<double> scales;
  for (size_t i = 0; i < axes.size(); ++i) {
    Resampling &r = dimensions[static_cast<size_t>(axes[i])];
    if (r.input == kBatch) {
      c.require(sizes[i] == kSymbolicBatch || sizes[i] == 1, "makes the batch {}", sizes[i]);
      continue;
    }
    set_output(c, r, static_cast<double>(sizes[i]));
    r.scale = static_cast<double>(r.output) / static_cast<double>(r.input);
    scales.push_back(r.scale);
  }
  if (policy == "stretch" || scales.empty())
    return;
  c.require(policy == "not_larger" || policy == "not_smaller", "has policy '{}'", policy);
  const double factor = policy == "not_larger" ? *std::min_element(scales.begin(), scales.end())
                                               : *std::max_element(scales.begin(), scales.end());
  for (int64_t axis : axes) {
    Resampling &r = dimensions[static_cast<size_t>(axis)];
    if (r.input == kBatch)
      continue;
    r.scale = factor;
    set_output(c, r, std::floor(static_cast<double>(r.input) * factor + 0.5));
  }
}

/// X, roi, scales, sizes since opset 11; X and scales in opset 10.
void import_resize(OperatorContext &c) {
  std::vector<Resampling> dimensions = unchanged(c);
  std::vector<int64_t> axes = compose::axes_between(0, c.rank(0));
  if (c.has_attribute("axes")) {
    axes = c.integers("axes");
    for (int64_t &axis : axes)
      axis = c.axis(axis, c.rank(0));
  }
  if (c.opset() < 11)
    apply_scales(c, constant_reals(c, 1), axes, dimensions);
  else if (is_given(c, 2))
    apply_scales(c, constant_reals(c, 2), axes, dimensions);
  else
    apply_sizes(c, c.constant_integers(3), axes, dimensions);
  if (c.opset() >= 11 && rules_of(c).coordinates == Coordinates::tf_crop_and_resize) {
    const std::vector<double> region = constant_reals(c, 1);
    c.require(region.size() == 2 * axes.size(), "has a region of {} numbers", region.size());
    c.require(std::all_of(region.begin(), region.end(), [](double x) { return std::isfinite(x); }),
              "has a region without bounds");
    for (size_t i = 0; i < axes.size(); ++i) {
      dimensions[static_cast<size_t>(axes[i])].start = region[i];
      dimensions[static_cast<size_t>(axes[i])].end = region[axes.size() + i];
    }
  }
  resize(c, dimensions);
}

/// Scales as an attribute before opset 9.
void import_upsample(OperatorContext &c) {
  std::vector<Resampling> dimensions = unchanged(c);
  const std::vector<float> attribute = c.reals("scales");
  const std::vector<double> scales = c.has_operand(1)
                                         ? constant_reals(c, 1)
                                         : std::vector<double>(attribute.begin(), attribute.end());
  apply_scales(c, scales, compose::axes_between(0, c.rank(0)), dimensions);
  resize(c, dimensions);
}

} // namespace

const OnnxOperators &onnx_resize_operators() {
  static const OnnxOperators operators = {
      {"Resize", import_resize},
      {"Upsample", import_upsample},
  };
  return operators;
}

} // namespace sinter

// Resize and Upsample: each dimension by itself, as a table of the elements that a result position
// is made of and their weights.

#include "frontend/onnx/building.h"
#include "frontend/onnx/operator_table.h"

#include <algorithm>
#include <cmath>

namespace sinter {

namespace {

enum class Interpolation { nearest, linear, cubic };

struct ResizeMode {
  Interpolation interpolation = Interpolation::nearest;
  std::string coordinates; // coordinate_transformation_mode
  std::string rounding;    // nearest_mode
  float cubic = -0.75F;
  bool exclude_outside = false;
  float extrapolation = 0;
};

/// One dimension: its extents, the factor between them, and what tf_crop_and_resize cuts out.
struct Resampling {
  int64_t input = 1;
  int64_t output = 1;
  double scale = 1;
  double start = 0;
  double end = 1;
};

Interpolation interpolation_of(const OperatorContext &c) {
  const std::string mode = c.text("mode", "nearest");
  if (mode == "nearest")
    return Interpolation::nearest;
  if (mode == "linear" || mode == "bilinear")
    return Interpolation::linear;
  c.require(mode == "cubic", "has mode '{}'", mode);
  return Interpolation::cubic;
}

/// Before opset 11 positions were multiples of the inverse scale, rounded down.
ResizeMode mode_of(const OperatorContext &c) {
  const bool early = c.opset() < 11;
  ResizeMode mode;
  mode.interpolation = interpolation_of(c);
  mode.coordinates = c.text("coordinate_transformation_mode", early ? "asymmetric" : "half_pixel");
  mode.rounding = c.text("nearest_mode", early ? "floor" : "round_prefer_floor");
  mode.cubic = c.real("cubic_coeff_a", -0.75F);
  mode.exclude_outside = c.flag("exclude_outside", false);
  mode.extrapolation = c.real("extrapolation_value", 0);
  c.require(!c.flag("antialias", false), "smooths while shrinking (antialias)");
  return mode;
}

/// Where in the input a position of the output lies.
double source_position(const OperatorContext &c, const ResizeMode &mode, const Resampling &r,
                       int64_t position) {
  const auto x = static_cast<double>(position);
  const auto input = static_cast<double>(r.input);
  // ONNX computes with the extent that the scale asks for, whole or not.
  const double output = r.scale * input;
  if (mode.coordinates == "half_pixel")
    return (x + 0.5) / r.scale - 0.5;
  if (mode.coordinates == "half_pixel_symmetric") {
    const double adjustment = static_cast<double>(r.output) / output;
    return input / 2 * (1 - adjustment) + (x + 0.5) / r.scale - 0.5;
  }
  if (mode.coordinates == "pytorch_half_pixel")
    return r.output > 1 ? (x + 0.5) / r.scale - 0.5 : 0;
  if (mode.coordinates == "align_corners")
    return r.output > 1 ? x * (input - 1) / (output - 1) : 0;
  if (mode.coordinates == "asymmetric")
    return x / r.scale;
  if (mode.coordinates == "tf_half_pixel_for_nn")
    return (x + 0.5) / r.scale;
  c.require(mode.coordinates == "tf_crop_and_resize", "has coordinate_transformation_mode '{}'",
            mode.coordinates);
  return r.output > 1 ? r.start * (input - 1) + x * (r.end - r.start) * (input - 1) / (output - 1)
                      : 0.5 * (r.start + r.end) * (input - 1);
}

double rounded(const OperatorContext &c, const std::string &rounding, double x) {
  if (rounding == "floor")
    return std::floor(x);
  if (rounding == "ceil")
    return std::ceil(x);
  if (rounding == "round_prefer_ceil")
    return std::floor(x + 0.5);
  c.require(rounding == "round_prefer_floor", "has nearest_mode '{}'", rounding);
  return std::ceil(x - 0.5);
}

/// The weights of the taps around a position, the first of them at floor(x) - taps / 2 + 1.
/// R. Keys, "Cubic convolution interpolation for digital image processing", 1981.
std::vector<double> tap_weights(const ResizeMode &mode, double x) {
  const double t = x - std::floor(x);
  if (mode.interpolation == Interpolation::linear)
    return {1 - t, t};
  const double a = static_cast<double>(mode.cubic);
  const auto outer = [&](double d) { return ((a * d - 5 * a) * d + 8 * a) * d - 4 * a; };
  const auto inner = [&](double d) { return ((a + 2) * d - (a + 3)) * d * d + 1; };
  return {outer(t + 1), inner(t), inner(1 - t), outer(2 - t)};
}

/// Appends the taps of one result position. Those outside of the input repeat its edge, or get no
/// weight.
void append_taps(const OperatorContext &c, const ResizeMode &mode, const Resampling &r, double x,
                 ResampleAttrs &table) {
  const auto edge = [&](double position) {
    return static_cast<int64_t>(std::clamp(position, 0.0, static_cast<double>(r.input - 1)));
  };
  if (mode.interpolation == Interpolation::nearest) {
    table.indices.push_back(edge(rounded(c, mode.rounding, x)));
    return;
  }
  std::vector<double> weights = tap_weights(mode, x);
  const double first = std::floor(x) - static_cast<double>(weights.size() / 2) + 1;
  double total = 0;
  for (size_t i = 0; i < weights.size(); ++i) {
    const double position = first + static_cast<double>(i);
    const bool outside = position < 0 || position >= static_cast<double>(r.input);
    if (mode.exclude_outside && outside)
      weights[i] = 0;
    total += weights[i];
    table.indices.push_back(edge(position));
  }
  for (double weight : weights)
    table.weights.push_back(static_cast<float>(mode.exclude_outside ? weight / total : weight));
}

/// tf_crop_and_resize: positions outside of the input take the extrapolation value.
NodeId extrapolated(OperatorContext &c, NodeId y, int64_t axis, const ResizeMode &mode,
                    const Resampling &r) {
  std::vector<int64_t> inside;
  for (int64_t i = 0; i < r.output; ++i) {
    const double x = source_position(c, mode, r, i);
    inside.push_back(x >= 0 && x <= static_cast<double>(r.input - 1));
  }
  if (std::count(inside.begin(), inside.end(), 0) == 0)
    return y;
  Shape shape{r.output};
  shape.resize(c.shape_of(y).size() - static_cast<size_t>(axis), 1);
  const NodeId mask =
      c.constant_node(HostTensor::of_integers(shape, std::move(inside), DataType::boolean));
  return c.append(OpKind::select, {mask, y, c.scalar(mode.extrapolation)});
}

NodeId resample_axis(OperatorContext &c, NodeId x, int64_t axis, const ResizeMode &mode,
                     const Resampling &r) {
  if (r.input == kBatch ||
      (r.input == r.output && r.scale == 1 && mode.coordinates != "tf_crop_and_resize"))
    return x;
  ResampleAttrs table;
  table.axis = axis;
  table.taps = mode.interpolation == Interpolation::nearest  ? 1
               : mode.interpolation == Interpolation::linear ? 2
                                                             : 4;
  for (int64_t i = 0; i < r.output; ++i)
    append_taps(c, mode, r, source_position(c, mode, r, i), table);
  const NodeId y = c.append(OpKind::resample, {x}, table);
  return mode.coordinates == "tf_crop_and_resize" ? extrapolated(c, y, axis, mode, r) : y;
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
  const ResizeMode mode = mode_of(c);
  NodeId x = c.tensor(0);
  if (mode.interpolation != Interpolation::nearest)
    x = c.cast(x, ElementType::f32);
  for (size_t i = 0; i < dimensions.size(); ++i)
    x = resample_axis(c, x, static_cast<int64_t>(i), mode, dimensions[i]);
  c.result(c.cast(x, graph_element(c.type(0))));
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
  std::vector<int64_t> axes;
  for (size_t i = 0; i < dimensions.size(); ++i)
    axes.push_back(static_cast<int64_t>(i));
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
  if (c.opset() >= 11 && c.text("coordinate_transformation_mode", "") == "tf_crop_and_resize") {
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
  std::vector<int64_t> axes;
  for (size_t i = 0; i < dimensions.size(); ++i)
    axes.push_back(static_cast<int64_t>(i));
  const std::vector<float> attribute = c.reals("scales");
  const std::vector<double> scales = c.has_operand(1)
                                         ? constant_reals(c, 1)
                                         : std::vector<double>(attribute.begin(), attribute.end());
  apply_scales(c, scales, axes, dimensions);
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

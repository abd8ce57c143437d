// Resizing by ONNX's rules, of which those of Keras and torch.nn are special cases.
#pragma once

#include "frontend/compose.h"

namespace sinter::compose {

enum class Interpolation { nearest, linear, cubic };

/// Which position of x a position of the result looks at (ONNX's names).
enum class Coordinates {
  half_pixel,
  half_pixel_symmetric,
  pytorch_half_pixel,
  align_corners,
  asymmetric,
  tf_half_pixel_for_nn,
  tf_crop_and_resize
};

/// Which neighbour is the nearest one.
enum class Rounding { prefer_floor, prefer_ceil, floor, ceil };

struct ResizeRules {
  Interpolation interpolation = Interpolation::nearest;
  Coordinates coordinates = Coordinates::half_pixel;
  Rounding rounding = Rounding::prefer_floor;
  double cubic_coefficient = -0.75;
  bool exclude_outside = false; // positions outside x weigh nothing, else they repeat the edge
  bool antialias = false;       // when shrinking, average over all that a position stands for
  float extrapolation = 0;      // of tf_crop_and_resize, outside x
};

/// One axis: its new extent, the factor that led to it and, for tf_crop_and_resize, the part of x
/// to take.
struct ResizeAxis {
  int64_t axis;
  int64_t extent;
  double scale;
  double begin = 0, end = 1;
};

NodeId resize(Composer &, NodeId x, const std::vector<ResizeAxis> &axes, const ResizeRules &);

} // namespace sinter::compose

// Poolings. The window operators of the IR are two-dimensional: one spatial dimension is an image
// of height 1, and three are pooled in two steps, which maxima and sums allow.

#include "frontend/onnx/building.h"
#include "frontend/onnx/operator_table.h"
#include "frontend/onnx/windows.h"

namespace sinter {

namespace {

Pool2dAttrs pool_attributes(const Windows &windows, bool count_padding) {
  Pool2dAttrs attributes;
  attributes.size = as_pair(windows.size, 1);
  attributes.strides = as_pair(windows.strides, 1);
  attributes.padding = padding_of(windows);
  attributes.count_include_pad = count_padding;
  attributes.dilations = as_pair(windows.dilations, 1);
  return attributes;
}

NodeId pool_plane(OperatorContext &c, OpKind kind, NodeId x, const Windows &windows,
                  bool count_padding) {
  const int rank = static_cast<int>(c.shape_of(x).size());
  const NodeId image = to_image(c, x);
  return from_image(c, c.append(kind, {image}, pool_attributes(windows, count_padding)), rank);
}

Windows dimensions_of(const Windows &windows, size_t begin, size_t end) {
  const auto part = [&](const std::vector<int64_t> &values) {
    return std::vector<int64_t>(values.begin() + static_cast<std::ptrdiff_t>(begin),
                                values.begin() + static_cast<std::ptrdiff_t>(end));
  };
  return {part(windows.size), part(windows.strides), part(windows.dilations), part(windows.before),
          part(windows.after)};
}

/// [n, c, d, h, w]: first each plane with d among the channels, then along d.
NodeId pool_volume(OperatorContext &c, OpKind kind, NodeId x, const Windows &windows,
                   bool count_padding) {
  const Shape shape = c.shape_of(x);
  const NodeId planes = c.reshape(x, {shape[0], shape[1] * shape[2], shape[3], shape[4]});
  const NodeId pooled = pool_plane(c, kind, planes, dimensions_of(windows, 1, 3), count_padding);
  const Shape plane = c.shape_of(pooled);
  const NodeId columns = c.reshape(pooled, {shape[0], shape[1], shape[2], plane[2] * plane[3]});
  Windows depth = dimensions_of(windows, 0, 1);
  for (std::vector<int64_t> *values : {&depth.size, &depth.strides, &depth.dilations})
    values->push_back(1);
  for (std::vector<int64_t> *values : {&depth.before, &depth.after})
    values->push_back(0);
  const NodeId result = pool_plane(c, kind, columns, depth, count_padding);
  return c.reshape(result, {shape[0], shape[1], c.shape_of(result)[2], plane[2], plane[3]});
}

NodeId pool(OperatorContext &c, OpKind kind, NodeId x, const Windows &windows,
            bool count_padding = false) {
  c.require(windows.rank() <= 3, "has {} spatial dimensions: 1 to 3 are supported", windows.rank());
  return windows.rank() == 3 ? pool_volume(c, kind, x, windows, count_padding)
                             : pool_plane(c, kind, x, windows, count_padding);
}

NodeId pad_spatially(OperatorContext &c, NodeId x, const std::vector<int64_t> &before,
                     const std::vector<int64_t> &after, float value) {
  PadAttrs attributes{{0, 0}, {0, 0}, value};
  attributes.low.insert(attributes.low.end(), before.begin(), before.end());
  attributes.high.insert(attributes.high.end(), after.begin(), after.end());
  return c.append(OpKind::pad, {x}, attributes);
}

/// For every window the index in the whole tensor of its first position, which may be padding.
/// In column-major order the height is the inner one of the two.
NodeId window_starts(OperatorContext &c, const Shape &x, const Shape &y, const Pool2dAttrs &window,
                     std::array<int64_t, 2> strides) {
  c.require(count_elements(y) <= kMaxExactInteger,
            "returns the positions of {} maxima, at most {} are supported", count_elements(y),
            kMaxExactInteger);
  std::vector<int64_t> starts;
  for (int64_t plane = 0; plane < y[0] * y[1]; ++plane)
    for (int64_t row = 0; row < y[2]; ++row)
      for (int64_t column = 0; column < y[3]; ++column)
        starts.push_back(plane * x[2] * x[3] +
                         (row * window.strides[0] - window.padding[0]) * strides[0] +
                         (column * window.strides[1] - window.padding[1]) * strides[1]);
  return c.constant_node(HostTensor::of_integers(y, std::move(starts)));
}

/// ONNX counts the maxima's positions in the whole tensor, batch and channels included.
void positions_result(OperatorContext &c, NodeId x, const Windows &windows) {
  const Shape shape = c.shape(0);
  c.require(windows.rank() == 2 && shape[0] != kBatch,
            "returns the positions of maxima, which needs images and a batch that is known");
  const Pool2dAttrs window = pool_attributes(windows, false);
  const NodeId argmax = c.append(OpKind::max_pool2d_argmax, {to_image(c, x)}, window);
  const NodeId inside = c.cast(from_image(c, argmax, 4), ElementType::i32);
  const bool column_major = c.flag("storage_order", false);
  const std::array<int64_t, 2> strides =
      column_major ? std::array<int64_t, 2>{1, shape[2]} : std::array<int64_t, 2>{shape[3], 1};
  const auto number = [&](int64_t value) {
    return c.constant_node(HostTensor::of_integers({}, {value}));
  };
  const NodeId width = number(window.size[1]);
  const NodeId row = c.append(OpKind::divide, {inside, width});
  const NodeId column = c.append(OpKind::mod, {inside, width});
  const NodeId offset =
      c.append(OpKind::add,
               {c.append(OpKind::multiply, {row, number(strides[0] * window.dilations[0])}),
                c.append(OpKind::multiply, {column, number(strides[1] * window.dilations[1])})});
  const NodeId starts = window_starts(c, shape, c.shape_of(inside), window, strides);
  c.result(c.append(OpKind::add, {starts, offset}), DataType::i64, 1);
}

void import_max_pool(OperatorContext &c) {
  Windows windows = read_windows(c, c.shape(0), c.integers("kernel_shape"));
  if (c.flag("ceil_mode", false))
    round_up_windows(windows, c.shape(0));
  const NodeId x = c.real_tensor(0);
  if (c.has_result(1))
    positions_result(c, x, windows);
  const NodeId result = pool(c, OpKind::max_pool2d, x, windows);
  c.result(c.cast(result, graph_element(c.type(0))));
}

/// With count_include_pad the file's padding counts as zeros, but never what ceil_mode adds: then
/// the zeros are put there by an operation of their own.
void import_average_pool(OperatorContext &c) {
  Windows windows = read_windows(c, c.shape(0), c.integers("kernel_shape"));
  const bool count_padding = c.flag("count_include_pad", false);
  const Windows floored = windows;
  if (c.flag("ceil_mode", false))
    round_up_windows(windows, c.shape(0));
  NodeId x = c.real_tensor(0);
  const bool padded = count_padding && windows.after != floored.after;
  if (padded) {
    x = pad_spatially(c, x, floored.before, floored.after, 0);
    for (size_t d = 0; d < windows.rank(); ++d) {
      windows.after[d] -= floored.after[d];
      windows.before[d] = 0;
    }
  }
  c.result(pool(c, OpKind::average_pool2d, x, windows, count_padding && !padded));
}

/// Over all spatial dimensions, which stay as 1.
template <OpKind reduction> void import_global_pool(OperatorContext &c) {
  ReduceAttrs attributes{{}, /*keep_dims=*/true};
  for (int axis = 2; axis < c.rank(0); ++axis)
    attributes.axes.push_back(axis);
  c.result(c.append(reduction, {c.real_tensor(0)}, attributes));
}

} // namespace

const OnnxOperators &onnx_pooling_operators() {
  static const OnnxOperators operators = {
      {"AveragePool", import_average_pool},
      {"GlobalAveragePool", import_global_pool<OpKind::reduce_mean>},
      {"GlobalMaxPool", import_global_pool<OpKind::reduce_max>},
      {"MaxPool", import_max_pool},
  };
  return operators;
}

} // namespace sinter

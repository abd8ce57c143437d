// Convolutions and matrix products.

#include "frontend/onnx/building.h"
#include "frontend/onnx/matrix_product.h"
#include "frontend/onnx/operator_table.h"
#include "frontend/onnx/windows.h"
#include "ir/ops/window.h"

#include <algorithm>
#include <utility>

namespace sinter {

namespace {

/// A filter [o, i, h, w] or [o, i, w] in the order of `permutation` of its four-dimensional form.
NodeId filter(OperatorContext &c, const std::vector<int64_t> &permutation) {
  const Shape shape = c.shape(1);
  const Shape full = shape.size() == 3 ? Shape{shape[0], shape[1], 1, shape[2]} : shape;
  return c.weight(1, full, permutation);
}

NodeId with_bias(OperatorContext &c, NodeId image) {
  return c.has_operand(2) ? c.append(OpKind::bias_add, {image, c.weight(2)}) : image;
}

void require_spatial_rank(const OperatorContext &c) {
  c.require(c.rank(0) == 3 || c.rank(0) == 4, "has {} spatial dimensions: 1 and 2 are supported",
            c.rank(0) - 2);
  c.require(c.rank(1) == c.rank(0), "expects a filter of {} dimensions, got {}", c.rank(0),
            c.rank(1));
}

std::vector<int64_t> kernel_shape(const OperatorContext &c) {
  const Shape weights = c.shape(1);
  const std::vector<int64_t> own(weights.begin() + 2, weights.end());
  const std::vector<int64_t> given = c.integers("kernel_shape", own);
  c.require(given == own, "has kernel_shape {} and a filter of {}", str(given), str(own));
  return given;
}

void import_conv(OperatorContext &c) {
  require_spatial_rank(c);
  const Windows windows = read_windows(c, c.shape(0), kernel_shape(c));
  Conv2dAttrs attributes;
  attributes.strides = as_pair(windows.strides, 1);
  attributes.dilations = as_pair(windows.dilations, 1);
  attributes.padding = padding_of(windows);
  attributes.groups = c.integer("group", 1);
  const NodeId image = to_image(c, c.real_tensor(0));
  const NodeId product = c.append(OpKind::conv2d, {image, filter(c, {2, 3, 1, 0})}, attributes);
  c.result(from_image(c, with_bias(c, product), c.rank(0)));
}

/// The extents of ConvTranspose's result: given, or what the windows cover, less the padding.
std::vector<int64_t> transposed_extents(const OperatorContext &c, Windows &windows) {
  const Shape x = c.shape(0);
  const std::vector<int64_t> zeros(windows.rank(), 0);
  const std::vector<int64_t> output_padding = c.integers("output_padding", zeros);
  std::vector<int64_t> extents = c.integers("output_shape");
  c.require(output_padding.size() == windows.rank() &&
                (extents.empty() || extents.size() == windows.rank()),
            "has {} spatial dimensions, output_padding {} and output_shape {}", windows.rank(),
            str(output_padding), str(extents));
  for (const std::vector<int64_t> *values : {&output_padding, &std::as_const(extents)})
    for (int64_t value : *values)
      c.require(value >= 0 && value <= kMaxElements, "has output_padding or output_shape {}",
                value);
  const std::string mode = c.text("auto_pad", "NOTSET");
  const bool same = mode == "SAME_UPPER" || mode == "SAME_LOWER";
  const bool given = !extents.empty();
  extents.resize(windows.rank());
  for (size_t d = 0; d < windows.rank(); ++d) {
    const int64_t span = window_span(windows.size[d], windows.dilations[d]);
    const int64_t covered = (x[d + 2] - 1) * windows.strides[d] + output_padding[d] + span;
    if (same && !given)
      extents[d] = x[d + 2] * windows.strides[d];
    if (!same && !given) {
      extents[d] = covered - windows.before[d] - windows.after[d];
      continue;
    }
    const int64_t total = std::max<int64_t>(0, covered - extents[d]);
    windows.before[d] = mode == "SAME_UPPER" ? total / 2 : total - total / 2;
    windows.after[d] = total - windows.before[d];
  }
  return extents;
}

/// The adjoint of a convolution, which takes the result for its input: so its filter
/// [ci, co / groups, h, w] is that convolution's [o, i, h, w].
void import_conv_transpose(OperatorContext &c) {
  require_spatial_rank(c);
  Windows windows = read_windows(c, c.shape(0), kernel_shape(c));
  const std::vector<int64_t> extents = transposed_extents(c, windows);
  Conv2dGradientAttrs attributes;
  attributes.strides = as_pair(windows.strides, 1);
  attributes.dilations = as_pair(windows.dilations, 1);
  attributes.padding = padding_of(windows);
  attributes.groups = c.integer("group", 1);
  attributes.size = as_pair(extents, 1);
  const NodeId image = to_image(c, c.real_tensor(0));
  const NodeId product =
      c.append(OpKind::conv2d_input_gradient, {image, filter(c, {2, 3, 1, 0})}, attributes);
  c.result(from_image(c, with_bias(c, product), c.rank(0)));
}

void import_matmul(OperatorContext &c) {
  const Shape a = c.shape(0);
  const Shape b = c.shape(1);
  c.require(!a.empty() && !b.empty(), "expects matrices, got {} and {}", str(a), str(b));
  const NodeId left = c.real_tensor(0);
  c.result(matrix_product(c, left, b.size() == 2 ? c.weight(1) : c.real_tensor(1)));
}

/// alpha * op(a) * op(b) + beta * c. Weights are stored in x out, so a transposed constant b is
/// turned around here.
void import_gemm(OperatorContext &c) {
  c.require(c.rank(0) == 2 && c.rank(1) == 2, "expects matrices, got {} and {}", str(c.shape(0)),
            str(c.shape(1)));
  MatmulAttrs attributes;
  attributes.transpose_a = c.flag("transA", false);
  attributes.transpose_b = c.flag("transB", false);
  const bool turn = attributes.transpose_b && c.is_constant(1);
  attributes.transpose_b = attributes.transpose_b && !turn;
  const NodeId right = turn ? c.weight(1, {}, {1, 0}) : c.weight(1);
  NodeId result = c.append(OpKind::matmul, {c.real_tensor(0), right}, attributes);
  const float alpha = c.real("alpha", 1);
  const float beta = c.real("beta", 1);
  if (alpha != 1)
    result = c.append(OpKind::affine, {result}, AffineAttrs{alpha, 0});
  if (c.has_operand(2) && beta != 0) {
    const bool bias = beta == 1 && c.shape(2) == Shape{c.shape_of(result)[1]};
    NodeId addend = bias ? c.weight(2) : c.real_tensor(2);
    if (beta != 1)
      addend = c.append(OpKind::affine, {addend}, AffineAttrs{beta, 0});
    result = c.append(bias ? OpKind::bias_add : OpKind::add, {result, addend});
  }
  c.result(result);
}

} // namespace

const OnnxOperators &onnx_contraction_operators() {
  static const OnnxOperators operators = {
      {"Conv", import_conv},     {"ConvTranspose", import_conv_transpose},
      {"Einsum", import_einsum}, {"Gemm", import_gemm},
      {"MatMul", import_matmul},
  };
  return operators;
}

} // namespace sinter

// Convolutions, pooling, matrix products and batch normalisation. ONNX has windows in
// channels-first order only.

#include "backends/onnx/operator_writers.h"
#include "ir/ops/window.h"

namespace sinter {

namespace {

const Permutation kImage{0, 3, 1, 2};  // NHWC to NCHW
const Permutation kFilter{3, 2, 0, 1}; // HWIO to OIHW

template <size_t n> std::vector<int64_t> list(const std::array<int64_t, n> &values) {
  return {values.begin(), values.end()};
}

template <typename A>
void set_convolution(onnx::NodeProto &node, const A &attributes, const Shape &filter) {
  set_integers(node, "kernel_shape", {filter[0], filter[1]});
  set_integers(node, "strides", list(attributes.strides));
  set_integers(node, "dilations", list(attributes.dilations));
  set_integers(node, "pads", list(attributes.padding));
  set_integer(node, "group", attributes.groups);
}

void write_convolution(NodeWriter &w, const char *op) {
  onnx::NodeProto &node = w.add(op, {w.operand(0, kImage), w.operand(1, kFilter)});
  set_convolution(node, w.attributes<Conv2dAttrs>(), w.operand_type(1).shape);
  w.result(node.output(0), kImage);
}

/// The convolution's OIHW filter is the [in, out / groups, h, w] of ConvTranspose, as dy's channels
/// are the outputs there and the inputs here.
void write_input_gradient(NodeWriter &w, const char *op) {
  const auto &attributes = w.attributes<Conv2dGradientAttrs>();
  const Shape &dy = w.operand_type(0).shape;
  const Shape &filter = w.operand_type(1).shape;
  onnx::NodeProto &node = w.add(op, {w.operand(0, kImage), w.operand(1, kFilter)});
  set_convolution(node, attributes, filter);
  std::vector<int64_t> output_padding; // input positions that no window reached
  for (size_t d = 0; d < 2; ++d) {
    const int64_t covered =
        (dy[d + 1] - 1) * attributes.strides[d] + window_span(filter[d], attributes.dilations[d]);
    output_padding.push_back(attributes.size[d] + attributes.padding[d] +
                             attributes.padding[d + 2] - covered);
  }
  set_integers(node, "output_padding", output_padding);
  w.result(node.output(0), kImage);
}

void set_pool(onnx::NodeProto &node, const Pool2dAttrs &pool) {
  set_integers(node, "kernel_shape", list(pool.size));
  set_integers(node, "strides", list(pool.strides));
  set_integers(node, "pads", list(pool.padding));
}

void write_max_pool(NodeWriter &w, const char *op) {
  const Pool2dAttrs &pool = w.attributes<Pool2dAttrs>();
  onnx::NodeProto &node = w.add(op, {w.operand(0, kImage)});
  set_pool(node, pool);
  set_integers(node, "dilations", list(pool.dilations));
  w.result(node.output(0), kImage);
}

/// Where each window begins along a dimension of the image.
std::vector<int64_t> window_starts(const Pool2dAttrs &pool, size_t d, int64_t count) {
  std::vector<int64_t> starts;
  for (int64_t i = 0; i < count; ++i)
    starts.push_back(i * pool.strides[d] - pool.padding[d]);
  return starts;
}

/// ONNX counts positions in the whole tensor, here they are the window's own.
void write_max_pool_argmax(NodeWriter &w, const char *op) {
  const Pool2dAttrs &pool = w.attributes<Pool2dAttrs>();
  const Shape &x = w.operand_type(0).shape;
  const Shape &y = w.type().shape;
  onnx::NodeProto &node = w.add(op, {w.operand(0, kImage)});
  set_pool(node, pool);
  set_integers(node, "dilations", list(pool.dilations));
  const std::string index = w.message().unique_name(node.output(0));
  node.add_output(index);
  const auto one = [&](int64_t value) { return w.integers(Shape{}, {value}); };
  const std::string inside = w.apply("Mod", {index, one(x[1] * x[2])});
  const auto tap = [&](size_t d, const char *part, const Shape &shape) {
    const std::string position = w.apply(part, {inside, one(x[2])});
    const std::string starts = w.integers(shape, window_starts(pool, d, y[d + 1]));
    return w.apply("Div", {w.apply("Sub", {position, starts}), one(pool.dilations[d])});
  };
  const std::string row = tap(0, "Div", {y[1], 1});
  const std::string column = tap(1, "Mod", {1, y[2]});
  const std::string result = w.apply("Add", {w.apply("Mul", {row, one(pool.size[1])}), column});
  w.result(w.cast(result, onnx_type(w.type().element)), kImage);
}

/// Positions of each window that are not padding, along one dimension.
std::vector<float> real_positions(const Pool2dAttrs &pool, size_t d, int64_t extent,
                                  int64_t count) {
  std::vector<float> result;
  for (const int64_t start : window_starts(pool, d, count)) {
    int64_t inside = 0;
    for (int64_t tap = 0; tap < pool.size[d]; ++tap) {
      const int64_t position = start + tap * pool.dilations[d];
      inside += position >= 0 && position < extent ? 1 : 0;
    }
    result.push_back(static_cast<float>(pool.count_include_pad ? pool.size[d] : inside));
  }
  return result;
}

/// AveragePool knows dilations since opset 19 only: a sum over each channel's windows, divided by
/// how many positions they have.
void write_dilated_average(NodeWriter &w, const Pool2dAttrs &pool) {
  const Shape &x = w.operand_type(0).shape;
  const Shape &y = w.type().shape;
  const Shape filter{x[3], 1, pool.size[0], pool.size[1]};
  const std::vector<float> ones(static_cast<size_t>(x[3] * pool.size[0] * pool.size[1]), 1);
  onnx::NodeProto &sum = w.add("Conv", {w.operand(0, kImage), w.reals(filter, ones)});
  set_pool(sum, pool);
  set_integers(sum, "dilations", list(pool.dilations));
  set_integer(sum, "group", x[3]);
  const std::string rows = w.reals({y[1], 1}, real_positions(pool, 0, x[1], y[1]));
  const std::string columns = w.reals({1, y[2]}, real_positions(pool, 1, x[2], y[2]));
  w.result(w.apply("Div", {w.apply("Div", {sum.output(0), rows}), columns}), kImage);
}

void write_average_pool(NodeWriter &w, const char *op) {
  const Pool2dAttrs &pool = w.attributes<Pool2dAttrs>();
  if (pool.dilations != std::array<int64_t, 2>{1, 1})
    return write_dilated_average(w, pool);
  onnx::NodeProto &node = w.add(op, {w.operand(0, kImage)});
  set_pool(node, pool);
  set_integer(node, "count_include_pad", pool.count_include_pad ? 1 : 0);
  w.result(node.output(0), kImage);
}

/// Gemm rather than MatMul, because it takes a bias.
void write_matmul(NodeWriter &w, const char *op) {
  const MatmulAttrs &matmul = w.attributes<MatmulAttrs>();
  onnx::NodeProto &node = w.add(op, {w.operand(0), w.operand(1)});
  set_integer(node, "transA", matmul.transpose_a ? 1 : 0);
  set_integer(node, "transB", matmul.transpose_b ? 1 : 0);
  w.result(node.output(0));
}

void write_batch_matmul(NodeWriter &w, const char *op) {
  const MatmulAttrs &matmul = w.attributes<MatmulAttrs>();
  const auto factor = [&](size_t i, bool turned) {
    Permutation order = identity_order(w.operand_rank(i));
    if (turned)
      std::swap(order[order.size() - 2], order.back());
    return w.operand(i, order);
  };
  w.result(w.apply(op, {factor(0, matmul.transpose_a), factor(1, matmul.transpose_b)}));
}

void write_batch_norm(NodeWriter &w, const char *op) {
  const Permutation order = channels_first_order(w.type().rank());
  onnx::NodeProto &node =
      w.add(op, {w.operand(0, order), w.operand(1), w.operand(2), w.operand(3), w.operand(4)});
  set_real(node, "epsilon", w.attributes<BatchNormAttrs>().epsilon);
  set_real(node, "momentum", static_cast<float>(w.attributes<BatchNormAttrs>().momentum));
  w.result(node.output(0), order);
}

} // namespace

const OperatorWriters &window_writers() {
  static const OperatorWriters writers = {
      {OpKind::conv2d, {write_convolution, "Conv"}},
      {OpKind::conv2d_input_gradient, {write_input_gradient, "ConvTranspose"}},
      {OpKind::matmul, {write_matmul, "Gemm"}},
      {OpKind::batch_matmul, {write_batch_matmul, "MatMul"}},
      {OpKind::max_pool2d, {write_max_pool, "MaxPool"}},
      {OpKind::max_pool2d_argmax, {write_max_pool_argmax, "MaxPool"}},
      {OpKind::average_pool2d, {write_average_pool, "AveragePool"}},
      {OpKind::batch_norm, {write_batch_norm, "BatchNormalization"}},
  };
  return writers;
}

} // namespace sinter

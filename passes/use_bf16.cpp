#include "passes/use_bf16.h"

#include "ir/ops/window.h"

#include <algorithm>

namespace sinter {

namespace {

// Rates of one core with AMX, which matter by their ratios.
constexpr double kFlops = 130e9;         // a second, of float32
constexpr double kWinogradFlops = 280e9; // the same of what Winograd's algorithm can compute
constexpr double kBf16Flops = 1000e9;    // of bf16
constexpr double kRoundedValues = 8e9;   // a second: inputs loaded, rounded and stored
constexpr double kTurnedValues = 4e9;    // and transposed besides
constexpr double kSums = 12e9;           // a second: loaded for the epilogue
/// Fewer multiply-adds a sample are not worth the second copy of the filter.
constexpr int64_t kLeastWork = int64_t{1} << 13;
/// What AMX multiplies at a time.
constexpr int64_t kDepth = 32, kTile = 16;
/// Samples for which a training step rounds a filter.
constexpr double kTrainingBatch = 32;

constexpr const char *kGrouped = "its filters are grouped";
constexpr const char *kNoParameter = "its filter is no parameter";
constexpr const char *kTransposed = "its operands are transposed";
constexpr const char *kTooLittle = "it is too little work";
constexpr const char *kTooFew = "it has too few channels or filters";

int64_t round_up(int64_t value, int64_t multiple) {
  return (value + multiple - 1) / multiple * multiple;
}

double as_double(int64_t value) { return static_cast<double>(value); }

/// A contraction's sizes, of a sample.
struct Sizes {
  int64_t inputs;    // values
  int64_t positions; // sums of a filter
  int64_t taps, channels, filters;

  double products(int64_t of_channels, int64_t of_filters) const {
    return 2 * as_double(positions * taps) * as_double(of_channels * of_filters);
  }
  double flops() const { return products(channels, filters); }
};

/// Seconds that a sample's bf16 products take, its inputs' rounding and the loading of its sums.
double product_time(const Sizes &s) {
  const double rounded = as_double(s.inputs / s.channels * round_up(s.channels, kDepth));
  return s.products(round_up(s.channels, kDepth), round_up(s.filters, kTile)) / kBf16Flops +
         rounded / kRoundedValues + as_double(s.positions * s.filters) / kSums;
}

/// Of a filter's gradient, whose products sum over positions: of the input and of dy.
double gradient_time(const Sizes &s) {
  return s.products(round_up(s.channels, kTile), round_up(s.filters, kTile)) / kBf16Flops +
         as_double(s.inputs) / kTurnedValues + as_double(s.positions * s.filters) / kRoundedValues;
}

const char *refuse_times(const Sizes &s, double single, double bf16) {
  if (s.positions * s.taps * s.channels * s.filters < kLeastWork)
    return kTooLittle;
  return bf16 < single ? nullptr : kTooFew;
}

Sizes convolution_sizes(const Shape &x, const Shape &y, const Shape &filter, bool turned = false) {
  return {x[1] * x[2] * x[3], y[1] * y[2], filter[0] * filter[1], filter[turned ? 3 : 2],
          filter[turned ? 2 : 3]};
}

/// Of a product of `depth` columns by `columns`.
Sizes matrix_sizes(const Shape &x, int64_t depth, int64_t columns) {
  const int64_t rows = x[0] == kBatch ? 1 : x[0];
  return {rows * depth, rows, 1, depth, columns};
}

bool is_parameter(const Node &node) {
  return node.kind == OpKind::parameter && attrs<ParameterAttrs>(node).role != "prepared";
}

} // namespace

const char *refuse_bf16(const Graph &graph, const Node &node) {
  const bool convolution = node.kind == OpKind::conv2d;
  if (!convolution && node.kind != OpKind::matmul)
    return "it is no convolution or matrix product";
  if (!is_parameter(graph[node.inputs[1]]))
    return kNoParameter;
  const TensorType &x = graph.type(node.inputs[0]);
  const Shape &filter = graph.type(node.inputs[1]).shape;
  if (!convolution) {
    const MatmulAttrs &attributes = attrs<MatmulAttrs>(node);
    if (attributes.transpose_a || attributes.transpose_b || attributes.block != 0 || x.blocked())
      return kTransposed;
  } else if (attrs<Conv2dAttrs>(node).groups != 1) {
    return kGrouped;
  }
  const Sizes sizes = convolution ? convolution_sizes(x.shape, node.type.shape, filter)
                                  : matrix_sizes(x.shape, filter[0], filter[1]);
  return refuse_times(sizes, sizes.flops() / kFlops, product_time(sizes));
}

void use_bf16(Graph &graph) {
  graph = rewrite(graph, [](const RewriteContext &context) -> std::optional<NodeId> {
    const Node &node = context.node();
    if (refuse_bf16(context.before, node))
      return std::nullopt;
    const NodeId pairs =
        context.append(OpKind::bf16_filter, {context.inputs[1]}, Bf16FilterAttrs{});
    if (node.kind == OpKind::matmul)
      return context.append(OpKind::bf16_matmul, {context.inputs[0], pairs});
    return context.append(OpKind::bf16_conv2d, {context.inputs[0], pairs},
                          attrs<Conv2dAttrs>(node));
  });
}

namespace {

/// float32's rate: of Winograd's algorithm where choose_training_algorithms would take that.
double single_rate(const Conv2dAttrs &attributes, const Sizes &s) {
  const std::array<int64_t, 2> ones{1, 1};
  const bool winograd = s.taps == 9 && attributes.strides == ones && attributes.dilations == ones &&
                        s.channels % kTile == 0 && s.filters % kTile == 0;
  return winograd ? kWinogradFlops : kFlops;
}

/// The convolution of dy that an input gradient of stride 1 is: without it where padding is wider.
std::optional<Conv2dAttrs> gradient_convolution(const Conv2dAttrs &attributes,
                                                const Shape &filter) {
  Conv2dAttrs result;
  result.dilations = attributes.dilations;
  for (size_t side = 0; side < 4; ++side) {
    const size_t d = side % 2;
    result.padding[side] =
        window_span(filter[d], attributes.dilations[d]) - 1 - attributes.padding[side];
    if (result.padding[side] < 0)
      return std::nullopt;
  }
  return result;
}

const char *refuse_product(const Graph &graph, const Node &node, const Conv2dAttrs &attributes,
                           bool turned) {
  if (!is_parameter(graph[node.inputs[1]]))
    return kNoParameter;
  if (attributes.groups != 1)
    return kGrouped;
  const Shape &filter = graph.type(node.inputs[1]).shape;
  if (turned && attributes.strides != std::array<int64_t, 2>{1, 1})
    return "its windows have strides";
  if (turned && !gradient_convolution(attributes, filter))
    return "its padding is wider than its windows";
  const Sizes s =
      convolution_sizes(graph.type(node.inputs[0]).shape, node.type.shape, filter, turned);
  const double rounded = as_double(s.taps * s.channels * s.filters) / kTurnedValues;
  return refuse_times(s, s.flops() / single_rate(attributes, s),
                      product_time(s) + rounded / kTrainingBatch);
}

const char *refuse_filter_gradient(const Graph &graph, const Node &node) {
  const auto &attributes = attrs<Conv2dGradientAttrs>(node);
  if (attributes.groups != 1)
    return kGrouped;
  const Sizes s = convolution_sizes(graph.type(node.inputs[0]).shape,
                                    graph.type(node.inputs[1]).shape, node.type.shape);
  return refuse_times(s, s.flops() / single_rate(attributes, s), gradient_time(s));
}

const char *refuse_matrices(const Graph &graph, const Node &node) {
  const auto &attributes = attrs<MatmulAttrs>(node);
  const TensorType &a = graph.type(node.inputs[0]), &b = graph.type(node.inputs[1]);
  if (attributes.transpose_a) {
    if (attributes.transpose_b || a.blocked() || b.blocked() || !a.batched())
      return kTransposed;
    const Sizes s{a.shape[1], 1, 1, a.shape[1], b.shape[1]};
    return refuse_times(s, s.flops() / kFlops, gradient_time(s));
  }
  if (!is_parameter(graph[node.inputs[1]]))
    return kNoParameter;
  if (attributes.block != 0 || a.blocked())
    return kTransposed;
  const Sizes s = matrix_sizes(a.shape, a.shape[1], node.type.shape[1]);
  const double rounded = as_double(s.channels * s.filters) / kTurnedValues;
  return refuse_times(s, s.flops() / kFlops, product_time(s) + rounded / kTrainingBatch);
}

} // namespace

const char *refuse_training_bf16(const Graph &graph, const Node &node) {
  if (node.kind == OpKind::conv2d)
    return refuse_product(graph, node, attrs<Conv2dAttrs>(node), /*turned=*/false);
  if (node.kind == OpKind::conv2d_input_gradient)
    return refuse_product(graph, node, attrs<Conv2dGradientAttrs>(node), /*turned=*/true);
  if (node.kind == OpKind::conv2d_filter_gradient)
    return refuse_filter_gradient(graph, node);
  if (node.kind == OpKind::matmul)
    return refuse_matrices(graph, node);
  return "it is no convolution or matrix product";
}

namespace {

NodeId append_matrices(const RewriteContext &context) {
  const auto &attributes = attrs<MatmulAttrs>(context.node());
  if (attributes.transpose_a)
    return context.append(OpKind::bf16_matmul_gradient, context.inputs,
                          Bf16MatmulGradientAttrs{attributes.block});
  const NodeId pairs = context.append(OpKind::bf16_filter, {context.inputs[1]},
                                      Bf16FilterAttrs{attributes.transpose_b});
  return context.append(OpKind::bf16_matmul, {context.inputs[0], pairs});
}

NodeId append_product(const RewriteContext &context, const Conv2dAttrs &attributes, bool turned) {
  const NodeId pairs =
      context.append(OpKind::bf16_filter, {context.inputs[1]}, Bf16FilterAttrs{turned});
  return context.append(OpKind::bf16_conv2d, {context.inputs[0], pairs}, attributes);
}

} // namespace

void use_training_bf16(Graph &graph) {
  graph = rewrite(graph, [](const RewriteContext &context) -> std::optional<NodeId> {
    const Node &node = context.node();
    if (refuse_training_bf16(context.before, node))
      return std::nullopt;
    if (node.kind == OpKind::matmul)
      return append_matrices(context);
    if (node.kind == OpKind::conv2d)
      return append_product(context, attrs<Conv2dAttrs>(node), /*turned=*/false);
    const auto &attributes = attrs<Conv2dGradientAttrs>(node);
    if (node.kind == OpKind::conv2d_filter_gradient)
      return context.append(OpKind::bf16_filter_gradient, context.inputs, attributes);
    const Shape &filter = context.before.type(node.inputs[1]).shape;
    return append_product(context, *gradient_convolution(attributes, filter), /*turned=*/true);
  });
}

} // namespace sinter

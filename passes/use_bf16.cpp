#include "passes/use_bf16.h"

#include <algorithm>

namespace sinter {

namespace {

// Rates of one core with AMX, which matter by their ratios.
constexpr double kFlops = 130e9;       // a second, of float32
constexpr double kBf16Flops = 1000e9;  // of bf16
constexpr double kRoundedValues = 8e9; // a second: inputs loaded, rounded and stored
constexpr double kSums = 12e9;         // a second: loaded for the epilogue
/// Fewer multiply-adds a sample are not worth the second copy of the filter.
constexpr int64_t kLeastWork = int64_t{1} << 13;
/// What AMX multiplies at a time.
constexpr int64_t kChannels = 32, kFilters = 16;

int64_t round_up(int64_t value, int64_t multiple) {
  return (value + multiple - 1) / multiple * multiple;
}

/// A contraction's sizes, of a sample.
struct Sizes {
  int64_t inputs;    // values
  int64_t positions; // sums of a filter
  int64_t taps, channels, filters;
};

const char *refuse_sizes(const Sizes &s) {
  if (s.positions * s.taps * s.channels * s.filters < kLeastWork)
    return "it is too little work";
  const auto products = [&](int64_t channels, int64_t filters) {
    return 2 * static_cast<double>(s.positions * s.taps) * static_cast<double>(channels * filters);
  };
  const double single = products(s.channels, s.filters) / kFlops;
  const double rounding =
      static_cast<double>(s.inputs / s.channels * round_up(s.channels, kChannels)) / kRoundedValues;
  const double epilogue = static_cast<double>(s.positions * s.filters) / kSums;
  const double bf16 =
      products(round_up(s.channels, kChannels), round_up(s.filters, kFilters)) / kBf16Flops;
  return bf16 + rounding + epilogue < single ? nullptr : "it has too few channels or filters";
}

} // namespace

const char *refuse_bf16(const Graph &graph, const Node &node) {
  const bool convolution = node.kind == OpKind::conv2d;
  if (!convolution && node.kind != OpKind::matmul)
    return "it is no convolution or matrix product";
  const Node &operand = graph[node.inputs[1]];
  if (operand.kind != OpKind::parameter || attrs<ParameterAttrs>(operand).role == "prepared")
    return "its filter is no parameter";
  const TensorType &x = graph.type(node.inputs[0]);
  const Shape &filter = graph.type(node.inputs[1]).shape;
  if (!convolution) {
    const MatmulAttrs &attributes = attrs<MatmulAttrs>(node);
    if (attributes.transpose_a || attributes.transpose_b || attributes.block != 0 || x.blocked())
      return "its operands are transposed";
    const int64_t rows = x.shape[0] == kBatch ? 1 : x.shape[0];
    return refuse_sizes({rows * filter[0], rows, 1, filter[0], filter[1]});
  }
  if (attrs<Conv2dAttrs>(node).groups != 1)
    return "its filters are grouped";
  const Shape &y = node.type.shape;
  return refuse_sizes({x.shape[1] * x.shape[2] * x.shape[3], y[1] * y[2], filter[0] * filter[1],
                       filter[2], filter[3]});
}

void use_bf16(Graph &graph) {
  graph = rewrite(graph, [](const RewriteContext &context) -> std::optional<NodeId> {
    const Node &node = context.node();
    if (refuse_bf16(context.before, node))
      return std::nullopt;
    const NodeId pairs = context.append(OpKind::bf16_filter, {context.inputs[1]});
    if (node.kind == OpKind::matmul)
      return context.append(OpKind::bf16_matmul, {context.inputs[0], pairs});
    return context.append(OpKind::bf16_conv2d, {context.inputs[0], pairs},
                          attrs<Conv2dAttrs>(node));
  });
}

} // namespace sinter

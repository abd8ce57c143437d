#include "passes/choose_algorithms.h"

#include "ir/ops/winograd_matrices.h"

#include <algorithm>

namespace sinter {

namespace {

// Rates of one AVX-512 core, which matter by their ratios: narrower vectors slow all but the
// filters' way from memory down by the same factor.
constexpr double kFlops = 160e9;         // a second, in matrix products and direct convolutions
constexpr double kTransformFlops = 60e9; // additions of the transforms, loads and stores included
constexpr double kFilterBytes = 12.5e9;  // a second: a network's filters come from memory
/// What of the smaller of two times does not overlap with the larger.
constexpr double kNoOverlap = 0.5;
/// Images of a training batch that a filter serves on one way from memory.
constexpr double kImagesPerFilter = 4;
/// Less would not be worth the memory of a second, larger filter.
constexpr double kLeastGain = 0.95;
/// Channels must fill vectors.
constexpr int64_t kLanes = 16;

/// A convolution's sizes.
struct Sizes {
  int64_t height, width, channels, filters; // of the result; channels of the input
};

double as_double(int64_t value) { return static_cast<double>(value); }

double time_of(double flops, double filter_values) {
  const double compute = flops / kFlops;
  const double memory = filter_values * 4 / kFilterBytes;
  return std::max(compute, memory) + kNoOverlap * std::min(compute, memory);
}

/// Products and additions of one image, and the values of the filter that they read.
struct Work {
  double flops, transform_flops, filter_values;
};

Work direct_work(const Sizes &s) {
  const double filter = as_double(kWinogradTaps * kWinogradTaps * s.channels * s.filters);
  return {2 * filter * as_double(s.height * s.width), 0, filter};
}

/// Both transforms make every row and column of a tile from the others: some 2 * points flops a
/// value.
Work winograd_work(const Sizes &s, int64_t tile) {
  const int64_t points = (tile + kWinogradTaps - 1) * (tile + kWinogradTaps - 1);
  const int64_t tiles = ((s.height + tile - 1) / tile) * ((s.width + tile - 1) / tile);
  const double filter = as_double(points * s.channels * s.filters);
  const double transforms = as_double(tiles * points * (s.channels + s.filters)) *
                            as_double(2 * (tile + kWinogradTaps - 1));
  return {2 * filter * as_double(tiles), transforms, filter};
}

/// Of a batch of one, whose filter was transformed before.
double inference_time(const Work &work) {
  return time_of(work.flops, work.filter_values) + work.transform_flops / kTransformFlops;
}

/// Of an image of a batch, for which filters are transformed anew.
double training_time(const Work &work) {
  const double filter = work.filter_values * 4 / kFilterBytes / kImagesPerFilter;
  return work.flops / kFlops + work.transform_flops / kTransformFlops +
         (work.transform_flops > 0 ? filter : 0);
}

/// The tile of the fastest algorithm, 0 for a direct convolution.
int64_t choose_tile(const Sizes &sizes, double (*time)(const Work &)) {
  int64_t best = 0;
  double least = kLeastGain * time(direct_work(sizes));
  for (const int64_t tile : {2, 4}) {
    const double tiled = time(winograd_work(sizes, tile));
    if (tiled >= least)
      continue;
    least = tiled;
    best = tile;
  }
  return best;
}

/// A convolution of stride 1 of a node's first operand: of the input in conv2d, of dy in its input
/// gradient, whose filter is turned.
struct Convolution {
  Sizes sizes;
  std::array<int64_t, 4> padding;
  bool turned;
};

/// Whether Winograd's algorithm can compute a convolution with this filter, or its gradient.
bool is_suited(const Conv2dAttrs &attributes, const Shape &filter) {
  const std::array<int64_t, 2> ones{1, 1};
  return attributes.strides == ones && attributes.dilations == ones && attributes.groups == 1 &&
         *std::max_element(attributes.padding.begin(), attributes.padding.end()) < kWinogradTaps &&
         filter[0] == kWinogradTaps && filter[1] == kWinogradTaps && filter[2] % kLanes == 0 &&
         filter[3] % kLanes == 0;
}

/// The convolution that the node is, if Winograd's algorithm can compute it.
std::optional<Convolution> find_convolution(const Graph &graph, const Node &node) {
  const bool turned = node.kind == OpKind::conv2d_input_gradient;
  if ((!turned && node.kind != OpKind::conv2d) || graph[node.inputs[1]].kind != OpKind::parameter)
    return std::nullopt;
  const Conv2dAttrs &attributes =
      turned ? attrs<Conv2dGradientAttrs>(node) : attrs<Conv2dAttrs>(node);
  const Shape &filter = graph.type(node.inputs[1]).shape;
  if (!is_suited(attributes, filter))
    return std::nullopt;
  Convolution result{
      {node.type.shape[1], node.type.shape[2], filter[turned ? 3 : 2], filter[turned ? 2 : 3]},
      attributes.padding,
      turned};
  if (turned)
    for (int64_t &padding : result.padding)
      padding = kWinogradTaps - 1 - padding;
  return result;
}

/// The filter gradient's tile, 0 for the direct algorithm: the products of a convolution whose
/// filter is the transformed sums.
int64_t choose_gradient_tile(const Graph &graph, const Node &node) {
  if (node.kind != OpKind::conv2d_filter_gradient)
    return 0;
  const Shape &filter = node.type.shape;
  if (!is_suited(attrs<Conv2dGradientAttrs>(node), filter))
    return 0;
  const Shape &dy = graph.type(node.inputs[1]).shape;
  return choose_tile({dy[1], dy[2], filter[2], filter[3]}, training_time);
}

void use_winograd_gradients(Graph &graph) {
  graph = rewrite(graph, [](const RewriteContext &context) -> std::optional<NodeId> {
    const int64_t tile = choose_gradient_tile(context.before, context.node());
    if (tile == 0)
      return std::nullopt;
    const auto &attributes = attrs<Conv2dGradientAttrs>(context.node());
    return context.append(OpKind::winograd_filter_gradient, context.inputs,
                          WinogradGradientAttrs{{tile, attributes.padding}, attributes.block});
  });
}

void use_winograd(Graph &graph, double (*time)(const Work &)) {
  graph = rewrite(graph, [&](const RewriteContext &context) -> std::optional<NodeId> {
    const Node &node = context.node();
    const std::optional<Convolution> convolution = find_convolution(context.before, node);
    if (!convolution)
      return std::nullopt;
    const int64_t tile = choose_tile(convolution->sizes, time);
    if (tile == 0)
      return std::nullopt;
    const int64_t block = convolution->sizes.filters % (2 * kLanes) == 0 ? 2 * kLanes : kLanes;
    const NodeId points = context.append(OpKind::winograd_filter, {context.inputs[1]},
                                         WinogradFilterAttrs{tile, block, convolution->turned});
    return context.append(OpKind::winograd_conv2d, {context.inputs[0], points},
                          WinogradAttrs{tile, convolution->padding});
  });
}

} // namespace

void choose_algorithms(Graph &graph) { use_winograd(graph, inference_time); }

void choose_training_algorithms(Graph &graph) {
  use_winograd(graph, training_time);
  use_winograd_gradients(graph);
}

} // namespace sinter

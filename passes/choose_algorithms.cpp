#include "passes/choose_algorithms.h"

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
/// Less would not be worth the memory of a second, larger filter.
constexpr double kLeastGain = 0.95;
/// Channels must fill vectors.
constexpr int64_t kLanes = 16;
constexpr int64_t kTaps = 3;

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

double direct_time(const Sizes &s) {
  const double filter = as_double(kTaps * kTaps * s.channels * s.filters);
  return time_of(2 * filter * as_double(s.height * s.width), filter);
}

/// Both transforms make every row and column of a tile from the others: some 2 * points flops a
/// value.
double winograd_time(const Sizes &s, int64_t tile) {
  const int64_t points = (tile + kTaps - 1) * (tile + kTaps - 1);
  const int64_t tiles = ((s.height + tile - 1) / tile) * ((s.width + tile - 1) / tile);
  const double filter = as_double(points * s.channels * s.filters);
  const double transforms = as_double(tiles * points * (s.channels + s.filters)) *
                            as_double(2 * (tile + kTaps - 1)) / kTransformFlops;
  return time_of(2 * filter * as_double(tiles), filter) + transforms;
}

/// The tile of the fastest algorithm, 0 for a direct convolution.
int64_t choose_tile(const Sizes &sizes) {
  int64_t best = 0;
  double least = kLeastGain * direct_time(sizes);
  for (const int64_t tile : {2, 4}) {
    const double time = winograd_time(sizes, tile);
    if (time >= least)
      continue;
    least = time;
    best = tile;
  }
  return best;
}

bool has_winograd_form(const Graph &graph, const Node &node) {
  if (node.kind != OpKind::conv2d || graph[node.inputs[1]].kind != OpKind::parameter)
    return false;
  const auto &attributes = attrs<Conv2dAttrs>(node);
  const Shape &filter = graph.type(node.inputs[1]).shape;
  const std::array<int64_t, 2> ones{1, 1};
  return filter[0] == kTaps && filter[1] == kTaps && attributes.strides == ones &&
         attributes.dilations == ones && attributes.groups == 1 && filter[2] % kLanes == 0 &&
         filter[3] % kLanes == 0 &&
         *std::max_element(attributes.padding.begin(), attributes.padding.end()) < kTaps;
}

} // namespace

void choose_algorithms(Graph &graph) {
  graph = rewrite(graph, [&](const RewriteContext &context) -> std::optional<NodeId> {
    const Node &node = context.node();
    if (!has_winograd_form(context.before, node))
      return std::nullopt;
    const TensorType &filter = context.before.type(node.inputs[1]);
    const int64_t tile =
        choose_tile({node.type.shape[1], node.type.shape[2], filter.shape[2], filter.shape[3]});
    if (tile == 0)
      return std::nullopt;
    const NodeId points = context.append(OpKind::winograd_filter, {context.inputs[1]},
                                         WinogradFilterAttrs{tile, filter.block});
    return context.append(OpKind::winograd_conv2d, {context.inputs[0], points},
                          WinogradAttrs{tile, attrs<Conv2dAttrs>(node).padding});
  });
}

} // namespace sinter

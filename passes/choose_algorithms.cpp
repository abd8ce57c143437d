#include "passes/choose_algorithms.h"

#include "ir/ops/winograd_matrices.h"

#include <algorithm>
#include <fmt/format.h>

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
constexpr const char *kInference = "inference", *kTraining = "training";
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

/// A setting that convolutions are computed in.
struct Setting {
  const char *name; // in what names a convolution
  double (*time)(const Work &);
  const TunedAlgorithms &tuned;
};

std::string describe(const char *what, const Sizes &sizes, const std::array<int64_t, 4> &padding,
                     const char *setting) {
  return fmt::format("{} {}x{} {}->{} padding {} {}", what, sizes.height, sizes.width,
                     sizes.channels, sizes.filters, fmt::join(padding, ","), setting);
}

/// The tile of the fastest algorithm, 0 for a direct convolution: as was measured, else by
/// estimates.
int64_t choose_tile(const Sizes &sizes, const std::string &description, const Setting &setting) {
  if (setting.tuned)
    if (const std::optional<int64_t> tile = setting.tuned(description))
      return *tile;
  const auto time = setting.time;
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

/// The sizes of a filter gradient's products: those of a convolution whose filter is the
/// transformed sums.
Sizes gradient_sizes(const Graph &graph, const Node &node) {
  const Shape &dy = graph.type(node.inputs[1]).shape;
  return {dy[1], dy[2], node.type.shape[2], node.type.shape[3]};
}

/// The filter gradient's tile, 0 for the direct algorithm.
int64_t choose_gradient_tile(const Graph &graph, const Node &node, const Setting &setting) {
  if (node.kind != OpKind::conv2d_filter_gradient ||
      !is_suited(attrs<Conv2dGradientAttrs>(node), node.type.shape))
    return 0;
  const Sizes sizes = gradient_sizes(graph, node);
  const auto &padding = attrs<Conv2dGradientAttrs>(node).padding;
  return choose_tile(sizes, describe("filter_gradient", sizes, padding, setting.name), setting);
}

void use_winograd_gradients(Graph &graph, const Setting &setting) {
  graph = rewrite(graph, [&](const RewriteContext &context) -> std::optional<NodeId> {
    const int64_t tile = choose_gradient_tile(context.before, context.node(), setting);
    if (tile == 0)
      return std::nullopt;
    const auto &attributes = attrs<Conv2dGradientAttrs>(context.node());
    return context.append(OpKind::winograd_filter_gradient, context.inputs,
                          WinogradGradientAttrs{{tile, attributes.padding}, attributes.block});
  });
}

void use_winograd(Graph &graph, const Setting &setting) {
  graph = rewrite(graph, [&](const RewriteContext &context) -> std::optional<NodeId> {
    const Node &node = context.node();
    const std::optional<Convolution> convolution = find_convolution(context.before, node);
    if (!convolution)
      return std::nullopt;
    const int64_t tile = choose_tile(
        convolution->sizes,
        describe("convolution", convolution->sizes, convolution->padding, setting.name), setting);
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

void choose_algorithms(Graph &graph, const TunedAlgorithms &tuned) {
  use_winograd(graph, {kInference, inference_time, tuned});
}

void choose_training_algorithms(Graph &graph, const TunedAlgorithms &tuned) {
  const Setting setting{kTraining, training_time, tuned};
  use_winograd(graph, setting);
  use_winograd_gradients(graph, setting);
}

std::optional<ConvolutionAlgorithm> algorithm_of(const Graph &graph, NodeId id, bool training) {
  const Node &node = graph[id];
  const char *setting = training ? kTraining : kInference;
  if (node.kind == OpKind::winograd_conv2d) {
    const auto &attributes = attrs<WinogradAttrs>(node);
    const Shape &shape = node.type.shape;
    const Sizes sizes{shape[1], shape[2], graph.type(node.inputs[0]).shape[3], shape[3]};
    return {{describe("convolution", sizes, attributes.padding, setting), attributes.tile}};
  }
  if (node.kind == OpKind::winograd_filter_gradient) {
    const auto &attributes = attrs<WinogradGradientAttrs>(node);
    return {{describe("filter_gradient", gradient_sizes(graph, node), attributes.padding, setting),
             attributes.tile}};
  }
  if (node.kind == OpKind::conv2d_filter_gradient &&
      is_suited(attrs<Conv2dGradientAttrs>(node), node.type.shape))
    return {{describe("filter_gradient", gradient_sizes(graph, node),
                      attrs<Conv2dGradientAttrs>(node).padding, setting),
             0}};
  if (const std::optional<Convolution> found = find_convolution(graph, node))
    return {{describe("convolution", found->sizes, found->padding, setting), 0}};
  return std::nullopt;
}

} // namespace sinter

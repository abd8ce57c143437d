// The loops, innermost last; a tile is `rows` pixels of an image row by `vectors` vectors of
// channels:
//
//   parallel n
//     padded = the input of one image, with zeros around
//     channels in tiles, y, x in tiles
//       accumulators = 0
//       ky, kx, ci: accumulators += padded (broadcast) * filter (vectors)
//       epilogue and store
//
// A pooled kernel has a loop over pooled rows instead, in each of which the same loops fill a
// buffer with the rows that the pooling reads.
#include "backends/halide/cpu/convolution.h"

#include "backends/halide/cpu/loops.h"
#include "backends/halide/cpu/surroundings.h"
#include "backends/halide/cpu/tile.h"
#include "ir/diagnostics.h"

#include <algorithm>
#include <fmt/format.h>

namespace sinter {

using Halide::Func;
using Halide::TailStrategy;
using Halide::Var;
using Halide::VarOrRVar;

namespace {

/// Unrolled multiply-adds of a loop body: compile time grows with them, at about 1 ms each.
constexpr int64_t kUnrolledBody = 280;
/// Multiply-adds of one image that make it worth splitting among threads.
constexpr int64_t kSplitImage = int64_t{1} << 24;

/// Func dimensions of an image, innermost first.
enum Dimension { channel = 0, x = 1, y = 2, image = 3 };

class ConvolutionSchedule {
public:
  ConvolutionSchedule(const LoweredKernel &kernel, const LoweredNode &node, const Variant &variant)
      : kernel_(kernel), node_(node), variant_(variant), sum_(node.stages.back()),
        around_(find_surroundings(kernel, node)) {
    const Shape &shape = sum_.type.shape;
    width_ = shape[2];
    filters_ = shape[3];
    const Node &n = kernel.kernel.graph[node.id];
    const TensorType *filter = &kernel.kernel.graph.type(n.inputs[1]);
    for (const Stage &stage : node.stages)
      if (stage.role == "filter")
        filter = &stage.type;
    lanes_ = filter->storage_shape().front() * filter->block;
    taps_ = 1;
    for (int d = 0; d < sum_.domain.dimensions(); ++d)
      taps_ *= filter->shape[static_cast<size_t>(d)];
    channels_ = filter->shape[2];
    tile_ = choose_tile(width_, lanes_, variant, /*longest=*/28);
  }

  std::string apply() {
    for (const Stage &stage : node_.stages)
      if (stage.role == "filter")
        schedule_at_root(stage, variant_);
    if (!around_.plain_after || !around_.plain_before) {
      apply_to_whole_result();
      return name("direct, unfused");
    }
    if (around_.pooled)
      apply_pooled();
    else
      apply_to(kernel_.groups[0].func);
    return name("direct");
  }

private:
  std::string name(const char *kind) const {
    return fmt::format("{} {}x{}", kind, tile_.rows, tile_.vectors * variant_.vector_width);
  }
  int64_t image_work() const { return taps_ * lanes_ * width_ * sum_.type.shape[1]; }

  /// The convolution alone, stored before the rest of the kernel runs.
  void apply_to_whole_result() {
    Func result = node_.result;
    result.compute_root();
    apply_to(result);
    for (const LoweredNode &node : kernel_.nodes)
      if (node.id != node_.id)
        for (const Stage &stage : node.stages)
          schedule_at_root(stage, variant_);
    for (const OutputGroup &group : kernel_.groups)
      schedule_stores(group, variant_);
  }

  /// Tiles a Func of the convolution's own shape.
  void apply_to(Func consumer) {
    const Var image_loop = consumer.args()[image];
    place_sum(consumer, tile_consumer(consumer));
    place_padded(consumer, image_loop);
    consumer.parallel(image_loop);
    if (image_work() >= kSplitImage)
      consumer.parallel(Var("channel_tile"));
  }

  void apply_pooled() {
    Func out = kernel_.groups[0].func;
    Func rows = around_.pooled->result;
    const std::vector<Var> v = out.args();
    const int lanes = lanes_for(filters_, variant_);
    const Var around("around"), lane("lane");
    out.split(v[channel], around, lane, lanes, TailStrategy::GuardWithIf).vectorize(lane);
    out.reorder(lane, around, v[x], v[y], v[image]).parallel(v[image]);
    const Node &pool = kernel_.kernel.graph[around_.pools[0]->id];
    const auto &attrs = sinter::attrs<Pool2dAttrs>(pool);
    if (attrs.size[0] > attrs.strides[0])
      rows.store_at(out, v[image]); // neighbouring windows share rows: slide
    else if (image_work() >= kSplitImage)
      out.parallel(v[y]);
    rows.compute_at(out, v[y]);
    place_sum(rows, tile_consumer(rows));
    place_padded(out, v[image]);
  }

  /// Splits channels and pixels into register tiles; returns the loop around one tile.
  Var tile_consumer(Func consumer) {
    const std::vector<Var> v = consumer.args();
    const Var channel_tile("channel_tile"), in_tile("in_tile"), vector("vector"), lane("lane");
    const Var x_tile("x_tile"), pixel("pixel");
    const int lanes = variant_.vector_width;
    consumer.split(v[channel], channel_tile, in_tile, tile_.vectors * lanes,
                   TailStrategy::GuardWithIf);
    consumer.split(in_tile, vector, lane, lanes);
    consumer.split(v[x], x_tile, pixel, tile_.rows, TailStrategy::GuardWithIf);
    consumer.reorder(lane, vector, pixel, x_tile, v[y], channel_tile, v[image]);
    consumer.vectorize(lane).unroll(vector).unroll(pixel);
    return x_tile;
  }

  /// The accumulators, with the loops of the sum around them.
  void place_sum(Func consumer, const Var &tile) {
    Func sum = sum_.func;
    const std::vector<Var> v = sum.args();
    const int lanes = variant_.vector_width;
    const Var vector("vector"), lane("lane");
    sum.compute_at(consumer, tile);
    // Always a whole tile: the copies are defined beyond the image, and padding lanes are zero.
    sum.bound_extent(v[channel], tile_.vectors * lanes).bound_extent(v[x], tile_.rows);
    sum.split(v[channel], vector, lane, lanes).vectorize(lane).unroll(vector).unroll(v[x]);
    Halide::Stage update = sum.update();
    update.split(v[channel], vector, lane, lanes);
    std::vector<VarOrRVar> order{lane, vector, v[x]};
    for (int d = 0; d < sum_.domain.dimensions(); ++d)
      order.emplace_back(sum_.domain[d]);
    order.emplace_back(v[y]);
    order.emplace_back(v[image]);
    update.reorder(order).vectorize(lane).unroll(vector).unroll(v[x]);
    unroll_taps(update);
  }

  /// Unrolls the whole sum when it is short, else a few input channels.
  void unroll_taps(Halide::Stage update) {
    const int64_t body = int64_t{tile_.rows} * tile_.vectors;
    if (taps_ * body <= kUnrolledBody) {
      for (int d = 0; d < sum_.domain.dimensions(); ++d)
        update.unroll(sum_.domain[d]);
      return;
    }
    if (channels_ * body <= kUnrolledBody)
      update.unroll(sum_.domain[0]);
    else if (channels_ % 2 == 0)
      update.unroll(sum_.domain[0], 2);
  }

  void place_padded(Func owner, const Var &at) {
    const Stage &stage = node_.stages.front();
    SINTER_ASSERT(stage.role == "padded", "a convolution's first stage is {}", stage.role);
    if (!needs_copy())
      return;
    Func(stage.func).compute_at(owner, at);
    vectorize_copy(stage, variant_);
  }

  /// Whether the input cannot be read in place: it needs zeros around it, is computed by this
  /// kernel, or tiles overhang it.
  bool needs_copy() const {
    const Graph &graph = kernel_.kernel.graph;
    const NodeId input = graph[node_.id].inputs[0];
    const bool computed = std::any_of(kernel_.nodes.begin(), kernel_.nodes.end(),
                                      [&](const LoweredNode &node) { return node.id == input; });
    return computed || node_.stages.front().type.shape != graph.type(input).shape ||
           width_ % tile_.rows != 0;
  }

  const LoweredKernel &kernel_;
  const LoweredNode &node_;
  const Variant &variant_;
  const Stage &sum_;
  const Surroundings around_;
  int64_t width_ = 0;    // of the result
  int64_t filters_ = 0;  // channels of the result
  int64_t lanes_ = 0;    // the same with padding lanes
  int64_t channels_ = 0; // that one filter reads
  int64_t taps_ = 0;     // products a result element
  RegisterTile tile_;
};

} // namespace

std::string schedule_convolution(const LoweredKernel &kernel, const LoweredNode &convolution,
                                 const Variant &variant) {
  return ConvolutionSchedule(kernel, convolution, variant).apply();
}

} // namespace sinter

// The loops, innermost last. Convolutions of many images; a tile of filters reads its part from
// memory once, for all positions:
//
//   parallel filters in tiles, y, x, images in tiles
//     accumulators = 0
//     ky, kx where they meet the image, ci: accumulators += image (broadcast) * filter (vectors)
//     epilogue and store
//
// Input gradients; vectors go along images, as in a . b^T, so that the filter is read where it is:
//
//   images = dy, with the images innermost
//   parallel channels in tiles, y, x, images in tiles
//     accumulators = 0
//     ky, kx where they meet dy, co: accumulators += images (vectors) * filter (broadcast)
//     square = accumulators, turned around
//     epilogue and store
//
// Gradients of filters; no partial sum is ever stored:
//
//   positions = the input, position by position
//   parallel block of filters
//     gradient = dy of these filters, position by position
//     ky, kx, channels in tiles
//       accumulators = 0
//       y, x where they meet the tap, n: accumulators += positions (broadcast) * gradient (vectors)
//       update and store
#include "backends/halide/cpu/by_position.h"

#include "backends/halide/cpu/loops.h"
#include "backends/halide/cpu/surroundings.h"
#include "backends/halide/cpu/tile.h"
#include "ir/diagnostics.h"
#include "ir/ops/by_position.h"

#include <algorithm>
#include <fmt/format.h>

namespace sinter {

using Halide::Func;
using Halide::TailStrategy;
using Halide::Var;
using Halide::VarOrRVar;

namespace {

/// Rows of the tile whose vectors are images.
constexpr int kRows = 8;
/// Steps of a long sum in one iteration.
constexpr int kUnrolledSteps = 4;
/// Rows of a filter gradient's tile at most.
constexpr int64_t kMostRows = 28;

std::vector<Halide::RVar> terms_of(const Stage &sum) {
  std::vector<Halide::RVar> terms;
  for (int d = 0; d < sum.domain.dimensions(); ++d)
    terms.push_back(sum.domain[d]);
  return terms;
}

/// Every image of a position, one behind the other.
void place_positions_at_root(const Stage &stage, const Variant &variant) {
  schedule_at_root(stage, variant);
  const std::vector<Var> v = Func(stage.func).args();
  Func(stage.func).reorder_storage(v[0], v[3], v[1], v[2]);
}

class ProductOfImages {
public:
  ProductOfImages(const LoweredKernel &kernel, const LoweredNode &node, const Variant &variant)
      : kernel_(kernel), node_(node), variant_(variant), around_(find_surroundings(kernel, node)),
        lanes_(variant.vector_width) {
    tile_ = {std::min(kRows, lanes_), 2};
    if (!fits_registers(tile_, variant))
      tile_.vectors = 1;
  }

  std::string apply() {
    const bool fused = around_.plain_after && around_.plain_before && !around_.pooled &&
                       kernel_.groups[0].outputs.size() == 1;
    schedule_at_root(node_.stages.front(), variant_);
    Func consumer = fused ? kernel_.groups[0].func : node_.result;
    place_sum(consumer, tile_consumer(consumer));
    if (!fused) {
      consumer.compute_root();
      pad_buffer(consumer, kernel_.kernel.graph.type(node_.id));
      schedule_rest(kernel_, node_, variant_);
    }
    return fmt::format("by position {}x{}", tile_.rows, tile_.vectors * lanes_);
  }

private:
  /// Squares of channels by images; returns the loop around one.
  Var tile_consumer(Func consumer) {
    const std::vector<Var> v = consumer.args();
    const Var channel_tile("channel_tile"), lane("lane"), tile("tile"), in_tile("in_tile");
    consumer.split(v[0], channel_tile, lane, lanes_, TailStrategy::GuardWithIf);
    consumer.split(v[3], tile, in_tile, tile_.vectors * lanes_, TailStrategy::GuardWithIf);
    consumer.reorder(lane, in_tile, tile, v[1], v[2], channel_tile);
    consumer.vectorize(lane).parallel(channel_tile);
    return tile;
  }

  void place_sum(Func consumer, const Var &tile) {
    const Stage &stage = node_.stages.back();
    Func sum = stage.func;
    Func square = sum.in();
    const Var image = sum.args()[0], channel = sum.args()[1];
    const Var vector("vector"), lane("lane"), rows("rows"), row("row");
    square.compute_at(consumer, tile).reorder_storage(channel, image, sum.args()[2], sum.args()[3]);
    square.bound_extent(image, tile_.vectors * lanes_).bound_extent(channel, lanes_);
    square.split(image, vector, lane, lanes_).split(channel, rows, row, tile_.rows);
    square.reorder(lane, vector, row, rows).vectorize(lane).unroll(vector).unroll(row);
    sum.compute_at(square, rows);
    Halide::Stage update =
        keep_in_registers(sum, {tile_.vectors * lanes_, tile_.rows}, lanes_, terms_of(stage));
    const int64_t *depth = Halide::Internal::as_const_int(stage.domain[0].extent());
    if (depth && *depth % kUnrolledSteps == 0)
      update.unroll(stage.domain[0], kUnrolledSteps);
  }

  const LoweredKernel &kernel_;
  const LoweredNode &node_;
  const Variant &variant_;
  const Surroundings around_;
  const int lanes_;
  RegisterTile tile_; // rows of channels by vectors of images
};

class FilterGradientByPosition {
public:
  FilterGradientByPosition(const LoweredKernel &kernel, const LoweredNode &node,
                           const Variant &variant, Decisions &decisions)
      : kernel_(kernel), node_(node), variant_(variant), around_(find_surroundings(kernel, node)),
        type_(kernel.kernel.graph.type(node.id)), width_(halide_extents(type_)[0]) {
    lanes_ = lanes_for(width_, variant);
    choose_tile(decisions);
  }

  std::string apply() {
    const bool fused = around_.plain_after && around_.plain_before;
    place_positions_at_root(*node_.find_stage("positions"), variant_);
    Func consumer = fused ? kernel_.groups[0].func : node_.result;
    const Var tile = tile_consumer(consumer);
    const Stage &sum = node_.stages.back();
    Func(sum.func).compute_at(consumer, tile);
    std::vector<Halide::Expr> extents{tile_.vectors * lanes_, tile_.rows};
    keep_in_registers(sum.func, extents, lanes_, terms_of(sum));
    place_gradient(consumer);
    if (!fused) {
      consumer.compute_root();
      pad_buffer(consumer, type_, tile_.vectors * lanes_);
      schedule_rest(kernel_, node_, variant_);
    } else if (kernel_.groups[0].outputs.size() > 1) {
      Func values = kernel_.groups[0].values;
      values.compute_at(consumer, tile);
      pad_buffer(values, kernel_.groups[0].type, tile_.vectors * lanes_);
      values.vectorize(values.args()[0], lanes_, TailStrategy::GuardWithIf);
    }
    return fmt::format("filter gradient by position {}x{}", tile_.rows, tile_.vectors * lanes_);
  }

private:
  /// Tiles divide the input channels, and the vectors of a block.
  void choose_tile(Decisions &decisions) {
    tile_ = {1, 1};
    if (width_ % lanes_ != 0)
      return;
    const int64_t channels = type_.shape[2];
    std::vector<Alternative> alternatives;
    for (int vectors = 1; vectors <= 4; ++vectors)
      for (int64_t rows = std::min(kMostRows, channels); rows >= 1; --rows) {
        const RegisterTile candidate{static_cast<int>(rows), vectors};
        if (channels % rows != 0 || width_ / lanes_ % vectors != 0 ||
            !fits_registers(candidate, variant_))
          continue;
        const double work = static_cast<double>(half_cycles(candidate) + kLoopOverhead) /
                            (candidate.rows * candidate.vectors);
        alternatives.push_back({work, {rows, vectors}});
      }
    tile_ = decide_tile(decisions, std::move(alternatives));
  }

  /// Returns the loop around one tile; that over blocks of filters is outermost.
  Var tile_consumer(Func consumer) {
    const std::vector<Var> v = consumer.args();
    const Var block("block"), in_tile("in_tile"), vector("vector"), lane("lane");
    const Var rows("rows"), row("row");
    consumer.split(v[0], block, in_tile, tile_.vectors * lanes_, TailStrategy::GuardWithIf);
    consumer.split(in_tile, vector, lane, lanes_);
    consumer.split(v[1], rows, row, tile_.rows, TailStrategy::GuardWithIf);
    std::vector<VarOrRVar> order{lane, vector, row, rows, v[2], v[3], block};
    if (type_.blocked())
      order.emplace_back(v[4]);
    consumer.reorder(order).vectorize(lane).unroll(vector).unroll(row).parallel(block);
    if (type_.blocked())
      consumer.parallel(v[4]);
    return rows;
  }

  /// dy of a block of filters, where the sum passes it from front to back.
  void place_gradient(Func consumer) {
    const Stage &stage = *node_.find_stage("gradient");
    Func gradient = stage.func;
    if (!around_.plain_before) {
      schedule_at_root(stage, variant_);
      return;
    }
    const std::vector<Var> v = gradient.args();
    gradient.compute_at(consumer, Var("block")).reorder_storage(v[0], v[3], v[1], v[2]);
    gradient.vectorize(v[0], lanes_, TailStrategy::RoundUp);
  }

  const LoweredKernel &kernel_;
  const LoweredNode &node_;
  const Variant &variant_;
  const Surroundings around_;
  const TensorType &type_;
  const int64_t width_; // of the innermost dimension
  int lanes_;
  RegisterTile tile_; // rows of input channels by vectors of filters
};

} // namespace

bool is_gradient_by_position(const LoweredNode &node) {
  return node.find_stage("images") || (node.find_stage("positions") && node.find_stage("gradient"));
}

std::string schedule_gradient_by_position(const LoweredKernel &kernel, const LoweredNode &gradient,
                                          const Variant &variant, Decisions &decisions) {
  if (gradient.find_stage("positions"))
    return FilterGradientByPosition(kernel, gradient, variant, decisions).apply();
  return ProductOfImages(kernel, gradient, variant).apply();
}

namespace {

/// Images by vectors of filters.
RegisterTile tile_of_many(int64_t lanes, const Variant &variant) {
  for (const int rows : {kManyImages, kManyImages / 2})
    for (const int vectors : {2, 1}) {
      const RegisterTile tile{rows, vectors};
      if (lanes % (vectors * variant.vector_width) == 0 && fits_registers(tile, variant))
        return tile;
    }
  SINTER_UNREACHABLE("no tile for {} filters", lanes);
}

} // namespace

std::string specialize_for_many_images(Func consumer, const LoweredKernel &kernel,
                                       const LoweredNode &convolution, const Variant &variant) {
  const int lanes = variant.vector_width;
  const Graph &graph = kernel.kernel.graph;
  const RegisterTile tile = tile_of_many(graph.type(convolution.id).shape[3], variant);
  const std::vector<Var> v = consumer.args();
  const Var filters("many_filters"), in_tile("many_in_tile"), vector("vector"), lane("lane");
  const Var images("many_images"), image("many_image");
  Halide::Stage many = consumer.specialize(kernel.batch >= kManyImages);
  many.split(v[0], filters, in_tile, tile.vectors * lanes, TailStrategy::GuardWithIf);
  many.split(in_tile, vector, lane, lanes);
  many.split(v[3], images, image, tile.rows, TailStrategy::GuardWithIf);
  many.reorder({lane, vector, image, images, v[1], v[2], filters});
  many.vectorize(lane).unroll(vector).unroll(image).parallel(filters);

  const Stage &stage = convolution.stages.back();
  Func sum = stage.func;
  const std::vector<Var> s = sum.args();
  sum.compute_at(consumer, images);
  sum.bound_extent(s[0], tile.vectors * lanes).bound_extent(s[3], tile.rows);
  sum.split(s[0], vector, lane, lanes).reorder(lane, vector, s[3], s[1], s[2]);
  sum.vectorize(lane).unroll(vector).unroll(s[3]);
  Halide::Stage update = sum.update();
  update.split(s[0], vector, lane, lanes);
  std::vector<VarOrRVar> order{lane, vector, s[3]};
  for (const Halide::RVar &term : terms_of(stage))
    order.emplace_back(term);
  order.insert(order.end(), {s[1], s[2]});
  update.reorder(order).vectorize(lane).unroll(vector).unroll(s[3]);
  update.unroll(stage.domain[0], kUnrolledSteps); // channels fill vectors
  const NodeId input = graph[convolution.id].inputs[0];
  if (std::any_of(kernel.nodes.begin(), kernel.nodes.end(),
                  [&](const LoweredNode &node) { return node.id == input; }))
    place_positions_at_root(*convolution.find_stage("positions"), variant);
  return fmt::format("by position {}x{}", tile.rows, tile.vectors * lanes);
}

} // namespace sinter

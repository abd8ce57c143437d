// The loops, innermost last; t counts the tiles of a chunk, which is a few rows of tiles:
//
//   images, chunk
//     padded = the input that the chunk reads, with zeros around
//     for t, c:                      tiles = input transform, in registers
//     channels in blocks of a register tile
//       for each point (j, i), t in blocks of a register tile
//         accumulators = 0
//         c: accumulators += tiles (broadcast) * filter (vectors)
//         products = accumulators
//       for each tile of the chunk:  output transform in registers, epilogue, store
//
// A chunk's tiles stay in the second cache while all of the filter passes by them; a block's
// products stay there, too, between the matrix products and the output transform. Threads share
// chunks where there are enough of them. Else each takes some blocks of channels, and the filter is
// read once.
#include "backends/halide/cpu/winograd.h"

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

namespace {

/// Threads share chunks where the filter, which each of them then reads, has at most so many bytes
/// for a byte of transformed tiles, which they exchange when they share channels.
constexpr int64_t kFilterBytesToTileBytes = 8;
/// Tiles in whose time a chunk begins and ends.
constexpr double kTilesOfOverhead = 4;
/// Bytes of a chunk's transformed tiles: a part of the filter's bytes, as each chunk reads all of
/// the filter, but within what the second cache holds beside a small filter, products and rows of
/// the input, and never beyond its double.
constexpr int64_t kLeastChunkBytes = int64_t{192} << 10;
constexpr int64_t kMostChunkBytes = int64_t{1} << 22;
constexpr int64_t kFilterBytesToChunkBytes = 4;
/// Images at most whose chunks take turns.
constexpr int kMostImages = 8;
/// Steps of the sum in one iteration.
constexpr int kUnrolledSteps = 4;

/// Func dimensions of an image and of the stages over tiles, innermost first.
enum Dimension { channel = 0, x = 1, y = 2, image = 3 };
enum TileDimension { tile = 1, point_x = 2, point_y = 3 };

int64_t divided_up(int64_t a, int64_t b) { return (a + b - 1) / b; }

class WinogradSchedule {
public:
  WinogradSchedule(const LoweredKernel &kernel, const LoweredNode &node, const Variant &variant,
                   Decisions &decisions)
      : kernel_(kernel), node_(node), variant_(variant), decisions_(decisions),
        around_(find_surroundings(kernel, node)), filter_(node.find_stage("filter")) {
    const Graph &graph = kernel.kernel.graph;
    const Node &n = graph[node.id];
    size_ = attrs<WinogradAttrs>(n).tile;
    const TensorType &filter = second_operand_type(kernel, node, filter_);
    const Shape &result = graph.type(node.id).shape;
    rows_ = divided_up(result[1], size_);
    columns_ = divided_up(result[2], size_);
    channels_ = filter.shape[2];
    lanes_ = filter.storage_shape().front() * filter.block;
    choose_chunk(filter.storage_bytes());
    choose_tile();
  }

  KernelSchedule apply() {
    if (filter_)
      schedule_at_root(*filter_, variant_);
    const bool fused = around_.plain_before && around_.plain_after;
    if (!fused) {
      Func(node_.result).compute_root();
      pad_buffer(node_.result, kernel_.kernel.graph.type(node_.id),
                 tile_.vectors * variant_.vector_width);
      schedule_rest(kernel_, node_, variant_);
    }
    int64_t step = size_; // results of a tile along a side, pooled if they are
    if (fused && around_.pooled) {
      const auto &pool = attrs<Pool2dAttrs>(kernel_.kernel.graph[around_.pools[0]->id]);
      step = size_ / pool.strides[0];
    }
    apply_to(fused ? Func(kernel_.groups[0].func) : Func(node_.result), static_cast<int>(step));
    return {fmt::format("winograd{} F({},3) {}x{}", fused ? "" : ", unfused", size_, tile_.rows,
                        tile_.vectors * variant_.vector_width),
            prefetches_};
  }

private:
  const Stage &stage(const char *role) const {
    const Stage *found = node_.find_stage(role);
    SINTER_ASSERT(found, "a Winograd convolution without the stage {}", role);
    return *found;
  }

  const Stage &sum() const {
    for (const Stage &stage : node_.stages)
      if (stage.kind == Stage::Kind::reduction)
        return stage;
    SINTER_UNREACHABLE("a Winograd convolution without a sum");
  }

  /// Where a chunk is a whole image, several images' chunks take turns with each part of a large
  /// filter.
  void choose_images(int64_t limit) {
    const int64_t image_bytes = (size_ + 2) * (size_ + 2) * columns_ * rows_ * channels_ * 4;
    if (chunk_ == rows_)
      images_ = static_cast<int>(decisions_.decide(
          "images", std::clamp<int64_t>(limit / image_bytes, 1, kMostImages), {1, 2, 4, 8}));
  }

  void choose_chunk(int64_t filter_bytes) {
    const int64_t row_bytes = (size_ + 2) * (size_ + 2) * columns_ * channels_ * 4;
    const int64_t limit =
        std::clamp(filter_bytes / kFilterBytesToChunkBytes, kLeastChunkBytes, kMostChunkBytes);
    const int64_t most = std::clamp<int64_t>(limit / row_bytes, 1, rows_);
    const bool small_filter = filter_bytes <= kFilterBytesToTileBytes * row_bytes * rows_;
    share_chunks_ = decisions_.decide("share_chunks", small_filter ? 1 : 0, {0, 1}) == 1;
    if (share_chunks_)
      choose_shared_chunk(most);
    else
      chunk_ = divided_up(rows_, divided_up(rows_, most));
    std::vector<int64_t> others;
    for (const int64_t parts : {1, 2, 3, 4, 6, 8, 16})
      others.push_back(divided_up(rows_, parts));
    chunk_ = decisions_.decide("chunk_rows", chunk_, others);
    if (!share_chunks_)
      choose_images(limit);
  }

  /// Equal shares for two threads, of as many tiles at a time as there can be.
  void choose_shared_chunk(int64_t most) {
    double least = -1;
    for (int64_t rows = 1; rows <= most; ++rows) {
      const int64_t chunks = divided_up(rows_, rows);
      const auto tiles = static_cast<double>(rows * columns_);
      const double time =
          static_cast<double>(divided_up(chunks, 2) * rows) * (tiles + kTilesOfOverhead) / tiles;
      if (least >= 0 && time >= least)
        continue;
      least = time;
      chunk_ = rows;
    }
  }

  /// Two vectors wide at most: wider tiles read more of the filter than the second cache delivers.
  void choose_tile() {
    const int64_t count = chunk_ * columns_;
    std::vector<Alternative> alternatives;
    for (int vectors = 2; vectors >= 1; --vectors)
      for (int rows = static_cast<int>(std::min<int64_t>(count, 28)); rows >= 1; --rows) {
        const RegisterTile candidate{rows, vectors};
        const int64_t lanes = int64_t{vectors} * variant_.vector_width;
        if (!fits_registers(candidate, variant_) || lanes_ % lanes != 0)
          continue;
        const int64_t tiles = divided_up(count, rows) * (lanes_ / lanes);
        const int64_t work = tiles * (half_cycles(candidate) + kLoopOverhead);
        alternatives.push_back({static_cast<double>(work), {rows, vectors}});
      }
    tile_ = decide_tile(decisions_, std::move(alternatives));
  }

  void apply_to(Func consumer, int step) {
    const std::vector<Var> v = consumer.args();
    const int lanes = variant_.vector_width;
    const Var block("block"), in_block("in_block"), vector("vector"), lane("lane");
    const Var tile_x("tile_x"), in_x("in_x"), tile_y("tile_y"), in_y("in_y");
    const Var chunk("chunk"), chunk_row("chunk_row"), images("images"), sample("sample");
    consumer.split(v[channel], block, in_block, tile_.vectors * lanes, TailStrategy::GuardWithIf);
    consumer.split(in_block, vector, lane, lanes);
    consumer.split(v[x], tile_x, in_x, step, TailStrategy::GuardWithIf);
    consumer.split(v[y], tile_y, in_y, step, TailStrategy::GuardWithIf);
    consumer.split(tile_y, chunk, chunk_row, static_cast<int>(chunk_), TailStrategy::GuardWithIf);
    consumer.split(v[image], images, sample, images_, TailStrategy::GuardWithIf);
    consumer.reorder({lane, in_x, in_y, vector, tile_x, chunk_row, sample, block, chunk, images});
    consumer.vectorize(lane).unroll(in_x).unroll(in_y);
    consumer.parallel(images).parallel(share_chunks_ ? chunk : block);
    place_output_transform(consumer, vector);
    place_products(consumer, block);
    place_input_transform(consumer, chunk);
  }

  void place_output_transform(Func consumer, const Var &at) {
    Func folded = stage("folded").func;
    const std::vector<Var> v = folded.args();
    folded.compute_at(consumer, at).bound_extent(v[channel], variant_.vector_width);
    folded.vectorize(v[channel], variant_.vector_width);
    folded.unroll(v[point_x]).unroll(v[point_y]);
  }

  void place_products(Func consumer, const Var &at) {
    const Stage &products = sum();
    Func accumulators = products.func;
    Func stored = accumulators.in();
    const int lanes = variant_.vector_width;
    const Var vector("vector"), lane("lane"), row("row"), rows("rows");
    const std::vector<Var> w = stored.args();
    stored.compute_at(consumer, at).bound_extent(w[channel], tile_.vectors * lanes);
    stored.split(w[tile], rows, row, tile_.rows, TailStrategy::RoundUp);
    stored.split(w[channel], vector, lane, lanes);
    stored.reorder({lane, vector, row, rows, w.back(), w[point_x], w[point_y]});
    stored.vectorize(lane).unroll(vector).unroll(row);

    const Halide::RVar depth = products.domain[0];
    accumulators.compute_at(stored, rows);
    Halide::Stage update =
        keep_in_registers(accumulators, {tile_.vectors * lanes, tile_.rows}, lanes, {depth});
    if (channels_ % kUnrolledSteps == 0) // makes up for the filter's way from memory
      update.unroll(depth, kUnrolledSteps);
    if (const std::optional<std::string> filter =
            contiguous_operand(kernel_, node_, filter_, int64_t{tile_.vectors} * lanes);
        filter && decisions_.decide("prefetch", 1, {0}) == 1)
      prefetches_.push_back(
          {accumulators.name(), *filter, rows.name(), channels_ * tile_.vectors * lanes});
  }

  void place_input_transform(Func consumer, const Var &at) {
    Func padded = stage("padded").func;
    Func columns = stage("columns").func;
    Func tiles = stage("tiles").func;
    const Var around("around"), lane("lane");
    const std::vector<Var> v = tiles.args();
    tiles.compute_at(consumer, at);
    tiles.split(v[channel], around, lane, variant_.vector_width, TailStrategy::RoundUp);
    tiles.reorder({lane, v[point_x], v[point_y], around, v[tile], v.back()});
    tiles.vectorize(lane).unroll(v[point_x]).unroll(v[point_y]);
    columns.compute_at(tiles, around).vectorize(columns.args()[channel], variant_.vector_width);
    columns.unroll(columns.args()[point_x]).unroll(columns.args()[point_y]);
    padded.compute_at(consumer, at);
    vectorize_copy(stage("padded"), variant_);
    if (!share_chunks_) {
      tiles.parallel(v[tile]);
      padded.parallel(padded.args()[y]);
    }
  }

  const LoweredKernel &kernel_;
  const LoweredNode &node_;
  const Variant &variant_;
  Decisions &decisions_;
  const Surroundings around_;
  const Stage *filter_; // a copy; null where the filter is read as it is
  int64_t size_ = 4;    // of a tile of results
  int64_t rows_ = 1;    // of tiles
  int64_t columns_ = 1; // of tiles
  int64_t channels_ = 1;
  int64_t lanes_ = 16;        // channels of the result, with padding lanes
  int64_t chunk_ = 1;         // rows of tiles
  int images_ = 1;            // whose chunks one task takes
  bool share_chunks_ = false; // among threads, rather than channels
  RegisterTile tile_;         // tile_.rows tiles by vectors of channels
  std::vector<Prefetch> prefetches_;
};

} // namespace

std::string schedule_winograd_filter(const LoweredKernel &kernel, const Variant &variant) {
  const OutputGroup &group = kernel.groups.at(0);
  Func result = group.func;
  const std::vector<Var> v = result.args();
  const Var vector("vector"), lane("lane");
  result.split(v[0], vector, lane, lanes_for(group.type.storage_shape().back(), variant),
               TailStrategy::GuardWithIf);
  std::vector<Halide::VarOrRVar> order{lane, v[2], v[3], v[1], vector};
  if (group.type.blocked())
    order.emplace_back(v[4]);
  result.reorder(order).vectorize(lane).unroll(v[2]).unroll(v[3]);
  result.parallel(group.type.blocked() ? v[4] : vector);
  return "points";
}

KernelSchedule schedule_winograd(const LoweredKernel &kernel, const LoweredNode &convolution,
                                 const Variant &variant, Decisions &decisions) {
  return WinogradSchedule(kernel, convolution, variant, decisions).apply();
}

} // namespace sinter

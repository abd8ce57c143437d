// The loops, innermost last; a tile is some pixels of one or a few image rows by `vectors` vectors
// of channels:
//
//   parallel image
//     parallel strip of rows
//       padded = the input that the strip reads, with zeros around
//       channels, y, x in tiles
//         accumulators = 0
//         ky, kx, ci: accumulators += padded (broadcast) * filter (vectors)
//         epilogue and store
//
// Where the filter is larger than the input, an image is not cut: a task takes some channels of a
// few images, so that a tile of the filter is read once for all of them. Where such an image is no
// wider than a tile, a long sum is made in parts: the piece of the filter that a part needs stays
// in the first cache while all the pixels pass by, whose sums lie in a small buffer.
//
// Depthwise, input and filter are vectors both, and channels are the innermost loop around a tile:
// pixels are read whole, where they are: the loops over tiles are cut into borders, which compare,
// and what lies between them. An input gradient of stride 2 has a sum for each residue of its rows
// and columns, with a loop over x of its own: Halide drops the sums that the residue does not need.
// A pooled kernel has a loop over pooled rows instead, in each of which the same loops fill a
// buffer with the rows that the pooling reads.
#include "backends/halide/cpu/convolution.h"

#include "backends/halide/cpu/by_position.h"
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
/// Multiply-adds that make a parallel task worth its start; depthwise ones take more time each.
constexpr int64_t kTaskWork = int64_t{1} << 19;
constexpr int64_t kDepthwiseTaskWork = int64_t{1} << 18;
/// Multiply-adds in whose time a task begins and ends.
constexpr double kTaskStart = 1 << 14;
constexpr double kDepthwiseTaskStart = 1 << 13;
/// Tasks that the image is cut into where it can be.
constexpr int64_t kTasks = 8;
/// Bytes of input that a task works on at most: they stay in the second cache.
constexpr int64_t kStripBytes = int64_t{1} << 19;
/// Bytes of input of the images that a large filter's tile is used for before the next tile.
constexpr int64_t kBlockBytes = int64_t{1} << 20;
/// Input channels of a part of the sum: with two vectors of filters at most 20 KB, less than half
/// of the first cache, and enough for the loop around them.
constexpr int64_t kLeastPart = 64;
constexpr int64_t kMostPart = 160;
/// Taps of a sum that is made as a whole: what adds up parts takes longer than to read a filter of
/// 32 KB from the second cache now and then.
constexpr int64_t kMostWhole = 256;
/// Input channels in one iteration of a long sum: few enough jumps and waits for the filter.
constexpr int kUnrolledSteps = 4;
/// Images less wide have tiles of several rows.
constexpr int64_t kNarrow = 8;
/// What the second cache delivers: filters are streamed from there.
constexpr int64_t kBytesPerHalfCycle = 8;

/// Func dimensions of an image, innermost first.
enum Dimension { channel = 0, x = 1, y = 2, image = 3 };

class ConvolutionSchedule {
public:
  ConvolutionSchedule(const LoweredKernel &kernel, const LoweredNode &node, const Variant &variant,
                      Decisions &decisions)
      : kernel_(kernel), node_(node), variant_(variant), decisions_(decisions),
        padded_(node.stages.front()), filter_(node.find_stage("filter")),
        around_(find_surroundings(kernel, node)) {
    SINTER_ASSERT(padded_.role == "padded", "a convolution's first stage is {}", padded_.role);
    for (const Stage &stage : node.stages) {
      if (stage.role == "positions")
        break; // what follows is for many images
      if (stage.kind == Stage::Kind::reduction) {
        sums_.push_back(&stage);
        taps_ += taps(stage);
      }
    }
    const Shape &shape = sums_.front()->type.shape;
    const Shape &result = kernel.kernel.graph.type(node.id).shape;
    height_ = shape[1];
    width_ = shape[2];
    filters_ = shape[3];
    rows_apart_ = result[1] > height_ ? 2 : 1;
    columns_apart_ = result[2] > width_ ? 2 : 1;
    if (around_.pooled)
      width_ = std::min(width_, pooled_columns());
    const TensorType &filter = filter_type();
    lanes_ = filter.storage_shape().front() * std::max<int64_t>(filter.block, 1);
    channels_ = filter.shape[2];
    depthwise_ = channels_ == 1 && padded_.type.shape[3] == filters_ && filters_ > 1;
    choose_split();
    choose_tile();
    choose_strip();
  }

  KernelSchedule apply() {
    if (filter_)
      schedule_at_root(*filter_, variant_);
    // Halide chooses between sums before it inlines what reads them.
    const bool has_two_sums = node_.find_stage("positions") != nullptr;
    if (!around_.plain_after || !around_.plain_before || has_two_sums) {
      apply_to_whole_result();
      return {name("direct, unfused"), prefetches_};
    }
    if (around_.pooled) {
      apply_pooled();
      return {name("direct"), prefetches_};
    }
    apply_to(kernel_.groups[0].func);
    return {name("direct"), prefetches_, early_reads()};
  }

private:
  static int64_t taps(const Stage &sum) {
    int64_t product = 1;
    for (int d = 0; d < sum.domain.dimensions(); ++d) {
      const int64_t *extent = Halide::Internal::as_const_int(sum.domain[d].extent());
      SINTER_ASSERT(extent, "a convolution's sum has no constant extent");
      product *= *extent;
    }
    return product;
  }

  const TensorType &filter_type() const { return second_operand_type(kernel_, node_, filter_); }

  std::string name(const char *kind) const {
    const int lanes = tile_.vectors * variant_.vector_width;
    const std::string pixels = tile_height_ == 1 ? fmt::format("{}", tile_.rows)
                                                 : fmt::format("{}x{}", tile_height_, tile_.rows);
    return fmt::format("{} {}x{}{}", depthwise_ ? "depthwise" : kind, pixels, lanes, of_many_);
  }

  const Pool2dAttrs &pooling() const {
    return sinter::attrs<Pool2dAttrs>(kernel_.kernel.graph[around_.pools[0]->id]);
  }

  /// Columns up to the last one that the pooling reads. A tile no wider never begins before the
  /// first.
  int64_t pooled_columns() const {
    const int64_t windows = kernel_.kernel.graph.type(around_.pools[0]->id).shape[2];
    return (windows - 1) * pooling().strides[1] + pooling().size[1] - pooling().padding[1];
  }

  void choose_tile() {
    if (!depthwise_) {
      if (width_ >= kNarrow || around_.pooled || !choose_narrow_tile())
        tile_ = sinter::choose_tile(width_, lanes_, variant_, /*longest=*/28, decisions_);
      return;
    }
    // Neighbouring windows share inputs: 8 accumulators leave registers for those of a few rows.
    tile_ = {static_cast<int>(std::min<int64_t>(width_, 4)), 1};
    tile_height_ = static_cast<int>(std::min<int64_t>(height_, 2));
  }

  /// Several whole rows, for enough pixels to each vector of the filter that is loaded. Whether
  /// there is such a tile.
  bool choose_narrow_tile() {
    const bool kept = keeps_filter(width_);
    std::vector<Alternative> alternatives;
    for (int height = 1; height <= std::min<int64_t>(height_, 4); ++height)
      for (int vectors = 1; vectors <= 8; ++vectors) {
        const RegisterTile tile{height * static_cast<int>(width_), vectors};
        const int64_t lanes = int64_t{vectors} * variant_.vector_width;
        if (lanes_ % lanes != 0 || !fits_registers(tile, variant_))
          continue;
        const int64_t filter = kept ? 0 : lanes * 4 / kBytesPerHalfCycle;
        const int64_t step = std::max(direct_half_cycles(tile, variant_), filter);
        const int64_t tiles = (height_ + height - 1) / height * (lanes_ / lanes);
        const int64_t work = tiles * (step + kLoopOverhead);
        alternatives.push_back({static_cast<double>(work), {height, vectors}});
      }
    if (alternatives.empty())
      return false;
    const std::vector<int64_t> tile =
        decisions_.decide({"tile_height", "tile_vectors"}, std::move(alternatives));
    tile_ = {static_cast<int>(width_), static_cast<int>(tile[1])};
    tile_height_ = static_cast<int>(tile[0]);
    return true;
  }

  int64_t input_bytes() const {
    const Shape &input = padded_.type.shape;
    return input[1] * input[2] * input[3] * 4;
  }

  /// Parallel tasks that an image has the work for.
  int64_t tasks() const {
    return std::min(kTasks, image_work() / (depthwise_ ? kDepthwiseTaskWork : kTaskWork));
  }

  bool wants_split_channels() const {
    return !depthwise_ && filter_type().storage_bytes() > input_bytes() && tasks() > 1;
  }

  /// Where an image is not cut, the sum may be made in parts.
  void choose_split() {
    const bool either = !depthwise_ && !around_.pooled && tasks() > 1;
    split_channels_ = wants_split_channels();
    if (either)
      split_channels_ = decisions_.decide("split_channels", split_channels_ ? 1 : 0, {0, 1}) == 1;
    part_ = part_channels();
    if (split_channels_ && part_ > 0)
      part_ = decisions_.decide("part_channels", part_, {0});
  }

  /// Rows of a sum that one task computes: few enough for the cache, and for enough tasks.
  void choose_strip() {
    const int64_t strips = (input_bytes() + kStripBytes - 1) / kStripBytes;
    const int64_t count = std::clamp<int64_t>(std::max(strips, tasks()), 1, height_);
    if (split_channels_) {
      strip_ = height_;
      block_ = static_cast<int>(decisions_.decide(
          "block_images", std::clamp<int64_t>(kBlockBytes / input_bytes(), 1, 8), {1, 2, 4, 8}));
      return;
    }
    const auto whole_tiles = [&](int64_t rows) {
      return std::min((rows + tile_height_ - 1) / tile_height_ * tile_height_, height_);
    };
    const int64_t rows = (height_ + count - 1) / count;
    const int64_t most = whole_tiles(rows);
    strip_ = decisions_.decide("strip_rows", count == 1 ? most : shared_strip(most),
                               {whole_tiles((rows + 1) / 2), most, whole_tiles(rows * 2),
                                whole_tiles((height_ + 1) / 2), height_});
  }

  /// Of at most so many rows: the strip with which two threads are done the earliest.
  int64_t shared_strip(int64_t most) const {
    const double row_work = static_cast<double>(image_work()) / static_cast<double>(height_);
    const double start = depthwise_ ? kDepthwiseTaskStart : kTaskStart;
    double least = -1;
    int64_t best = most;
    for (int64_t rows = most; rows > 0; rows -= tile_height_) {
      const int64_t strips = (height_ + rows - 1) / rows;
      const int64_t share = (strips + 1) / 2;
      const double time =
          static_cast<double>(share) * (static_cast<double>(rows) * row_work + start);
      if (least >= 0 && time >= least)
        continue;
      least = time;
      best = rows;
    }
    return best;
  }

  int64_t image_work() const { return taps_ * lanes_ * width_ * height_; }

  /// The convolution alone, stored before the rest of the kernel runs.
  void apply_to_whole_result() {
    Func result = node_.result;
    result.compute_root();
    pad_buffer(result, kernel_.kernel.graph.type(node_.id), tile_.vectors * variant_.vector_width);
    apply_to(result);
    schedule_rest(kernel_, node_, variant_);
  }

  /// Tiles a Func of the convolution's own shape.
  void apply_to(Func consumer) {
    if (node_.find_stage("positions"))
      of_many_ = ", " + specialize_for_many_images(consumer, kernel_, node_, variant_);
    const Var strip("strip"), rows("rows");
    const std::vector<Var> v = consumer.args();
    consumer.split(v[y], strip, rows, static_cast<int>(strip_) * rows_apart_,
                   TailStrategy::GuardWithIf);
    const Var channel_tile("channel_tile"), block("block"), sample("sample");
    Var tile, around_padded = strip;
    if (split_channels_) {
      consumer.split(v[image], block, sample, block_, TailStrategy::GuardWithIf);
      tile = tile_consumer(consumer, rows, {strip, sample, channel_tile, block});
      consumer.parallel(block).parallel(channel_tile);
      around_padded = block;
    } else {
      tile = tile_consumer(consumer, rows, {channel_tile, strip, v[image]});
      consumer.parallel(v[image]).parallel(strip);
    }
    for (const Stage *sum : sums_)
      if (sums_in_parts(tile_.rows))
        place_sum_in_parts(*sum, consumer, channel_tile);
      else
        place_sum(*sum, consumer, tile);
    if (split_channels_ && part_ == 0 && keeps_filter(tile_.rows) && width_ == tile_.rows)
      add_prefetch(sums_.front()->func, taps_);
    place_padded(consumer, around_padded);
  }

  void apply_pooled() {
    Func out = kernel_.groups[0].func;
    Func rows = around_.pooled->result;
    const std::vector<Var> v = out.args();
    const int lanes = lanes_for(filters_, variant_);
    const Var around("around"), lane("lane"), strip("strip"), row("row");
    const int64_t pooled_rows = std::max<int64_t>(1, strip_ / pooling().strides[0]);
    out.split(v[channel], around, lane, lanes, TailStrategy::GuardWithIf).vectorize(lane);
    out.split(v[y], strip, row, static_cast<int>(pooled_rows), TailStrategy::GuardWithIf);
    out.reorder(lane, around, v[x], row, strip, v[image]).parallel(v[image]).parallel(strip);
    rows.compute_at(out, row);
    pad_buffer(rows, kernel_.kernel.graph.type(around_.pooled->id),
               tile_.vectors * variant_.vector_width);
    place_sum(*sums_.front(), rows,
              tile_consumer(rows, rows.args()[y], {Var("channel_tile"), rows.args()[image]}));
    place_padded(out, strip);
  }

  /// Splits channels and pixels into register tiles; returns the loop around one tile. Tiles at
  /// the right edge move inwards and compute some pixels twice. `around` are the loops around those
  /// over pixels, innermost first.
  Var tile_consumer(Func consumer, const Var &rows, const std::vector<Var> &around) {
    const std::vector<Var> v = consumer.args();
    const Var channel_tile("channel_tile"), in_tile("in_tile"), vector("vector"), lane("lane");
    const Var x_tile("x_tile"), pixel("pixel"), y_tile("y_tile"), row("row");
    const Var column("column"), column_residue("column_residue"), row_residue("row_residue");
    const int lanes = variant_.vector_width;
    consumer.split(v[channel], channel_tile, in_tile, tile_.vectors * lanes,
                   TailStrategy::GuardWithIf);
    consumer.split(in_tile, vector, lane, lanes);
    consumer.split(v[x], column, column_residue, columns_apart_, TailStrategy::GuardWithIf);
    consumer.split(column, x_tile, pixel, tile_.rows, TailStrategy::ShiftInwards);
    consumer.split(rows, y_tile, row, tile_height_ * rows_apart_, TailStrategy::GuardWithIf);
    consumer.split(row, row, row_residue, rows_apart_);
    std::vector<VarOrRVar> order{lane, vector, pixel, row};
    if (depthwise_)
      order.emplace_back(channel_tile);
    order.insert(order.end(), {x_tile, column_residue, row_residue, y_tile});
    for (const Var &loop : around)
      if (!depthwise_ || loop.name() != channel_tile.name())
        order.emplace_back(loop);
    consumer.reorder(order);
    for (const Var &unrolled : {vector, pixel, column_residue, row, row_residue})
      consumer.unroll(unrolled);
    consumer.vectorize(lane);
    return depthwise_ ? channel_tile : x_tile;
  }

  /// The accumulators, with the loops of the sum around them. Always a whole tile: the copies are
  /// defined beyond the image, and padding lanes are zero.
  void place_sum(const Stage &stage, Func consumer, const Var &tile) {
    Func sum = stage.func;
    sum.compute_at(consumer, tile);
    std::vector<Halide::RVar> terms;
    for (int d = 0; d < stage.domain.dimensions(); ++d)
      terms.push_back(stage.domain[d]);
    unroll_taps(stage, keep_in_registers(sum, tile_extents(), variant_.vector_width, terms));
  }

  std::vector<Halide::Expr> tile_extents() const {
    return {tile_.vectors * variant_.vector_width, tile_.rows, tile_height_};
  }

  /// The most input channels that make equal parts; 0 where no number does, or the sum is short.
  int64_t part_channels() const {
    if (taps_ <= kMostWhole)
      return 0;
    for (int64_t part = kMostPart; part >= kLeastPart; part -= kUnrolledSteps)
      if (channels_ % part == 0)
        return part;
    return 0;
  }

  /// Whether what a tile reads of the filter stays in the first cache for all pixels of a task,
  /// whose tiles are so many columns wide.
  bool keeps_filter(int64_t columns) const {
    return sums_in_parts(columns) || (split_channels_ && sums_.size() == 1 && taps_ <= kMostWhole);
  }

  /// Whether the sum is made in parts, with tiles of so many columns.
  bool sums_in_parts(int64_t columns) const {
    return split_channels_ && sums_.size() == 1 && width_ == columns && part_ > 0 &&
           rows_apart_ == 1 && columns_apart_ == 1;
  }

  /// sum(pixel) += part(pixel, p) for every p, each part's accumulators in registers.
  void place_sum_in_parts(const Stage &stage, Func consumer, const Var &channel_tile) {
    Func sum = stage.func;
    const std::vector<Var> v = sum.args();
    const int lanes = variant_.vector_width;
    const Var vector("vector"), lane("lane"), y_tile("y_tile"), row("row");
    const Halide::RVar part("part"), inside("inside"), kx = stage.domain[1], ky = stage.domain[2];
    Halide::Stage whole = sum.update();
    whole.split(stage.domain[0], part, inside, static_cast<int>(part_));
    Func parts = whole.rfactor({{part, Var("p")}, {kx, Var("px")}, {ky, Var("py")}});

    sum.compute_at(consumer, channel_tile);
    sum.bound_extent(v[channel], tile_.vectors * lanes).bound_extent(v[x], tile_.rows);
    sum.split(v[channel], vector, lane, lanes).vectorize(lane).unroll(vector);
    Halide::Stage update = sum.update();
    update.split(v[channel], vector, lane, lanes);
    update.split(v[y], y_tile, row, tile_height_, TailStrategy::RoundUp);
    update.reorder({lane, vector, v[x], row, y_tile, v[image], part, kx, ky});
    update.vectorize(lane).unroll(vector).unroll(v[x]).unroll(row);

    parts.compute_at(sum, y_tile);
    keep_in_registers(parts, tile_extents(), lanes, {inside}).unroll(inside, kUnrolledSteps);
    add_prefetch(parts, part_);
  }

  /// While all the pixels use a part of the filter, of so many taps, the next one comes.
  void add_prefetch(const Func &sum, int64_t taps) {
    if (const std::optional<std::string> filter = contiguous_operand(
            kernel_, node_, filter_, int64_t{tile_.vectors} * variant_.vector_width);
        filter && decisions_.decide("prefetch", 1, {0}) == 1)
      prefetches_.push_back({sum.name(), *filter, "y_tile", taps * filter_type().block});
  }

  /// Images beside the input, as what a residual connection adds: they come from further away than
  /// the processor looks ahead.
  std::vector<EarlyRead> early_reads() const {
    const Graph &graph = kernel_.kernel.graph;
    std::vector<EarlyRead> reads;
    for (size_t i = 0; i < kernel_.kernel.inputs.size(); ++i) {
      const NodeId input = kernel_.kernel.inputs[i];
      if (input != graph[node_.id].inputs[0] && graph.type(input) == graph.type(node_.id))
        reads.push_back({sums_.front()->func.name(), kernel_.inputs[i].name()});
    }
    return reads;
  }

  /// Unrolls the whole sum when it is short, else a few input channels.
  void unroll_taps(const Stage &stage, Halide::Stage update) {
    const int64_t body = int64_t{tile_.rows} * tile_.vectors * tile_height_;
    if (taps(stage) * body <= kUnrolledBody) {
      for (int d = 0; d < stage.domain.dimensions(); ++d)
        update.unroll(stage.domain[d]);
      return;
    }
    if (channels_ * body <= kUnrolledBody)
      update.unroll(stage.domain[0]);
    else if (channels_ % kUnrolledSteps == 0)
      update.unroll(stage.domain[0], kUnrolledSteps);
    else if (channels_ % 2 == 0)
      update.unroll(stage.domain[0], 2);
  }

  void place_padded(Func owner, const Var &at) {
    if (!needs_copy())
      return;
    Func(padded_.func).compute_at(owner, at);
    vectorize_copy(padded_, variant_);
  }

  /// Whether the input cannot be read in place: it needs zeros around it, is computed by this
  /// kernel, or tiles overhang it.
  bool needs_copy() const {
    const Graph &graph = kernel_.kernel.graph;
    const NodeId input = graph[node_.id].inputs[0];
    const bool computed = std::any_of(kernel_.nodes.begin(), kernel_.nodes.end(),
                                      [&](const LoweredNode &node) { return node.id == input; });
    if (depthwise_ && graph[node_.id].kind == OpKind::conv2d)
      return computed; // a copy would take as long as the sum
    const bool phased = rows_apart_ > 1 || columns_apart_ > 1; // the copy holds indices in bounds
    return computed || phased || padded_.type.shape != graph.type(input).shape ||
           height_ % tile_height_ != 0;
  }

  const LoweredKernel &kernel_;
  const LoweredNode &node_;
  const Variant &variant_;
  Decisions &decisions_;
  const Stage &padded_;
  const Stage *filter_; // a copy; null where the filter is read as it is
  std::vector<const Stage *> sums_;
  const Surroundings around_;
  int64_t height_ = 0; // of a sum
  int64_t width_ = 0;  // without the columns that a pooling leaves out
  int rows_apart_ = 1; // of the result, at two neighbours of a sum
  int columns_apart_ = 1;
  int64_t filters_ = 0;  // channels of the result
  int64_t lanes_ = 0;    // the same with padding lanes
  int64_t channels_ = 0; // that one filter reads
  int64_t taps_ = 0;     // products at a position of the sums
  bool depthwise_ = false;
  RegisterTile tile_; // of tile_height_ image rows, each tile_.rows pixels
  int tile_height_ = 1;
  int64_t part_ = 0;            // input channels of a part of the sum; 0: no parts
  int64_t strip_ = 1;           // rows of a sum that one task computes
  bool split_channels_ = false; // among tasks
  int block_ = 1;               // images that a task takes, when it has some of the channels
  std::vector<Prefetch> prefetches_;
  std::string of_many_; // how many images are computed, if in another way
};

} // namespace

KernelSchedule schedule_convolution(const LoweredKernel &kernel, const LoweredNode &convolution,
                                    const Variant &variant, Decisions &decisions) {
  return ConvolutionSchedule(kernel, convolution, variant, decisions).apply();
}

} // namespace sinter

// The loops, innermost last; a tile is some taps and input channels by some vectors of filters:
//
//   parallel chunk of samples (or, for a large filter, parallel blocks of filters)
//     partial sums of the chunk = 0
//     sample
//       padded = the input of one image; gradient = dy of one image
//       tiles of the filter
//         accumulators = 0
//         y, x of dy: accumulators += padded (broadcast) * gradient (vectors)
//         partial sums += accumulators
//   sum over chunks, update, store
#include "backends/halide/cpu/filter_gradient.h"

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

/// Vectors that a step loads at most: more of them leave too few registers for the broadcasts.
constexpr int kMostVectors = 4;

/// What of the filter one register tile covers.
struct FilterTile {
  int vectors_in_block = 1; // of the innermost storage dimension
  int blocks = 1;
  int channels = 1, width = 1, height = 1;

  RegisterTile registers() const { return {channels * width * height, vectors_in_block * blocks}; }
};

/// The extents of a filter's storage.
struct FilterShape {
  int64_t block, channels, width, height, blocks;
};

/// The divisors of an extent up to a limit, largest first.
std::vector<int> divisors(int64_t extent, int limit) {
  std::vector<int> result;
  for (int i = static_cast<int>(std::min<int64_t>(limit, extent)); i >= 1; --i)
    if (extent % i == 0)
      result.push_back(i);
  return result;
}

/// Of equal tiles the first is taken: whole blocks before several. Every tile divides the filter:
/// taps come whole or singly, channels and vectors by divisors.
FilterTile choose_filter_tile(const FilterShape &shape, const Variant &variant,
                              Decisions &decisions) {
  std::vector<Alternative> alternatives;
  for (int vectors : divisors(shape.block / variant.vector_width, 4))
    for (int blocks : divisors(shape.blocks, 4))
      for (int channels : divisors(shape.channels, 28))
        for (const bool all_columns : {true, false})
          for (const bool all_rows : {true, false}) {
            const FilterTile tile{vectors, blocks, channels,
                                  all_columns ? static_cast<int>(shape.width) : 1,
                                  all_rows ? static_cast<int>(shape.height) : 1};
            if (vectors * blocks > kMostVectors || !fits_registers(tile.registers(), variant))
              continue;
            const RegisterTile registers = tile.registers();
            const double work = static_cast<double>(half_cycles(registers) + kLoopOverhead) /
                                (registers.rows * registers.vectors);
            alternatives.push_back(
                {work,
                 {tile.vectors_in_block, tile.blocks, tile.channels, tile.width, tile.height}});
          }
  if (alternatives.empty())
    return {};
  std::vector<int> tile;
  for (const int64_t number : decisions.decide(
           {"tile_vectors", "tile_blocks", "tile_channels", "tile_width", "tile_height"},
           std::move(alternatives)))
    tile.push_back(static_cast<int>(number));
  return {tile[0], tile[1], tile[2], tile[3], tile[4]};
}

class FilterGradientSchedule {
public:
  FilterGradientSchedule(const LoweredKernel &kernel, const LoweredNode &node,
                         const Variant &variant, Decisions &decisions)
      : kernel_(kernel), node_(node), variant_(variant), around_(find_surroundings(kernel, node)),
        padded_(stage(0, "padded")), gradient_(stage(1, "gradient")), image_(stage(2, "reduction")),
        chunk_(stage(3, "reduction")), total_(stage(4, "reduction")) {
    const TensorType &type = kernel.kernel.graph.type(node.id);
    const std::vector<int64_t> extents = halide_extents(type);
    shape_ = {extents[0], extents[1], extents[2], extents[3], type.blocked() ? extents[4] : 1};
    blocked_ = type.blocked();
    tiled_ = shape_.block % variant.vector_width == 0;
    if (tiled_)
      tile_ = choose_filter_tile(shape_, variant, decisions);
  }

  std::string apply() {
    place_chunk();
    place_image();
    place_copies();
    place_total();
    if (!around_.plain_before || !around_.plain_after)
      schedule_other_stages(kernel_, node_, variant_);
    if (!tiled_)
      return "filter gradient";
    const RegisterTile registers = tile_.registers();
    return fmt::format("filter gradient {}x{}", registers.rows,
                       registers.vectors * variant_.vector_width);
  }

private:
  const Stage &stage(size_t i, const char *role) const {
    const Stage &found = node_.stages.at(i);
    SINTER_ASSERT(found.role == role, "stage {} of a filter gradient is {}", i, found.role);
    return found;
  }

  /// Loops over tiles inside the loop over samples; the loop around the tiles of a sample.
  void place_chunk() {
    Func chunk = chunk_.func;
    const std::vector<Var> v = chunk.args();
    const Var chunks = v.back();
    chunk.compute_root().parallel(chunks);
    chunk.vectorize(v[0], lanes_for(shape_.block, variant_), TailStrategy::GuardWithIf);

    Halide::Stage update = chunk.update();
    const Halide::RVar sample = chunk_.domain[0];
    const Var vector_tile("vector_tile"), in_tile("in_tile"), vector("vector"), lane("lane");
    const Var channel_tile("channel_tile"), c("c");
    const Var column_tile("column_tile"), kx("kx"), row_tile("row_tile"), ky("ky");
    const Var block_tile("block_tile"), block("block");
    const int lanes = lanes_for(shape_.block, variant_);
    // Whole divisors everywhere but in an untiled row, whose tail is guarded.
    update.split(v[0], vector_tile, in_tile, tile_.vectors_in_block * lanes,
                 TailStrategy::GuardWithIf);
    update.split(in_tile, vector, lane, lanes);
    update.split(v[1], channel_tile, c, tile_.channels, TailStrategy::GuardWithIf);
    update.split(v[2], column_tile, kx, tile_.width, TailStrategy::GuardWithIf);
    update.split(v[3], row_tile, ky, tile_.height, TailStrategy::GuardWithIf);
    std::vector<VarOrRVar> order{lane, vector};
    if (blocked_) {
      update.split(v[4], block_tile, block, tile_.blocks, TailStrategy::GuardWithIf);
      order.emplace_back(block);
    }
    for (const Var &loop : {c, kx, ky, vector_tile, channel_tile, column_tile, row_tile})
      order.emplace_back(loop);
    order.emplace_back(sample);
    if (blocked_)
      order.emplace_back(block_tile);
    order.emplace_back(chunks);
    update.reorder(order).vectorize(lane).unroll(vector).unroll(c).unroll(kx).unroll(ky);
    if (blocked_)
      update.unroll(block);
    update.parallel(chunks);
    // One chunk takes all samples of a large filter: then blocks of filters go side by side.
    if (blocked_ && is_large())
      update.parallel(block_tile);
  }

  bool is_large() const {
    const int64_t *samples = Halide::Internal::as_const_int(chunk_.domain[0].extent());
    SINTER_ASSERT(samples, "the chunk's length is not constant");
    return *samples > 64;
  }

  /// Whether one register tile is the whole filter: then dy is read once, row by row.
  bool one_tile() const {
    return tiled_ && shape_.block == int64_t{tile_.vectors_in_block} * variant_.vector_width &&
           shape_.blocks == tile_.blocks && shape_.channels == tile_.channels &&
           shape_.width == tile_.width && shape_.height == tile_.height;
  }

  void place_image() {
    Func image = image_.func;
    const std::vector<Var> v = image.args();
    image.compute_at(chunk_.func, Var("vector_tile"));
    const int lanes = lanes_for(shape_.block, variant_);
    const Var vector("vector"), lane("lane");
    if (tiled_)
      image.bound_extent(v[0], tile_.vectors_in_block * lanes);
    const TailStrategy tail = tiled_ ? TailStrategy::RoundUp : TailStrategy::GuardWithIf;
    image.split(v[0], vector, lane, lanes, tail).vectorize(lane);
    Halide::Stage update = image.update();
    update.split(v[0], vector, lane, lanes, tail);
    std::vector<VarOrRVar> order{lane, vector};
    if (blocked_)
      order.emplace_back(v[4]);
    for (const Var &loop : {v[1], v[2], v[3]})
      order.emplace_back(loop);
    order.emplace_back(image_.domain[0]);
    order.emplace_back(image_.domain[1]);
    order.emplace_back(v.back());
    update.reorder(order).vectorize(lane);
    if (!tiled_)
      return;
    for (const Var &loop : {vector, v[1], v[2], v[3]}) {
      image.unroll(loop);
      update.unroll(loop);
    }
    if (blocked_) {
      image.unroll(v[4]);
      update.unroll(v[4]);
    }
  }

  /// Copies of one image each, where the operand cannot be read in place.
  void place_copies() {
    const Graph &graph = kernel_.kernel.graph;
    const std::vector<NodeId> &operands = graph[node_.id].inputs;
    const std::array<const Stage *, 2> copies{&padded_, &gradient_};
    for (size_t i = 0; i < 2; ++i) {
      const bool computed =
          std::any_of(kernel_.nodes.begin(), kernel_.nodes.end(),
                      [&](const LoweredNode &other) { return other.id == operands[i]; });
      if (!computed && copies[i]->type.shape == graph.type(operands[i]).shape)
        continue;
      if (!around_.plain_before) {
        schedule_at_root(*copies[i], variant_);
        continue;
      }
      Func copy = copies[i]->func;
      if (i == 1 && one_tile())
        copy.compute_at(image_.func, image_.domain[1]);
      else
        copy.compute_at(chunk_.func, chunk_.domain[0]);
      vectorize_copy(*copies[i], variant_);
    }
  }

  void place_total() {
    Func total = total_.func;
    if (around_.plain_after) {
      const int lanes = lanes_for(shape_.block, variant_);
      total.compute_at(kernel_.groups[0].func, schedule_stores(kernel_.groups[0], variant_));
      pad_buffer(total, total_.type);
      total.vectorize(total.args()[0], lanes, TailStrategy::GuardWithIf);
      total.update().vectorize(total.args()[0], lanes, TailStrategy::GuardWithIf);
      return;
    }
    schedule_at_root(total_, variant_);
    for (const OutputGroup &group : kernel_.groups)
      schedule_stores(group, variant_);
  }

  const LoweredKernel &kernel_;
  const LoweredNode &node_;
  const Variant &variant_;
  const Surroundings around_;
  const Stage &padded_, &gradient_, &image_, &chunk_, &total_;
  FilterShape shape_{};
  FilterTile tile_;
  bool blocked_ = false;
  bool tiled_ = false; // whole vectors in the innermost dimension
};

} // namespace

std::string schedule_filter_gradient(const LoweredKernel &kernel, const LoweredNode &gradient,
                                     const Variant &variant, Decisions &decisions) {
  return FilterGradientSchedule(kernel, gradient, variant, decisions).apply();
}

} // namespace sinter

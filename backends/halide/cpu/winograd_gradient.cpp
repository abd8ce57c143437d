// The loops, innermost last; a chunk is some samples, t counts their tiles:
//
//   chunk
//     parallel sample:  tiles = input transform; gradients = transform of dy; both in registers
//     parallel row of points, point, channels and filters in blocks of a register tile
//       accumulators = 0
//       sample, t: accumulators += tiles (broadcast) * gradients (vectors)
//       sums += accumulators
//   parallel channels: the way back from the points, update, store
//
// Threads share points, so that the order of summation does not depend on their number.
#include "backends/halide/cpu/winograd_gradient.h"

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

/// Rows of a register tile at most.
constexpr int64_t kMostRows = 28;

/// Func dimensions of a stage over tiles, innermost first, and of the sums.
enum TileDimension { channel = 0, tile = 1, point_x = 2, point_y = 3, image = 4 };
enum SumDimension { filter = 0, row = 1, sum_x = 2, sum_y = 3 };

class WinogradGradientSchedule {
public:
  WinogradGradientSchedule(const LoweredKernel &kernel, const LoweredNode &node,
                           const Variant &variant, Decisions &decisions)
      : kernel_(kernel), node_(node), variant_(variant), around_(find_surroundings(kernel, node)),
        total_(reduction(1)), chunk_(reduction(0)) {
    choose_tile(decisions);
  }

  std::string apply() {
    place_result();
    place_total();
    place_chunk();
    place_transform("padded", "columns", "tiles");
    place_transform("gradient", "spread", "spread_tiles");
    return fmt::format("winograd gradient F({},3) {}x{}",
                       attrs<WinogradGradientAttrs>(kernel_.kernel.graph[node_.id]).tile,
                       tile_.rows, tile_.vectors * variant_.vector_width);
  }

private:
  const Stage &stage(const std::string &role) const {
    const Stage *found = node_.find_stage(role);
    SINTER_ASSERT(found, "a Winograd filter gradient without the stage {}", role);
    return *found;
  }

  const Stage &reduction(size_t number) const {
    for (const Stage &stage : node_.stages)
      if (stage.kind == Stage::Kind::reduction && number-- == 0)
        return stage;
    SINTER_UNREACHABLE("a Winograd filter gradient without its sums");
  }

  /// Tiles divide the channels and the vectors of filters.
  void choose_tile(Decisions &decisions) {
    const Shape &shape = total_.type.shape;
    std::vector<Alternative> alternatives;
    for (int vectors = 1; vectors <= 4; ++vectors)
      for (int64_t rows = std::min(kMostRows, shape[2]); rows >= 1; --rows) {
        const RegisterTile candidate{static_cast<int>(rows), vectors};
        if (shape[2] % rows != 0 || shape[3] % (int64_t{vectors} * variant_.vector_width) != 0 ||
            !fits_registers(candidate, variant_))
          continue;
        const double work = static_cast<double>(half_cycles(candidate) + kLoopOverhead) /
                            (candidate.rows * candidate.vectors);
        alternatives.push_back({work, {rows, vectors}});
      }
    tile_ = decide_tile(decisions, std::move(alternatives));
  }

  /// The way back and what follows it, a vector of filters of all taps at a time.
  void place_result() {
    const bool fused = around_.plain_after;
    Func result = fused ? Func(kernel_.groups[0].func) : Func(node_.result);
    const TensorType &type = kernel_.kernel.graph.type(node_.id);
    if (!fused) {
      result.compute_root();
      pad_buffer(result, type);
    }
    const std::vector<Var> v = result.args();
    const Var vector("vector"), lane("lane"), task("task"), inside("inside");
    const int64_t block = type.storage_shape().back();
    const int64_t rows = std::max<int64_t>(1, kElementsPerTask / (9 * block));
    result.split(v[0], vector, lane, lanes_for(block, variant_), TailStrategy::GuardWithIf);
    result.split(v[1], task, inside, static_cast<int>(std::min(rows, type.shape[2])),
                 TailStrategy::GuardWithIf);
    std::vector<Halide::VarOrRVar> order{lane, v[2], v[3], vector, inside, task};
    if (type.blocked())
      order.emplace_back(v[4]);
    result.reorder(order).vectorize(lane).unroll(v[2]).unroll(v[3]).parallel(task);
    if (type.blocked())
      result.parallel(v[4]);
    Func gathered = stage("gathered").func;
    const std::vector<Var> g = gathered.args();
    const int lanes = lanes_for(block, variant_);
    gathered.compute_at(result, vector).vectorize(g[0], lanes, TailStrategy::RoundUp);
    gathered.reorder(g[0], g[3], g[2], g[1]).unroll(g[2]).unroll(g[3]);
    if (!fused) {
      schedule_rest(kernel_, node_, variant_);
      return;
    }
    if (!around_.plain_before)
      schedule_other_stages(kernel_, node_, variant_);
    if (kernel_.groups[0].outputs.size() > 1)
      Func(kernel_.groups[0].values)
          .compute_at(result, v[2])
          .vectorize(v[0], lanes, TailStrategy::GuardWithIf);
  }

  void place_total() {
    Func total = total_.func;
    const int lanes = variant_.vector_width;
    const Var vector("vector"), lane("lane"), tiles("tiles"), in_tile("in_tile"), rows("rows");
    const Var in_rows("in_rows");
    const std::vector<Var> v = total.args();
    for (size_t d = 0; d < v.size(); ++d)
      total.bound(v[d], 0, static_cast<int>(total_.type.shape[v.size() - 1 - d]));
    total.compute_root().vectorize(v[filter], lanes).parallel(v[sum_y]);
    Halide::Stage update = total.update();
    update.split(v[filter], tiles, in_tile, tile_.vectors * lanes);
    update.split(in_tile, vector, lane, lanes);
    update.split(v[row], rows, in_rows, tile_.rows);
    update.reorder({lane, vector, in_rows, rows, tiles, v[sum_x], v[sum_y], total_.domain[0]});
    update.vectorize(lane).unroll(vector).unroll(in_rows).parallel(v[sum_y]);
  }

  /// The accumulators.
  void place_chunk() {
    Func chunk = chunk_.func;
    const int lanes = variant_.vector_width;
    chunk.compute_at(total_.func, Var("rows"));
    keep_in_registers(chunk, {tile_.vectors * lanes, tile_.rows}, lanes,
                      {chunk_.domain[0], chunk_.domain[1]});
  }

  /// The transform of an image, both of its stages in registers.
  void place_transform(const char *copy, const char *half, const char *whole) {
    Func tiles = stage(whole).func;
    Func rows = stage(half).func;
    const Var around("around"), lane("lane");
    const std::vector<Var> v = tiles.args();
    tiles.compute_at(total_.func, total_.domain[0]);
    tiles.split(v[channel], around, lane, variant_.vector_width, TailStrategy::RoundUp);
    tiles.reorder({lane, v[point_x], v[point_y], around, v[tile], v[image]});
    tiles.vectorize(lane).unroll(v[point_x]).unroll(v[point_y]).parallel(v[image]);
    rows.compute_at(tiles, around).vectorize(rows.args()[channel], variant_.vector_width);
    rows.unroll(rows.args()[point_x]).unroll(rows.args()[point_y]);
    if (!around_.plain_before) {
      schedule_at_root(stage(copy), variant_);
      return;
    }
    Func(stage(copy).func).compute_at(tiles, v[image]);
    vectorize_copy(stage(copy), variant_);
  }

  const LoweredKernel &kernel_;
  const LoweredNode &node_;
  const Variant &variant_;
  const Surroundings around_;
  const Stage &total_, &chunk_;
  RegisterTile tile_; // tile_.rows channels by vectors of filters
};

} // namespace

std::string schedule_winograd_gradient(const LoweredKernel &kernel, const LoweredNode &gradient,
                                       const Variant &variant, Decisions &decisions) {
  return WinogradGradientSchedule(kernel, gradient, variant, decisions).apply();
}

} // namespace sinter

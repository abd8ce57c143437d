#include "backends/halide/gpu/contraction.h"

#include "backends/halide/gpu/threads.h"

namespace sinter {

using Halide::Func;
using Halide::TailStrategy;
using Halide::Var;

namespace {

constexpr int kMostColumns = 4; // of a tile, along the innermost dimension: one load of a vector
constexpr int kMostRows = 8;

int largest_divisor(int64_t extent, int most) {
  int divisor = most;
  while (extent % divisor != 0)
    --divisor;
  return divisor;
}

/// Along one dimension: the loop over tiles stays in `var`'s place, `inside` goes through a tile.
/// Sums over a batch overhang its end, where the operands are defined, and are not stored.
void split_tiles(Func stored, const Var &var, const Var &tiles, const Var &inside, int size,
                 bool overhangs) {
  stored
      .split(var, tiles, inside, size,
             overhangs ? TailStrategy::GuardWithIf : TailStrategy::RoundUp)
      .unroll(inside);
}

} // namespace

void schedule_tile_sums(const Stage &stage) {
  const Shape shape = stage.type.storage_shape();
  const int64_t columns = shape.back(), rows = shape[shape.size() - 2];
  const int tile_columns = columns == kBatch ? 1 : largest_divisor(columns, kMostColumns);
  const int tile_rows = rows == kBatch ? kMostColumns : largest_divisor(rows, kMostRows);
  Func sum = stage.func;
  Func stored = sum.in();
  const std::vector<Var> args = stored.args();
  std::vector<Var> tiles = args;
  tiles[0] = Var("tile_column");
  tiles[1] = Var("tile_row");
  const Var column("column"), row("row");
  stored.compute_root();
  split_tiles(stored, args[0], tiles[0], column, tile_columns, false);
  split_tiles(stored, args[1], tiles[1], row, tile_rows, rows == kBatch);
  std::vector<Halide::VarOrRVar> order{column, row};
  order.insert(order.end(), tiles.begin(), tiles.end());
  stored.reorder(order);

  sum.compute_at(stored, spread_over_threads(stored, tiles));
  sum.bound_extent(args[0], tile_columns).bound_extent(args[1], tile_rows);
  sum.unroll(args[0]).unroll(args[1]);
  Halide::Stage update = sum.update();
  std::vector<Halide::VarOrRVar> update_order{args[0], args[1]};
  for (int d = 0; d < stage.domain.dimensions(); ++d)
    update_order.emplace_back(stage.domain[d]);
  update.reorder(update_order).unroll(args[0]).unroll(args[1]);
}

} // namespace sinter

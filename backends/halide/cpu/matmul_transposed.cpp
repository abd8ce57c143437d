// a . b^T: both factors run along the sum, so vectors go along the rows of the result (often the
// batch) over a transposed copy of a. A square of the result is summed in registers, turned around
// by shuffles on its way through a small buffer, and stored row by row:
//
//   left = a, transposed
//   parallel columns in tiles, rows in tiles
//     accumulators = 0
//     r: accumulators += left (vector of rows) * b (broadcast)
//     square = accumulators, column by column
//     epilogue and store, row by row
#include "backends/halide/cpu/loops.h"
#include "backends/halide/cpu/matmul.h"
#include "backends/halide/cpu/surroundings.h"

#include <fmt/format.h>

namespace sinter {

using Halide::Func;
using Halide::TailStrategy;
using Halide::Var;

namespace {

/// Multiply-adds that make a parallel task worth its start.
constexpr int64_t kTaskWork = int64_t{1} << 18;

/// Splits the product's [rows, columns] into squares and returns the loop around one.
Var tile_squares(Func consumer, int width, int squares_per_task, bool parallel) {
  const Var column = consumer.args()[0], row = consumer.args()[1];
  const Var column_tile("column_tile"), lane("lane"), row_tile("row_tile"), in_tile("in_tile");
  consumer.split(column, column_tile, lane, width, TailStrategy::GuardWithIf);
  consumer.split(row, row_tile, in_tile, width, TailStrategy::GuardWithIf);
  consumer.reorder(lane, in_tile, row_tile, column_tile).vectorize(lane);
  if (parallel) {
    const Var task("task"), inside("inside");
    consumer.split(column_tile, task, inside, squares_per_task, TailStrategy::GuardWithIf)
        .parallel(task);
  }
  return row_tile;
}

} // namespace

std::string schedule_matmul_transposed(const LoweredKernel &kernel, const LoweredNode &product,
                                       const Variant &variant) {
  const Surroundings around = find_surroundings(kernel, product);
  const Stage &left = product.stages.front();
  const Stage &sum_stage = product.stages.back();
  const bool fused =
      around.plain_after && around.plain_before && kernel.groups[0].outputs.size() == 1;
  const int width = variant.vector_width;
  const int64_t columns = sum_stage.type.shape[0];
  const int64_t square_work = left.type.shape[0] * width * 2 * width; // for two squares of rows
  const int64_t squares = (kTaskWork + square_work - 1) / square_work;

  schedule_at_root(left, variant);
  Func consumer = fused ? kernel.groups[0].func : product.result;
  const Var tile =
      tile_squares(consumer, width, static_cast<int>(squares), columns > 2 * squares * width);
  Func sum = sum_stage.func;
  Func square = sum.in();
  const Var i = sum.args()[0], j = sum.args()[1];
  square.compute_at(consumer, tile).reorder_storage(j, i);
  square.bound_extent(i, width).bound_extent(j, width).vectorize(i, width).unroll(j);
  sum.compute_at(consumer, tile).bound_extent(i, width).bound_extent(j, width);
  sum.vectorize(i, width).unroll(j);
  sum.update().reorder(i, j, sum_stage.domain[0]).vectorize(i, width).unroll(j);
  if (!fused) {
    consumer.compute_root();
    pad_buffer(consumer, kernel.kernel.graph.type(product.id));
    schedule_rest(kernel, product, variant);
  }
  return fmt::format("transposed product {}x{}", width, width);
}

} // namespace sinter

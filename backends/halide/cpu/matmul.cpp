// Two forms, by which factor gives the vectors:
//
//   a . b      vectors along the columns of the result; a tile of rows by vectors in registers,
//              the epilogue and an optimizer's update applied to it. A long sum is cut into parts
//              that run in parallel, each reading its own rows of b once, and are added in order.
//   a . b^T    both factors run along the sum, so vectors go along the rows (often the batch) over
//              a transposed copy of a; blocks of the result are turned around when stored.
#include "backends/halide/cpu/matmul.h"

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

/// Rows of a tile at most when they are the batch, which may end within a tile.
constexpr int kBatchRows = 4;
/// Rows of a tile at most otherwise.
constexpr int kStaticRows = 14;
/// Multiply-adds that make a parallel task worth its start.
constexpr int64_t kTaskWork = int64_t{1} << 18;

/// The result's columns as stored: [rows, columns], or [blocks, rows, block].
struct Columns {
  bool blocked;
  int64_t lanes; // that vectors may run over in dimension 0, padding included
  int64_t blocks;
};

class ProductSchedule {
public:
  ProductSchedule(const LoweredKernel &kernel, const LoweredNode &node, const Variant &variant,
                  Decisions &decisions)
      : kernel_(kernel), node_(node), variant_(variant), around_(find_surroundings(kernel, node)),
        sum_(node.stages.back()), right_(node.find_stage("right")) {
    const TensorType &type = kernel.kernel.graph.type(node.id);
    for (const Stage &stage : node.stages)
      if (stage.kind == Stage::Kind::reduction && &stage != &sum_)
        part_ = &stage;
    const TensorType &b = second_operand_type(kernel, node, right_);
    rows_ = type.shape[0];
    length_ = b.shape[0];
    const int64_t padded = b.storage_shape().front() * b.block;
    columns_ = type.blocked() ? Columns{true, type.block, type.storage_shape()[0]}
                              : Columns{false, padded, 1};
    choose(decisions);
  }

  std::string apply() {
    if (right_)
      schedule_at_root(*right_, variant_);
    const bool fused = around_.plain_after && around_.plain_before;
    if (part_)
      place_parts(fused);
    else if (fused)
      place_fused();
    else
      place_whole();
    if (!fused)
      schedule_rest(kernel_, node_, variant_);
    return fmt::format("product {}x{}", tile_.rows, tile_.vectors * variant_.vector_width);
  }

private:
  /// A tile of whole vectors, where the columns are any.
  void choose(Decisions &decisions) {
    const int longest = rows_ == kBatch ? kBatchRows : kStaticRows;
    if (columns_.blocked && columns_.lanes % variant_.vector_width != 0) {
      tile_ = {1, 1}; // a block that no vector fits
      return;
    }
    tile_ = choose_tile(rows_, columns_.lanes, variant_, longest, decisions);
  }

  Halide::Expr is_single() const { return kernel_.batch == 1; }

  int lanes() const { return lanes_for(columns_.lanes, variant_); }

  /// Splits a Func over the result's storage, or over part index and storage, into tiles; returns
  /// the loop around one tile.
  Var tile_consumer(Func consumer, bool parts) {
    // A single sample waits for weights from memory. Rows of a tile that it does not have would
    // keep the processor from looking ahead: their multiply-adds wait in the same queue.
    if (rows_ == kBatch) {
      Halide::Stage single = consumer.specialize(is_single());
      tile_loops(single, consumer.args(), 1, parts);
    }
    Halide::Stage all(consumer);
    tile_loops(all, consumer.args(), tile_.rows, parts);
    if (!parts)
      parallelize_rows(consumer, row_tile_);
    return column_tile_;
  }

  void tile_loops(Halide::Stage loops, const std::vector<Var> &v, int rows, bool parts) const {
    const Var in_tile("in_tile"), vector("vector"), lane("lane"), row("row");
    loops.split(v[0], column_tile_, in_tile, tile_.vectors * lanes(), TailStrategy::GuardWithIf);
    loops.split(in_tile, vector, lane, lanes());
    loops.split(v[1], row_tile_, row, rows, TailStrategy::GuardWithIf);
    std::vector<VarOrRVar> order{lane, vector, row, column_tile_};
    if (columns_.blocked)
      order.emplace_back(v[2]);
    order.emplace_back(row_tile_);
    if (parts)
      order.emplace_back(v.back());
    loops.reorder(order).vectorize(lane).unroll(vector).unroll(row);
    if (parts)
      loops.parallel(v.back());
  }

  /// Runs row tiles in parallel, enough of them a task.
  void parallelize_rows(Func consumer, const Var &row_tile) {
    const int64_t length = length_ == kBatch ? 32 : length_; // a guess at the batch
    const int64_t work = length * columns_.lanes * columns_.blocks * tile_.rows;
    const int64_t tiles = (kTaskWork + work - 1) / work;
    if (rows_ != kBatch && rows_ <= tiles * tile_.rows)
      return;
    const Var task("task"), inside("inside");
    consumer.split(row_tile, task, inside, static_cast<int>(tiles), TailStrategy::GuardWithIf)
        .parallel(task);
  }

  /// Accumulators of one tile.
  void place_sum(const Stage &stage, Func consumer, const Var &at) {
    Func sum = stage.func;
    sum.compute_at(consumer, at);
    const Halide::Expr rows =
        rows_ == kBatch ? Halide::select(is_single(), 1, tile_.rows) : Halide::Expr(tile_.rows);
    keep_in_registers(sum, {tile_.vectors * lanes(), rows}, lanes(), {stage.domain[0]});
  }

  /// The tile's epilogue is the store itself.
  void place_fused() {
    const OutputGroup &group = kernel_.groups[0];
    place_sum(sum_, group.func, tile_consumer(group.func, /*parts=*/false));
    if (group.outputs.size() > 1) {
      Func values = group.values;
      // A tile, not a vector at a time: the last vectors of padded columns may lie wholly outside.
      values.compute_at(group.func, Var("column_tile"));
      pad_buffer(values, group.type, tile_.vectors * lanes());
      values.vectorize(values.args()[0], lanes(), TailStrategy::GuardWithIf);
    }
  }

  /// The product alone, stored before the rest of the kernel runs.
  void place_whole() {
    Func result = node_.result;
    result.compute_root();
    pad_buffer(result, kernel_.kernel.graph.type(node_.id), tile_.vectors * lanes());
    place_sum(sum_, result, tile_consumer(result, /*parts=*/false));
  }

  /// Parts side by side, then their sum row by row.
  void place_parts(bool fused) {
    Func stored = Func(part_->func).in(sum_.func);
    stored.compute_root();
    pad_buffer(stored, sum_.type, tile_.vectors * lanes());
    place_sum(*part_, stored, tile_consumer(stored, /*parts=*/true));
    if (!fused) {
      schedule_at_root(sum_, variant_);
      return;
    }
    const OutputGroup &group = kernel_.groups[0];
    Func sum = sum_.func;
    sum.compute_at(group.func, schedule_stores(group, variant_));
    pad_buffer(sum, sum_.type);
    sum.vectorize(sum.args()[0], lanes(), TailStrategy::GuardWithIf);
    sum.update().vectorize(sum.args()[0], lanes(), TailStrategy::GuardWithIf);
  }

  const LoweredKernel &kernel_;
  const LoweredNode &node_;
  const Variant &variant_;
  const Surroundings around_;
  const Stage &sum_;
  const Stage *right_; // a copy of the right factor, or null
  const Stage *part_ = nullptr;
  int64_t rows_ = 0, length_ = 0;
  Columns columns_{};
  RegisterTile tile_;
  const Var column_tile_{"column_tile"}, row_tile_{"row_tile"};
};

} // namespace

std::string schedule_matmul(const LoweredKernel &kernel, const LoweredNode &product,
                            const Variant &variant, Decisions &decisions) {
  return ProductSchedule(kernel, product, variant, decisions).apply();
}

} // namespace sinter

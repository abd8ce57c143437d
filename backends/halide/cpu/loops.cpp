#include "backends/halide/cpu/loops.h"

#include <algorithm>

namespace sinter {

using Halide::Func;
using Halide::TailStrategy;
using Halide::Var;

namespace {

/// Splits dimension 0 of a definition into vectors; leaves it alone when it is too short.
/// Returns the variable around the vector.
template <typename Definition> Var vectorize_rows(Definition definition, const Var &x, int lanes) {
  const Var around("around"), lane("lane");
  definition.split(x, around, lane, lanes, TailStrategy::GuardWithIf).vectorize(lane);
  return around;
}

/// Runs the outermost loop in parallel, several iterations a task when one is little work. Returns
/// the loop over single iterations.
Var parallelize_outermost(Func func, const Var &outermost, int64_t elements_per_iteration) {
  const int64_t iterations =
      (kElementsPerTask + elements_per_iteration - 1) / elements_per_iteration;
  if (iterations == 1) {
    func.parallel(outermost);
    return outermost;
  }
  const Var task("task"), inside("inside");
  func.split(outermost, task, inside, static_cast<int>(iterations), TailStrategy::GuardWithIf)
      .parallel(task);
  return inside;
}

/// The outermost dimension that has more than one iteration: what threads share.
size_t shared_dimension(const std::vector<int64_t> &extents) {
  size_t d = extents.size() - 1;
  while (d > 1 && extents[d] == 1)
    --d;
  return d;
}

} // namespace

std::vector<int64_t> halide_extents(const TensorType &type) {
  const Shape shape = type.storage_shape();
  return {shape.rbegin(), shape.rend()};
}

int64_t elements_per_sample(const TensorType &type) { return type.storage_elements(); }

int lanes_for(int64_t extent, const Variant &variant) {
  int lanes = variant.vector_width;
  while (extent != kBatch && lanes > extent)
    lanes /= 2;
  return lanes;
}

Var schedule_stores(const OutputGroup &group, const Variant &variant) {
  const std::vector<int64_t> extents = halide_extents(group.type);
  Func func = group.func;
  if (extents.empty()) {
    if (group.outputs.size() > 1)
      Func(group.values).compute_root();
    return Var::outermost();
  }
  const std::vector<Var> args = func.args();
  int lanes = lanes_for(extents[0], variant);
  // Halide 14 takes the two halves of a loop for equal when they store one full vector and a tail
  // of one element into a buffer of their own: it then computes the first one twice.
  if (group.outputs.size() > 1 && extents[0] == lanes + 1)
    lanes /= 2;
  Var vectors = vectorize_rows(func, args[0], lanes);
  Var rows = extents.size() > 1 ? args[1] : vectors;
  const bool many = elements_per_sample(group.type) >= 2 * kElementsPerTask;
  if (extents.size() == 1 && many) {
    rows = vectors = parallelize_outermost(func, vectors, lanes);
  } else if (extents.size() > 1 && (group.type.batched() || many)) {
    const size_t shared = shared_dimension(extents);
    const int64_t elements = elements_per_sample(group.type);
    const Var inside = parallelize_outermost(
        func, args[shared], group.type.batched() ? elements : elements / extents[shared]);
    if (shared == 1)
      rows = inside;
  }
  if (group.outputs.size() > 1) {
    Func values = group.values;
    values.compute_at(func, vectors);
    vectorize_rows(values, args[0], lanes);
  }
  return rows;
}

void schedule_at_root(const Stage &stage, const Variant &variant) {
  Func func = stage.func;
  func.compute_root();
  const std::vector<int64_t> extents = halide_extents(stage.type);
  if (extents.empty())
    return;
  const std::vector<Var> args = func.args();
  const int lanes = lanes_for(extents[0], variant);
  vectorize_rows(func, args[0], lanes);
  const int64_t elements = elements_per_sample(stage.type);
  const bool batched = stage.type.batched();
  const bool parallel = extents.size() > 1 && (batched || elements >= 2 * kElementsPerTask);
  const size_t shared = shared_dimension(extents);
  if (parallel)
    parallelize_outermost(func, args[shared], batched ? elements : elements / extents[shared]);
  if (stage.kind == Stage::Kind::copy)
    return;

  // The sum stays in a register: vector, reduction loops, then everything else.
  Halide::Stage update = func.update();
  const Var around = vectorize_rows(update, args[0], lanes);
  std::vector<Halide::VarOrRVar> order{Var("lane")};
  for (int d = 0; d < stage.domain.dimensions(); ++d)
    order.emplace_back(stage.domain[d]);
  order.emplace_back(around);
  order.insert(order.end(), args.begin() + 1, args.end());
  update.reorder(order);
  if (parallel)
    update.parallel(args[shared]);
}

void vectorize_copy(const Stage &stage, const Variant &variant) {
  const std::vector<int64_t> extents = halide_extents(stage.type);
  const size_t along = extents[0] == 1 ? 1 : 0;
  Func func = stage.func;
  func.vectorize(func.args()[along], lanes_for(extents[along], variant), TailStrategy::GuardWithIf);
}

} // namespace sinter

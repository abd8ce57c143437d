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

/// Runs the loop in parallel, several iterations a task when one is little work. Returns the loop
/// over single iterations.
template <typename Definition>
Var share(Definition definition, const Var &loop, int64_t elements_per_iteration) {
  const int64_t iterations =
      (kElementsPerTask + elements_per_iteration - 1) / elements_per_iteration;
  if (iterations == 1) {
    definition.parallel(loop);
    return loop;
  }
  const Var task("task"), inside("inside");
  definition.split(loop, task, inside, static_cast<int>(iterations), TailStrategy::GuardWithIf)
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

void pad_buffer(Func buffer, const TensorType &type, int lanes) {
  const std::vector<int64_t> extents = halide_extents(type);
  if (extents.empty())
    return;
  const std::vector<Var> args = buffer.args();
  if (extents[0] % lanes != 0 && (extents[0] > 1 || lanes > 2)) // no vector runs along a single one
    buffer.align_storage(args[0], lanes);
  const size_t outer = shared_dimension(extents);
  if (outer > 0 && extents[outer] > 1 && extents[outer] % 2 != 0)
    buffer.align_storage(args[outer], 2);
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
  const int lanes = lanes_for(extents[0], variant);
  Var vectors = vectorize_rows(func, args[0], lanes);
  Var rows = extents.size() > 1 ? args[1] : vectors;
  const bool many = elements_per_sample(group.type) >= 2 * kElementsPerTask;
  if (extents.size() == 1 && many) {
    rows = vectors = share(func, vectors, lanes);
  } else if (extents.size() > 1 && (group.type.batched() || many)) {
    const size_t shared = shared_dimension(extents);
    const int64_t elements = elements_per_sample(group.type);
    const Var inside =
        share(func, args[shared], group.type.batched() ? elements : elements / extents[shared]);
    if (shared == 1)
      rows = inside;
    size_t outermost = shared - 1; // of a sample: a batch of one has tasks, too
    while (outermost > 0 && extents[outermost] == 1)
      --outermost;
    if (group.type.batched() && many && outermost > 0) {
      const Var inside_sample = share(func, args[outermost], elements / extents[outermost]);
      if (outermost == 1)
        rows = inside_sample;
    }
  }
  if (group.outputs.size() > 1) {
    Func values = group.values;
    values.compute_at(func, vectors);
    pad_buffer(values, group.type);
    vectorize_rows(values, args[0], lanes);
  }
  return rows;
}

namespace {

/// Elements that one element of the stage is made from; the batch is not counted.
int64_t domain_elements(const Stage &stage) {
  int64_t elements = 1;
  for (int d = 0; d < stage.domain.dimensions(); ++d)
    if (const int64_t *extent = Halide::Internal::as_const_int(stage.domain[d].extent()))
      elements = std::min(elements * std::max<int64_t>(*extent, 1), kElementsPerTask);
  return elements;
}

/// A loop of an update and how many iterations it has; kBatch: as the batch says.
struct UpdateLoop {
  Var var;
  int64_t iterations;
};

/// Vectors that a reduction goes on with at once: sums that do not wait for each other, over whole
/// cache lines that follow each other.
int vectors_at_once(const Stage &stage, int64_t extent, int64_t lanes) {
  constexpr int most = 4;
  int vectors = 1;
  while (stage.axis < 0 && vectors < most && extent != kBatch &&
         extent % (2 * vectors * lanes) == 0)
    vectors *= 2;
  return vectors;
}

/// Vectors, reduction loops, then everything else: a sum stays in a register. A scan's axis has no
/// loop of its own, and no vector goes along it.
void schedule_update(const Stage &stage, const Variant &variant) {
  const std::vector<int64_t> extents = halide_extents(stage.type);
  const std::vector<Var> args = Func(stage.func).args();
  Halide::Stage update = Func(stage.func).update();
  std::vector<Halide::VarOrRVar> order;
  std::vector<UpdateLoop> loops; // innermost first
  const int64_t lanes = lanes_for(extents[0], variant);
  if (stage.axis != 0) {
    const int together = vectors_at_once(stage, extents[0], lanes);
    const Var around("around"), in_group("in_group"), vector("vector"), lane("lane");
    update.split(args[0], around, in_group, static_cast<int>(lanes) * together,
                 TailStrategy::GuardWithIf);
    update.split(in_group, vector, lane, static_cast<int>(lanes)).vectorize(lane).unroll(vector);
    const int64_t group = lanes * together;
    loops.push_back({around, extents[0] == kBatch ? kBatch : (extents[0] + group - 1) / group});
    order.insert(order.end(), {lane, vector});
  }
  for (size_t d = 1; d < args.size(); ++d)
    if (static_cast<int>(d) != stage.axis)
      loops.push_back({args[d], extents[d]});
  for (int d = 0; d < stage.domain.dimensions(); ++d)
    order.emplace_back(stage.domain[d]);
  for (const UpdateLoop &loop : loops)
    order.emplace_back(loop.var);
  if (order.size() > 1)
    update.reorder(order);
  else
    update.unscheduled(); // one line, step by step: Halide warns on the terminal otherwise
  while (loops.size() > 1 && loops.back().iterations == 1)
    loops.pop_back();

  const int64_t lines = elements_per_sample(stage.type) /
                        (stage.axis < 0 ? 1 : extents[static_cast<size_t>(stage.axis)]);
  const int64_t work = lines * domain_elements(stage);
  if (loops.empty() || !(stage.type.batched() || work >= 2 * kElementsPerTask))
    return;
  const int64_t iterations = loops.back().iterations;
  const bool samples_in_vectors = extents[0] == kBatch;
  share(update, loops.back().var,
        samples_in_vectors     ? work * lanes
        : iterations == kBatch ? work
                               : work / iterations);
}

} // namespace

void schedule_at_root(const Stage &stage, const Variant &variant) {
  Func func = stage.func;
  func.compute_root();
  if (stage.kind == Stage::Kind::call)
    return;
  pad_buffer(func, stage.type);
  const std::vector<int64_t> extents = halide_extents(stage.type);
  if (!extents.empty()) {
    const std::vector<Var> args = func.args();
    vectorize_rows(func, args[0], lanes_for(extents[0], variant));
    const int64_t elements = elements_per_sample(stage.type);
    const bool batched = stage.type.batched();
    const size_t shared = shared_dimension(extents);
    if (extents.size() > 1 && (batched || elements >= 2 * kElementsPerTask))
      share(func, args[shared], batched ? elements : elements / extents[shared]);
    if (stage.kind != Stage::Kind::copy)
      schedule_update(stage, variant);
  }
}

void schedule_other_stages(const LoweredKernel &kernel, const LoweredNode &node,
                           const Variant &variant) {
  for (const LoweredNode &other : kernel.nodes)
    if (other.id != node.id)
      for (const Stage &stage : other.stages)
        schedule_at_root(stage, variant);
}

void schedule_rest(const LoweredKernel &kernel, const LoweredNode &node, const Variant &variant) {
  schedule_other_stages(kernel, node, variant);
  for (const OutputGroup &group : kernel.groups)
    schedule_stores(group, variant);
}

void vectorize_copy(const Stage &stage, const Variant &variant) {
  const std::vector<int64_t> extents = halide_extents(stage.type);
  const size_t along = extents[0] == 1 ? 1 : 0;
  Func func = stage.func;
  func.vectorize(func.args()[along], lanes_for(extents[along], variant), TailStrategy::GuardWithIf);
}

Halide::Stage keep_in_registers(Func sums, const std::vector<Halide::Expr> &extents, int lanes,
                                const std::vector<Halide::RVar> &terms) {
  const std::vector<Var> args = sums.args();
  const std::vector<Var> tile(args.begin() + 1, args.begin() + static_cast<int>(extents.size()));
  const Var vector("vector"), lane("lane");
  Halide::Stage update = sums.update();
  std::vector<Halide::VarOrRVar> order{lane, vector};
  order.insert(order.end(), tile.begin(), tile.end());
  order.insert(order.end(), terms.begin(), terms.end());
  order.insert(order.end(), args.begin() + static_cast<int>(extents.size()), args.end());
  for (size_t d = 0; d < extents.size(); ++d)
    sums.bound_extent(args[d], extents[d]);
  sums.split(args[0], vector, lane, lanes).vectorize(lane).unroll(vector);
  update.split(args[0], vector, lane, lanes).reorder(order).vectorize(lane).unroll(vector);
  for (const Var &loop : tile) {
    sums.unroll(loop);
    update.unroll(loop);
  }
  return update;
}

} // namespace sinter

#include "backends/halide/gpu/schedule.h"

#include "backends/halide/gpu/contraction.h"
#include "backends/halide/gpu/threads.h"
#include "ir/diagnostics.h"

#include <algorithm>

namespace sinter {

using Halide::Func;
using Halide::Var;

namespace {

/// Whether what the node reads is in memory. A copy of that is not worth a kernel on a device: it
/// is rearranged where it is read.
bool reads_memory_alone(const LoweredKernel &kernel, NodeId id) {
  const Graph &graph = kernel.kernel.graph;
  const std::vector<NodeId> &inputs = graph[id].inputs;
  return std::all_of(inputs.begin(), inputs.end(), [&](NodeId input) {
    return op_def(graph[input].kind).traits.op_class == OpClass::leaf;
  });
}

/// What only the processor computes has no place in a device's plans, but in a text of the IR it
/// may stand.
void check_node(const LoweredKernel &kernel, const LoweredNode &node) {
  for (const Stage &stage : node.stages)
    if (stage.kind == Stage::Kind::call)
      throw CompileError({}, "{} is computed by the processor alone: it cannot run on a device",
                         name(kernel.kernel.graph[node.id].kind));
}

/// What every element of a loop reads (a learning rate with its bias correction) is computed once.
void schedule_scalar(const LoweredKernel &kernel, const LoweredNode &node) {
  if (kernel.kernel.graph.type(node.id).rank() == 0)
    spread_over_threads(Func(node.result).compute_root(), {});
}

/// A thread keeps its sum in a register, and stores it in memory when it is complete.
void schedule_reduction(const Stage &stage) {
  Func sum = stage.func;
  Func stored = sum.in();
  stored.compute_root();
  sum.compute_at(stored, spread_over_threads(stored, stored.args()));
}

/// A thread goes along each line.
void schedule_scan(const Stage &stage) {
  Func scan = stage.func;
  std::vector<Var> lines = scan.args();
  scan.compute_root();
  spread_over_threads(scan, lines);
  lines.erase(lines.begin() + stage.axis);
  spread_over_threads(scan.update(), lines);
}

void schedule_stage(const LoweredKernel &kernel, OpClass op_class, const Stage &stage) {
  switch (stage.kind) {
  case Stage::Kind::reduction:
    if (op_class == OpClass::contraction && stage.type.storage_shape().size() > 1)
      schedule_tile_sums(stage);
    else
      schedule_reduction(stage);
    return;
  case Stage::Kind::scan:
    schedule_scan(stage);
    return;
  case Stage::Kind::copy:
    if (!reads_memory_alone(kernel, stage.node))
      spread_over_threads(Func(stage.func).compute_root(), stage.func.args());
    return;
  case Stage::Kind::call:
    break; // check_node
  }
}

/// Of several outputs, a thread computes all values of an element before it stores any: one may lie
/// where another is read.
void schedule_output(const OutputGroup &group) {
  Func func = group.func;
  const Var thread = spread_over_threads(func, func.args());
  if (group.outputs.size() > 1)
    Func(group.values).compute_at(func, thread);
}

} // namespace

KernelSchedule schedule_device_kernel(const LoweredKernel &kernel) {
  for (const LoweredNode &node : kernel.nodes) {
    check_node(kernel, node);
    schedule_scalar(kernel, node);
    for (const Stage &stage : node.stages)
      schedule_stage(kernel, node.op_class, stage);
  }
  for (const OutputGroup &group : kernel.groups)
    schedule_output(group);
  return {"threads"};
}

} // namespace sinter

#include "backends/halide/cpu/schedule.h"

#include "backends/halide/cpu/bf16.h"
#include "backends/halide/cpu/bf16_gradient.h"
#include "backends/halide/cpu/by_position.h"
#include "backends/halide/cpu/convolution.h"
#include "backends/halide/cpu/filter_gradient.h"
#include "backends/halide/cpu/loops.h"
#include "backends/halide/cpu/matmul.h"
#include "backends/halide/cpu/winograd.h"
#include "backends/halide/cpu/winograd_gradient.h"

namespace sinter {

namespace {

/// The kernel's contraction, or null when there is none or more than one.
const LoweredNode *only_contraction(const LoweredKernel &kernel) {
  const LoweredNode *found = nullptr;
  for (const LoweredNode &node : kernel.nodes)
    if (node.op_class == OpClass::contraction) {
      if (found)
        return nullptr;
      found = &node;
    }
  return found;
}

/// Scalars that a big loop reads (a learning rate with its bias correction) are computed once.
void schedule_scalars(const LoweredKernel &kernel) {
  for (const LoweredNode &node : kernel.nodes)
    if (kernel.kernel.graph.type(node.id).rank() == 0)
      Halide::Func(node.result).compute_root();
}

/// Every stage whole, one after the other, then the outputs.
std::string schedule_stages(const LoweredKernel &kernel, const Variant &variant) {
  std::string algorithm = "loops";
  for (const LoweredNode &node : kernel.nodes)
    for (const Stage &stage : node.stages) {
      schedule_at_root(stage, variant);
      algorithm = "stages";
    }
  for (const OutputGroup &group : kernel.groups)
    schedule_stores(group, variant);
  return algorithm;
}

} // namespace

KernelSchedule schedule_kernel(const LoweredKernel &kernel, const Variant &variant,
                               Decisions &decisions) {
  schedule_scalars(kernel);
  const LoweredNode *contraction = only_contraction(kernel);
  if (contraction && is_gradient_by_position(*contraction))
    return {schedule_gradient_by_position(kernel, *contraction, variant, decisions)};
  if (contraction && contraction->find_stage("spread"))
    return {schedule_winograd_gradient(kernel, *contraction, variant, decisions)};
  if (contraction && contraction->find_stage("gradient"))
    return {schedule_filter_gradient(kernel, *contraction, variant, decisions)};
  if (contraction && kernel.nodes.size() == 1 &&
      kernel.kernel.graph[contraction->id].kind == OpKind::winograd_filter)
    return {schedule_winograd_filter(kernel, variant)};
  if (contraction && contraction->find_stage("tiles"))
    return schedule_winograd(kernel, *contraction, variant, decisions);
  if (contraction && contraction->find_stage("gradient_pairs"))
    return {schedule_bf16_gradient(kernel, *contraction, variant)};
  if (contraction && contraction->find_stage("products"))
    return {schedule_bf16(kernel, *contraction, variant)};
  if (contraction && contraction->find_stage("padded"))
    return schedule_convolution(kernel, *contraction, variant, decisions);
  if (contraction && contraction->find_stage("left"))
    return {schedule_matmul_transposed(kernel, *contraction, variant)};
  if (contraction && kernel.kernel.graph.type(contraction->id).rank() == 2)
    return {schedule_matmul(kernel, *contraction, variant, decisions)};
  if (kernel.nodes.size() == 1 && kernel.nodes[0].find_stage("turned"))
    return {schedule_bf16_turned_filter(kernel, variant)};
  return {schedule_stages(kernel, variant)};
}

} // namespace sinter

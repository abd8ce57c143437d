// From a kernel's graph to Funcs without a schedule.
#pragma once

#include "backends/halide/kernel_graph.h"
#include "ir/kernel_builder.h"

#include <string_view>
#include <vector>

namespace sinter {

/// One node of the kernel: its result, inlined unless a schedule says otherwise, and the stages
/// that cannot be inlined.
struct LoweredNode {
  NodeId id;
  OpClass op_class;
  Halide::Func result;
  std::vector<Stage> stages;

  /// The stage of that role, or null.
  const Stage *find_stage(std::string_view role) const;
};

/// Outputs of one storage shape are computed by one Func, a Tuple when there are several. It
/// copies `values`, in which all of an element is computed before any of it is stored: an output
/// may overwrite an input at the same index.
struct OutputGroup {
  TensorType type;             // of the first output; the others differ in element type at most
  std::vector<size_t> outputs; // positions in KernelGraph::outputs
  Halide::Func values;
  Halide::Func func;
};

struct LoweredKernel {
  KernelGraph kernel;
  Halide::Param<int32_t> batch;
  std::vector<Halide::ImageParam> inputs;
  std::vector<LoweredNode> nodes;
  std::vector<OutputGroup> groups;

  Halide::Pipeline pipeline() const;
};

/// Applies every op's algorithm. All extents and strides but the batch are declared constant.
LoweredKernel lower_kernel(const KernelGraph &);

} // namespace sinter

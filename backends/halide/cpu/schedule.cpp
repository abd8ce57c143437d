#include "backends/halide/cpu/schedule.h"

#include "backends/halide/cpu/loops.h"

namespace sinter {

std::string schedule_kernel(const LoweredKernel &kernel, const Variant &variant) {
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

} // namespace sinter

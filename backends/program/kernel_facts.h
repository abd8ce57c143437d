// What bench, info and error messages tell about one kernel.
#pragma once

#include "ir/plan.h"

#include <string>

namespace sinter {

struct KernelFacts {
  std::string ops;    // "conv2d+bias_add+relu"
  std::string layers; // "conv2d, max_pooling2d"
  double flops_per_sample = 0, flops_fixed = 0;
  double bytes_per_sample = 0, bytes_fixed = 0; // read and written once each
};

KernelFacts kernel_facts(const Plan &, const Kernel &);

} // namespace sinter

// One kernel through Halide: lower, schedule, generate code.
#pragma once

#include "backends/halide/kernel_choice.h"
#include "backends/halide/kernel_graph.h"
#include "backends/halide/kernels.h"

namespace sinter {

struct BuiltKernel {
  std::string algorithm;
  int64_t elements_per_sample = 0; // see KernelObject
  KernelChoice unfit;              // what of the choice could not be done: then none of it was
  std::string object;              // ELF, defining `symbol` only
};

/// What a kernel's code may call.
std::string full_target(const Variant &);

/// What the kernel's schedule decides, given a choice.
std::vector<Decision> kernel_decisions(const KernelGraph &, const Variant &, const KernelChoice &);

/// Throws InternalError when Halide refuses: the kernel or its schedule is our fault. `checked`
/// keeps Halide's assertions, which catch a schedule that leaves a buffer. Programs get unchecked
/// kernels, which still return an error when memory is short.
BuiltKernel build_kernel(const KernelGraph &, const Variant &, const KernelChoice &,
                         const std::string &symbol, bool checked);

std::string build_kernel_text(const KernelGraph &, const Variant &, const KernelChoice &,
                              const std::string &symbol, KernelText);

} // namespace sinter

// One kernel through Halide: lower, schedule, generate code.
#pragma once

#include "backends/halide/kernel_graph.h"
#include "backends/halide/kernels.h"

namespace sinter {

struct BuiltKernel {
  std::string algorithm;
  std::string object; // ELF, defining `symbol` only
};

/// What a kernel's code may check and call. `checked` keeps Halide's assertions, which catch a
/// schedule that leaves a buffer; programs get unchecked kernels.
std::string full_target(const Variant &, bool checked);

/// Throws InternalError when Halide refuses: the kernel or its schedule is our fault.
BuiltKernel build_kernel(const KernelGraph &, const Variant &, const std::string &symbol,
                         bool checked);

std::string build_kernel_text(const KernelGraph &, const Variant &, const std::string &symbol,
                              KernelText);

} // namespace sinter

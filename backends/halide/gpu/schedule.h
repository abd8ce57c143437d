// Schedules for devices: every loop over elements becomes blocks of threads, and no element is
// computed by the processor. Kernels keep the order of their sums, whatever the device.
#pragma once

#include "backends/halide/cpu/kernel_schedule.h"
#include "backends/halide/lower_kernel.h"

namespace sinter {

/// Schedules every Func of the kernel. Throws CompileError when the kernel calls a function that
/// there is for the processor alone.
KernelSchedule schedule_device_kernel(const LoweredKernel &);

} // namespace sinter

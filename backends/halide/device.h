// What runs kernels beside the processor. variants_for_target (kernels.h) knows `opencl`, alone or
// behind a target of the processor: `host,opencl` has the variants of both, the device's last.
//
// A kernel of a device has the signature that kernels.h describes and takes the addresses from the
// buffers' `device` fields. It holds the device's code and refers to what runtime/device_memory.c
// and that device's file define.
#pragma once

#include "backends/halide/kernels.h"

#include <string>

namespace sinter {

enum class Device { none, opencl };

/// What runs the variant's kernels; none: the processor.
Device device_of(const Variant &);

/// Whether programs for the target run, or may run, on a device.
bool targets_device(const std::string &target);

} // namespace sinter

// The variants of a program that run on a device, which are its last ones.
#pragma once

#include "backends/program/compiled_program.h"

namespace sinter {

int count_device_variants(const CompiledProgram &);

/// The symbol of the runtime's record of what runs them (runtime/device.h). There must be some.
const char *device_symbol(const CompiledProgram &);

} // namespace sinter

// The program's parameters as the runtime's own structs: emitted into the module, and used by the
// compiler itself to write the initial weights.
#pragma once

#include "ir/program.h"
#include "runtime/sinter_runtime.h"

#include <vector>

namespace sinter {

/// One entry a slot, in the program's order. The names point into `program`; `initial` is null.
std::vector<sinter_parameter> parameter_table(const Program &program);

/// Bytes at the start of the parameter region that are weights and statistics.
int64_t trainable_bytes(const Program &program);

/// `from` into the fixed array of a runtime struct, the rest zero.
void copy_dims(const Shape &from, int64_t (&to)[SINTER_MAX_RANK]);

} // namespace sinter

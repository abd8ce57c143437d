// The kernels of a phase, as its step functions call them.
#pragma once

#include "backends/program/compiled_program.h"
#include "backends/program/function_writer.h"

#include <string>

namespace sinter {

/// A constant of this name with the addresses of the kernels, [variant][kernel]. Declares them as
/// functions of other objects of the program, hidden from its users.
llvm::Constant *emit_kernel_table(ModuleWriter &, const CompiledPhase &, const std::string &name);

} // namespace sinter

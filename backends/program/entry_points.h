// The public functions of a library, and main of an executable: thin code over the runtime.
#pragma once

#include "backends/program/model_tables.h"

namespace sinter {

/// PREFIX_context_bytes and the rest of what header.h declares, for the phases that the program
/// has. All check their arguments and return a status.
void emit_library_entry_points(ModuleWriter &, const CompiledProgram &,
                               const std::string &description, llvm::Constant *model,
                               const ModelFunctions &);

/// int main(int argc, char **argv)
void emit_main(ModuleWriter &, llvm::Constant *model);

} // namespace sinter

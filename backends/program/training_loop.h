// The training loop as generated code.
#pragma once

#include "backends/program/model_tables.h"

namespace sinter {

/// train_loop(context, session), as sinter_model declares it.
llvm::Function *emit_training_loop(ModuleWriter &, const CompiledProgram &,
                                   const ModelFunctions &steps);

} // namespace sinter

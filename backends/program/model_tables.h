// The constant sinter_model of a program: everything that the runtime may ask about it.
#pragma once

#include "backends/program/compiled_program.h"
#include "backends/program/function_writer.h"

#include <map>

namespace sinter {

/// Where a parameter's compiled-in values lie: bytes from the symbol `sinter_weights`, which an
/// object of its own defines (weights_object.h).
using WeightOffsets = std::map<std::string, int64_t>;

/// The generated functions of a model; nullptr where the program has none.
struct ModelFunctions {
  llvm::Function *prepare = nullptr; // called by infer and eval_step
  llvm::Function *infer = nullptr;
  llvm::Function *eval_step = nullptr;
  llvm::Function *train_step = nullptr;
  llvm::Function *train_loop = nullptr;
};

/// Emits the table and returns its address; `description` is the JSON text.
llvm::GlobalVariable *emit_model_tables(ModuleWriter &, const CompiledProgram &,
                                        const std::string &description, const WeightOffsets &,
                                        const ModelFunctions &);

} // namespace sinter

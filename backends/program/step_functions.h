// One function a phase: the kernels of its plan, called in order.
#pragma once

#include "backends/program/compiled_program.h"
#include "backends/program/function_writer.h"
#include "runtime/sinter_runtime.h"

namespace sinter {

/// infer(context, inputs, n, outputs), or eval_step/train_step(context, inputs, labels, n,
/// metrics), as sinter_model declares them. Each checks its arguments, so it is safe to call from
/// anywhere; `metrics` may be null. Or prepare(context), which infer and eval_step call first when
/// parameters have changed; they are given it, null where there is none.
llvm::Function *emit_step_function(ModuleWriter &, const CompiledProgram &, sinter_phase,
                                   llvm::Function *prepare);

} // namespace sinter

// Programs for the tests of what is emitted: planned, with no kernel compiled.
#pragma once

#include "backends/program/compiled_program.h"
#include "backends/program/interface.h"
#include "passes/pipeline.h"
#include "runtime/sinter_runtime.h"
#include "tests/passes/nets.h"

namespace sinter {

inline Program plan_program(const Model &model, const std::string &name, bool train = true) {
  ProgramOptions options;
  options.name = name;
  options.train = train;
  return build_program(model, options);
}

/// `program` for the portable target, its kernels left out.
inline CompiledProgram without_kernels(const Program &program) {
  Diagnostics diagnostics;
  CompiledProgram compiled{program,
                           describe_interface(program, diagnostics),
                           program.name,
                           "x86-64",
                           variants_for_target("x86-64"),
                           {}};
  compiled.phases[SINTER_INFER].plan = &program.infer;
  compiled.phases[SINTER_EVAL].plan = program.eval ? &*program.eval : nullptr;
  compiled.phases[SINTER_TRAIN].plan = program.train ? &*program.train : nullptr;
  return compiled;
}

} // namespace sinter

// The host module of a program: tables, steps, training loop and entry points as LLVM IR, and what
// becomes of it.
#pragma once

#include "backends/program/compiled_program.h"

#include <map>
#include <string>
#include <vector>

namespace sinter {

enum class ModuleForm { executable, library };
enum class ModuleOutput { object, llvm, assembly };

struct HostModule {
  std::string code;                 // the object's bytes, or the text
  std::vector<std::string> exports; // the functions that others call
};

/// Emits, verifies and optimises the module (-O2, position-independent, for the baseline of this
/// architecture). An executable has main and the training loop, a library the PREFIX_ functions.
/// `weight_offsets` names the parameters whose values are compiled in (weights_object.h).
HostModule emit_host_module(const CompiledProgram &, ModuleForm, const std::string &description,
                            const std::map<std::string, int64_t> &weight_offsets, ModuleOutput);

} // namespace sinter

// The stages of compilation that are text: what --emit=ir|plan|stmt|llvm|asm prints.
#pragma once

#include "backends/program/build.h"

#include <string>

namespace sinter {

bool is_text_kind(const std::string &kind);
/// ".sir" of "ir".
std::string text_extension(const std::string &kind);

/// ir: the model as .sir. plan: the plan of every phase. stmt: the loops of every kernel. llvm: the
/// host module. asm: the host module's assembly, then every kernel's. `options` gives target and
/// cache; its output and kinds are not used.
std::string emit_text(const Program &, const std::string &kind, const BuildOptions &options,
                      Diagnostics &);

/// A plan with the name of its phase: "infer", "eval", "train"; then "prepare".
struct Phase {
  const char *name;
  const Plan *plan;
};
std::vector<Phase> phases(const Program &);

} // namespace sinter

// The stages of compilation that are text: what --emit=ir|plan|stmt|llvm|asm prints.
#pragma once

#include "backends/program/build.h"

#include <string>
#include <vector>

namespace sinter {

bool is_text_kind(const std::string &kind);
/// ".sir" of "ir".
std::string text_extension(const std::string &kind);

/// Tells `options` what of `kinds` build_outputs makes: the files; llvm, the host module; and asm,
/// its assembly, then every kernel's.
void choose_built_kinds(const Program &, const std::vector<std::string> &kinds,
                        BuildOptions &options);

/// Of the others. ir: the model as .sir. plan: the plan of every phase. stmt: the loops of every
/// kernel.
std::string program_text(const Program &, const std::string &kind, const BuildOptions &);

/// The texts of `kinds`, in their order; llvm and asm come of one build with `options`, whose kinds
/// were chosen above.
std::vector<TextFile> emit_texts(const Program &, const std::vector<std::string> &kinds,
                                 BuildOptions options, Diagnostics &);

/// A plan with the name of its phase: "infer", "eval", "train"; then "prepare".
struct Phase {
  const char *name;
  const Plan *plan;
};
std::vector<Phase> phases(const Program &);

} // namespace sinter

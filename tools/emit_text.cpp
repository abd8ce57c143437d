#include "tools/emit_text.h"

#include "backends/halide/kernels.h"
#include "ir/print.h"
#include "tools/output_file.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <utility>

namespace sinter {

namespace {

constexpr std::array<std::pair<const char *, const char *>, 5> kTextKinds = {{
    {"ir", ".sir"},
    {"plan", ".plan"},
    {"stmt", ".stmt"},
    {"llvm", ".ll"},
    {"asm", ".s"},
}};

std::string plans_text(const Program &program) {
  std::string text;
  for (const Phase &phase : phases(program))
    text += fmt::format("// {}\n{}\n", phase.name, print(*phase.plan));
  return text;
}

std::string kernels_text(const Program &program, const std::string &target, KernelText kind,
                         const char *comment) {
  std::string text;
  for (const Variant &variant : variants_for_target(target))
    for (const Phase &phase : phases(program))
      for (size_t k = 0; k < phase.plan->kernels.size(); ++k)
        text += fmt::format("{} {}, {}: {}\n{}\n", comment, variant.name, phase.name,
                            phase.plan->kernels[k].name,
                            kernel_text(*phase.plan, static_cast<int>(k), variant, kind));
  return text;
}

/// The host module as build_outputs writes it.
std::string host_module_text(const Program &program, Emit emit, BuildOptions options,
                             Diagnostics &diagnostics) {
  const TemporaryFolder folder;
  options.emit = {emit};
  options.output = folder.path() + "/module";
  const BuildResult result = build_outputs(program, options, diagnostics);
  SINTER_ASSERT(!result.files.empty(), "no file was written for {}", name(emit));
  return read_file(result.files.front());
}

} // namespace

bool is_text_kind(const std::string &kind) {
  return std::any_of(kTextKinds.begin(), kTextKinds.end(),
                     [&](const auto &known) { return kind == known.first; });
}

std::string text_extension(const std::string &kind) {
  for (const auto &[known, extension] : kTextKinds)
    if (kind == known)
      return extension;
  SINTER_UNREACHABLE("{} is no text", kind);
}

std::string emit_text(const Program &program, const std::string &kind, const BuildOptions &options,
                      Diagnostics &diagnostics) {
  if (kind == "ir")
    return print(program.model);
  if (kind == "plan")
    return plans_text(program);
  if (kind == "stmt")
    return kernels_text(program, options.target, KernelText::stmt, "//");
  if (kind == "llvm")
    return host_module_text(program, Emit::llvm, options, diagnostics);
  return host_module_text(program, Emit::assembly, options, diagnostics) +
         kernels_text(program, options.target, KernelText::assembly, "#");
}

std::vector<Phase> phases(const Program &program) {
  std::vector<Phase> result{{"infer", &program.infer}};
  if (program.eval)
    result.push_back({"eval", &*program.eval});
  if (program.train)
    result.push_back({"train", &*program.train});
  if (program.prepare)
    result.push_back({"prepare", &*program.prepare});
  return result;
}

} // namespace sinter

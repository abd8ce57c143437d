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

std::string kernels_text(const Program &program, const BuildOptions &options, KernelText kind,
                         const char *comment) {
  std::string text;
  for (const Variant &variant : variants_for_target(options.target))
    for (const Phase &phase : phases(program))
      for (size_t k = 0; k < phase.plan->kernels.size(); ++k)
        text += fmt::format(
            "{} {}, {}: {}\n{}\n", comment, variant.name, phase.name, phase.plan->kernels[k].name,
            kernel_text(*phase.plan, static_cast<int>(k), variant, kind, options.tuning));
  return text;
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

void choose_built_kinds(const Program &program, const std::vector<std::string> &kinds,
                        BuildOptions &options) {
  options.emit.clear();
  for (const std::string &kind : kinds)
    if (const std::optional<Emit> emit = parse_emit(kind))
      options.emit.push_back(*emit);
  if (std::find(kinds.begin(), kinds.end(), name(Emit::assembly)) != kinds.end())
    options.kernel_assembly = kernels_text(program, options, KernelText::assembly, "#");
}

std::string program_text(const Program &program, const std::string &kind,
                         const BuildOptions &options) {
  if (kind == "ir")
    return print(program.model);
  if (kind == "plan")
    return plans_text(program);
  return kernels_text(program, options, KernelText::stmt, "//");
}

std::vector<TextFile> emit_texts(const Program &program, const std::vector<std::string> &kinds,
                                 BuildOptions options, Diagnostics &diagnostics) {
  const TemporaryFolder folder;
  options.output = folder.path() + "/module";
  if (!options.emit.empty())
    build_outputs(program, options, diagnostics);
  std::vector<TextFile> texts;
  for (const std::string &kind : kinds) {
    const std::string extension = text_extension(kind);
    texts.push_back({extension, parse_emit(kind) ? read_file(options.output + extension)
                                                 : program_text(program, kind, options)});
  }
  return texts;
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

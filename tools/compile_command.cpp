// sinter compile: any stage of the way from a model to machine code, as a file or as text.
#include "backends/program/build.h"
#include "backends/program/staged_files.h"
#include "ir/print.h"
#include "tools/command.h"
#include "tools/compile_model.h"
#include "tools/emit_text.h"
#include "tools/options.h"
#include "tools/output_file.h"
#include "tools/report_errors.h"

#include <algorithm>
#include <filesystem>
#include <fmt/ostream.h>
#include <ostream>

namespace sinter {

namespace {

struct CompileCommandOptions {
  ModelOptions model;
  BackendOptions backend;
  PipelineOptions pipeline;
  std::string output;
  std::vector<std::string> emit{"exe"};
  WeightOptions weights;
  std::string passes;
  bool embed_weights = false;
};

/// The kinds that build_outputs makes as files, not as text.
std::vector<Emit> file_kinds(const CompileCommandOptions &options) {
  std::vector<Emit> kinds;
  for (const std::string &kind : options.emit)
    if (const std::optional<Emit> emit = parse_emit(kind); emit && !is_text_kind(kind))
      kinds.push_back(*emit);
  return kinds;
}

void check_usage(const CompileCommandOptions &options) {
  for (const std::string &kind : options.emit)
    if (!is_text_kind(kind) && !parse_emit(kind))
      throw CLI::ValidationError("--emit", fmt::format("unknown kind '{}'", kind));
  if (!file_kinds(options).empty() && (options.output.empty() || options.output == "-"))
    throw CLI::ValidationError(
        "-o", fmt::format("--emit={} needs an output path", name(file_kinds(options).front())));
  if (!options.passes.empty() && options.emit != std::vector<std::string>{"ir"})
    throw CLI::ValidationError("--passes", "goes with --emit=ir alone");
}

/// Each kind once, where it stands first.
void forget_repeated_kinds(CompileCommandOptions &options) {
  std::vector<std::string> kinds;
  for (const std::string &kind : options.emit)
    if (std::find(kinds.begin(), kinds.end(), kind) == kinds.end())
      kinds.push_back(kind);
  options.emit = std::move(kinds);
}

/// Where texts go when nothing else is made: standard output, the output path itself when there is
/// one of them, else OUT.<kind>.
void deliver_texts(const CompileCommandOptions &options, const std::vector<TextFile> &texts,
                   Tool &tool) {
  if (options.output.empty() || options.output == "-") {
    for (const TextFile &text : texts)
      tool.out << text.content;
  } else if (texts.size() == 1) {
    write_file(options.output, texts.front().content);
  } else {
    const std::filesystem::path output(options.output);
    StagedFiles files(output.parent_path());
    for (const TextFile &text : texts)
      files.write(output.filename().string() + text.extension, text.content);
    files.publish();
  }
}

void report(const BuildResult &result, const CompileCommandOptions &options, Tool &tool) {
  if (options.pipeline.time) {
    for (const StageTime &time : result.times)
      fmt::print(tool.err, "{:>9.3f} s  {}\n", time.seconds, time.stage);
    fmt::print(tool.err, "{} kernels, {} compiled, the rest from the cache\n", result.kernels,
               result.kernels_compiled);
  }
}

/// What is built takes its name from the output, what is only printed from the model file.
std::string default_name(const CompileCommandOptions &options) {
  return file_kinds(options).empty() ? stem(options.model.path)
                                     : std::filesystem::path(options.output).filename().string();
}

int run_compile(const CompileCommandOptions &options, Tool &tool) {
  const LoadedModel loaded = load_model_and_warn(options.model, tool);
  const Model &model = loaded.model;
  if (!options.passes.empty()) {
    const Model result = run_named_passes(model, options.passes, options.pipeline, tool);
    deliver_texts(options, {{text_extension("ir"), print(result)}}, tool);
    return kExitOk;
  }
  const Tuning tuning = load_tuning_for(options.backend);
  const Program program = build_program_for(model, default_name(options), options.backend, tuning,
                                            options.pipeline, tool);
  BuildOptions build;
  build.tuning = tuning.kernels();
  build.target = options.backend.target;
  build.cache_directory = cache_directory(options.backend.cache);
  build.embed_weights = options.embed_weights;
  build.weights = initial_weights(loaded, options.weights);
  choose_built_kinds(program, options.emit, build);
  if (file_kinds(options).empty()) {
    deliver_texts(options, emit_texts(program, options.emit, std::move(build), tool.diagnostics),
                  tool);
    return kExitOk;
  }
  build.output = options.output;
  for (const std::string &kind : options.emit)
    if (!parse_emit(kind))
      build.texts.push_back({text_extension(kind), program_text(program, kind, build)});
  report(build_outputs(program, build, tool.diagnostics), options, tool);
  return kExitOk;
}

} // namespace

void add_compile_command(CLI::App &app, Tool &tool) {
  CLI::App *command = app.add_subcommand("compile", "Compile a model to a program or a library");
  auto options = std::make_shared<CompileCommandOptions>();
  add_model_option(*command, options->model);
  command->add_option("-o,--output", options->output,
                      "What to write; other files take their names from it. Text goes to standard "
                      "output without it");
  command
      ->add_option("--emit", options->emit,
                   "exe, lib, shared, obj, header, ir, plan, stmt, llvm or asm; may be repeated")
      ->delimiter(',')
      ->take_all();
  add_backend_options(*command, options->backend, "x86-64");
  add_pipeline_options(*command, options->pipeline);
  CLI::Option *weights =
      command->add_option("--weights", options->weights.path,
                          "Initial weights: .safetensors, .npz, .h5, .keras, .pt or .pkl (default: "
                          "those in MODEL, if any)");
  command
      ->add_option("--map", options->weights.map,
                   "File of lines model_name = file_name for --weights")
      ->needs(weights);
  command->add_flag("--embed-weights", options->embed_weights,
                    "Compile a library's weights into it instead of writing OUT.safetensors");
  command
      ->add_option("--passes", options->passes,
                   "Run these graph passes alone (comma-separated) and print the graph; with "
                   "--emit=ir")
      ->check(check_graph_passes);
  command->callback([&tool, options] {
    check_usage(*options);
    forget_repeated_kinds(*options);
    tool.action = [&tool, options] { return run_compile(*options, tool); };
  });
}

} // namespace sinter

#include "backends/program/build.h"

#include "backends/program/description.h"
#include "backends/program/header.h"
#include "backends/program/host_module.h"
#include "backends/program/initial_weights.h"
#include "backends/program/link.h"
#include "backends/program/packages.h"
#include "backends/program/staged_files.h"
#include "runtime/sinter_runtime.h"

#include <algorithm>
#include <cctype>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

namespace sinter {

namespace {

std::filesystem::path output_path(const BuildOptions &options) {
  std::filesystem::path path(options.output);
  if (path.filename().empty() || path.filename() == "." || path.filename() == "..")
    throw CompileError({}, "the output path \"{}\" names no file", options.output);
  return path;
}

std::string content_of(const std::string &path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

/// FILE.before, or the first of FILE.before.2, FILE.before.3, ... that is not there.
std::string name_to_keep(const StagedFiles &files, const std::string &name) {
  std::string kept = name + ".before";
  for (int number = 2; std::filesystem::exists(files.destination(kept)); ++number)
    kept = fmt::format("{}.before.{}", name, number);
  return kept;
}

class Builder {
public:
  Builder(const Program &program, const BuildOptions &options, Diagnostics &diagnostics)
      : program_(program), options_(options), diagnostics_(diagnostics),
        path_(output_path(options)),
        stem_(path_.filename().string()), compiled_{program,
                                                    describe_interface(program, diagnostics),
                                                    c_identifier(program.name),
                                                    options.target,
                                                    variants_for_target(options.target),
                                                    {}},
        weights_(pack_weights(program, options.weights)), files_(path_.parent_path()) {}

  BuildResult run();

private:
  bool wants(Emit kind) const {
    return std::find(options_.emit.begin(), options_.emit.end(), kind) != options_.emit.end();
  }
  void check_library_name() const;
  bool wants_library() const { return wants(Emit::lib) || wants(Emit::shared); }
  bool has_weights_file() const { return wants_library() && !options_.embed_weights; }
  bool embeds_weights(ModuleForm form) const {
    return !options_.weights.empty() && (form == ModuleForm::executable || options_.embed_weights);
  }

  template <typename Stage> void timed(const char *stage, const Stage &run);
  void compile();
  void write_kernels();
  HostModule module(ModuleForm, ModuleOutput) const;
  std::vector<std::string> objects(ModuleForm);
  void make_executable();
  void make_libraries();
  void make_packages();
  void make_initial_weights();
  void make_texts();

  const Program &program_;
  const BuildOptions &options_;
  Diagnostics &diagnostics_;
  std::filesystem::path path_;
  std::string stem_;
  CompiledProgram compiled_;
  PackedWeights weights_;
  StagedFiles files_;
  std::string description_;
  std::vector<std::string> kernel_paths_;
  std::vector<std::string> exports_; // of the latest objects
  BuildResult result_;
};

template <typename Stage> void Builder::timed(const char *stage, const Stage &run) {
  const auto begin = std::chrono::steady_clock::now();
  run();
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - begin;
  result_.times.push_back({stage, elapsed.count()});
}

void Builder::compile() {
  std::vector<const Plan *> plans;
  std::vector<sinter_phase> phases;
  const auto add = [&](sinter_phase phase, const Plan &plan) {
    plans.push_back(&plan);
    phases.push_back(phase);
  };
  if (program_.prepare)
    add(SINTER_PREPARE, *program_.prepare);
  add(SINTER_INFER, program_.infer);
  if (program_.eval)
    add(SINTER_EVAL, *program_.eval);
  if (program_.train)
    add(SINTER_TRAIN, *program_.train);
  KernelOptions kernel_options;
  kernel_options.cache_dir = options_.cache_directory;
  kernel_options.tuning = options_.tuning;
  auto kernels = compile_kernels(plans, compiled_.variants, kernel_options);
  for (size_t i = 0; i < plans.size(); ++i)
    compiled_.phases[phases[i]] = {plans[i], std::move(kernels[i])};
  description_ = describe_program(compiled_);
}

void Builder::write_kernels() {
  std::set<std::string> written;
  for (const CompiledPhase &phase : compiled_.phases)
    for (const std::vector<KernelObject> &variant : phase.kernels)
      for (const KernelObject &kernel : variant) {
        if (!written.insert(kernel.symbol).second)
          continue;
        kernel_paths_.push_back(files_.write_scratch(kernel.symbol + ".o", *kernel.object));
        result_.kernels_compiled += kernel.cached ? 0 : 1;
        if (!kernel.unfit.empty() && !kernel.tuned->shipped)
          diagnostics_.warn({}, fmt::format("a tuning entry is ignored: {} does not fit the kernel "
                                            "{} ({})",
                                            kernel.unfit, kernel.symbol, kernel.algorithm));
      }
  result_.kernels = static_cast<int>(written.size());
}

HostModule Builder::module(ModuleForm form, ModuleOutput output) const {
  return emit_host_module(compiled_, form, description_,
                          embeds_weights(form) ? weights_.offsets : WeightOffsets{}, output);
}

/// The host module's object first, then the weights', then the kernels'.
std::vector<std::string> Builder::objects(ModuleForm form) {
  const char *name = form == ModuleForm::executable ? "executable.o" : "library.o";
  std::vector<std::string> paths;
  timed("module", [&] {
    HostModule host = module(form, ModuleOutput::object);
    exports_ = std::move(host.exports);
    paths.push_back(files_.write_scratch(name, host.code));
    if (embeds_weights(form))
      paths.push_back(files_.write_scratch("weights.o", weights_object(weights_.bytes)));
  });
  paths.insert(paths.end(), kernel_paths_.begin(), kernel_paths_.end());
  return paths;
}

void Builder::make_executable() {
  const std::vector<std::string> paths = objects(ModuleForm::executable);
  timed("link", [&] { link_executable(paths, files_.stage(stem_)); });
}

void Builder::make_libraries() {
  const std::vector<std::string> paths = objects(ModuleForm::library);
  timed("link", [&] {
    if (wants(Emit::lib)) {
      const std::string object = files_.scratch("relocatable.o");
      link_relocatable(paths, exports_, object);
      make_archive(object, stem_ + ".o", files_.stage("lib" + stem_ + ".a"));
    }
    if (wants(Emit::shared)) {
      const std::string library = "lib" + stem_ + ".so";
      link_shared(paths, exports_, library, files_.scratch("exports"), files_.stage(library));
    }
    if (wants(Emit::obj))
      link_relocatable(paths, exports_, files_.stage(stem_ + ".o"));
  });
}

void Builder::make_packages() {
  const LibraryPackage package{stem_, wants(Emit::lib), wants(Emit::shared)};
  files_.write(stem_ + ".pc", pkg_config_file(package));
  files_.write(stem_ + "Config.cmake", cmake_config_file(package));
  if (has_weights_file())
    make_initial_weights();
}

// The file that is there may hold weights that the user has trained since, and so may each that was
// kept before.
void Builder::make_initial_weights() {
  const std::string name = stem_ + ".safetensors";
  const std::string path = files_.stage(name);
  const std::string destination = files_.destination(name);
  write_initial_weights(program_, weights_, path, destination);
  if (!std::filesystem::is_regular_file(destination) || content_of(path) == content_of(destination))
    return;
  const std::string kept = name_to_keep(files_, name);
  std::filesystem::copy_file(destination, files_.stage(kept));
  diagnostics_.warn({}, fmt::format("{} held other weights: they are in {} now", destination,
                                    files_.destination(kept)));
}

void Builder::make_texts() {
  const ModuleForm form =
      wants(Emit::exe) || !wants_library() ? ModuleForm::executable : ModuleForm::library;
  if (wants(Emit::llvm))
    files_.write(stem_ + ".ll", module(form, ModuleOutput::llvm).code);
  if (wants(Emit::assembly))
    files_.write(stem_ + ".s",
                 module(form, ModuleOutput::assembly).code + options_.kernel_assembly);
  for (const TextFile &text : options_.texts)
    files_.write(stem_ + text.extension, text.content);
}

// Linkers, pkg-config and CMake all read a library's name as one word.
void Builder::check_library_name() const {
  const auto fits = [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || std::strchr("._+-", c) != nullptr;
  };
  if (wants_library() && !std::all_of(stem_.begin(), stem_.end(), fits))
    throw CompileError({},
                       "a library cannot be called \"{}\": only letters, digits and . _ + - can "
                       "be part of its name",
                       stem_);
}

BuildResult Builder::run() {
  check_library_name();
  timed("kernels", [&] { compile(); });
  write_kernels();
  if (wants(Emit::exe))
    make_executable();
  if (wants_library() || wants(Emit::obj))
    make_libraries();
  if (wants_library() || wants(Emit::obj) || wants(Emit::header))
    files_.write(stem_ + ".h", library_header(compiled_, stem_, has_weights_file()));
  if (wants_library())
    make_packages();
  make_texts();
  result_.files = files_.publish();
  return std::move(result_);
}

} // namespace

BuildResult build_outputs(const Program &program, const BuildOptions &options,
                          Diagnostics &diagnostics) {
  return Builder(program, options, diagnostics).run();
}

} // namespace sinter

// run, train, evaluate, predict, bench: compile into the cache, then become the built program.
#include "backends/program/build.h"
#include "tools/command.h"
#include "tools/compile_model.h"
#include "tools/options.h"
#include "tools/output_file.h"
#include "tools/program_cache.h"
#include "tools/report_errors.h"
#include "tools/weights_argument.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <ostream>
#include <unistd.h>

namespace sinter {

namespace {

struct ProgramCommandOptions {
  std::string command; // "train"
  ModelOptions model;
  BackendOptions backend;
  std::string map;                    // for --weights, which goes to the program
  std::vector<std::string> arguments; // for the program
};

/// Builds the program at `path`, unless it is there.
void build_program_file(const LoadedModel &loaded, const ProgramCommandOptions &options,
                        const Tuning &tuning, const std::string &path, Tool &tool) {
  if (std::filesystem::exists(path))
    return;
  BuildOptions build;
  build.output = path;
  build.target = options.backend.target;
  build.cache_directory = cache_directory(options.backend.cache);
  build.tuning = tuning.kernels();
  build.weights = initial_weights(loaded, {});
  build_outputs(
      build_program_for(loaded.model, stem(options.model.path), options.backend, tuning, {}, tool),
      build, tool.diagnostics);
}

/// Replaces this process by the program. It runs from an open file, so its path may go before it
/// starts.
[[noreturn]] void become(int program, std::vector<std::string> arguments) {
  std::vector<char *> pointers;
  for (std::string &argument : arguments)
    pointers.push_back(argument.data());
  pointers.push_back(nullptr);
  ::fexecve(program, pointers.data(), environ);
  throw CompileError({}, "cannot run {}: {}", arguments.front(), std::strerror(errno));
}

int open_program(const std::string &path) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0)
    throw CompileError({}, "cannot open {}: {}", path, std::strerror(errno));
  return file;
}

/// The folder of the program in the cache; "" when there is no cache that could hold it.
std::string cached_folder(const LoadedModel &loaded, const ProgramCommandOptions &options,
                          const Tuning &tuning) {
  const std::string cache = cache_directory(options.backend.cache);
  if (cache.empty())
    return "";
  std::string folder =
      fmt::format("{}/programs/{}", cache, program_key(loaded, options.backend, tuning));
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  return error ? "" : folder;
}

int run_program_command(const ProgramCommandOptions &options, Tool &tool) {
  const LoadedModel loaded = load_model_and_warn(options.model, tool);
  const std::string program_name = stem(options.model.path);
  const Tuning tuning = load_tuning_for(options.backend);
  const std::string folder = cached_folder(loaded, options, tuning);
  int program = -1;
  if (folder.empty()) {
    const TemporaryFolder temporary;
    build_program_file(loaded, options, tuning, temporary.path() + "/" + program_name, tool);
    program = open_program(temporary.path() + "/" + program_name);
  } else {
    build_program_file(loaded, options, tuning, folder + "/" + program_name, tool);
    keep_recent_programs(folder);
    program = open_program(folder + "/" + program_name);
  }
  std::vector<std::string> arguments{program_name, options.command};
  arguments.insert(arguments.end(), options.arguments.begin(), options.arguments.end());
  convert_weights_argument(arguments, loaded.model, options.map);
  print_warnings(tool);
  tool.out.flush();
  tool.err.flush();
  become(program, std::move(arguments));
}

void add_program_command(CLI::App &app, Tool &tool, const char *name, const char *description) {
  CLI::App *command = app.add_subcommand(name, description);
  command->allow_extras();
  command->footer("Everything else goes to the program: see `sinter compile` and OUT " +
                  std::string(name) + " --help.");
  auto options = std::make_shared<ProgramCommandOptions>();
  options->command = name;
  add_model_option(*command, options->model);
  add_backend_options(*command, options->backend, "host");
  command->add_option("--map", options->map, "File of lines model_name = file_name for --weights");
  command->callback([&tool, options, command] {
    options->arguments = command->remaining();
    tool.action = [&tool, options] { return run_program_command(*options, tool); };
  });
}

} // namespace

void add_program_commands(CLI::App &app, Tool &tool) {
  add_program_command(app, tool, "run", "Compute a model's output for given inputs");
  add_program_command(app, tool, "train", "Compile the model and train it");
  add_program_command(app, tool, "evaluate", "Compile the model and evaluate its weights");
  add_program_command(app, tool, "predict", "Compile the model and classify images or arrays");
  add_program_command(app, tool, "bench", "Compile the model and time its kernels");
}

} // namespace sinter

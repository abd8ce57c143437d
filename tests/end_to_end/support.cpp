#include "tests/end_to_end/support.h"

#include "passes/pipeline.h"
#include "tests/paths.h"

#include <array>
#include <cstdio>
#include <filesystem>
#include <sys/wait.h>

namespace sinter {

CommandResult run_command(const std::string &command) {
  CommandResult result;
  FILE *pipe = popen(("{ " + command + "\n} 2>&1").c_str(), "r");
  if (pipe == nullptr)
    return {-1, "popen failed"};
  std::array<char, 4096> buffer{};
  for (size_t count; (count = fread(buffer.data(), 1, buffer.size(), pipe)) > 0;)
    result.output.append(buffer.data(), count);
  const int status = pclose(pipe);
  result.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return result;
}

std::string fresh_folder(const std::string &name) {
  const std::string folder = build_path("tests/end_to_end/" + name);
  std::filesystem::remove_all(folder);
  std::filesystem::create_directories(folder);
  return folder;
}

BuildResult build_model(const Model &model, const std::string &prefix, BuildOptions options,
                        ProgramOptions program_options) {
  program_options.name = prefix;
  return build_cached(build_program(model, program_options), std::move(options));
}

BuildResult build_cached(const Program &program, BuildOptions options) {
  options.cache_directory = build_path("tests/kernel_cache");
  Diagnostics diagnostics;
  return build_outputs(program, options, diagnostics);
}

} // namespace sinter

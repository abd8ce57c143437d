// Running commands and building models in the end-to-end tests.
#pragma once

#include "backends/program/build.h"
#include "ir/model.h"
#include "passes/pipeline.h"

#include <string>

namespace sinter {

struct CommandResult {
  int status = 0;     // exit code; 128 + signal when killed
  std::string output; // standard output and standard error
};

/// Runs a shell command.
CommandResult run_command(const std::string &command);

/// An empty folder below the build folder.
std::string fresh_folder(const std::string &name);

/// Plans and builds a model; kernels come from a cache that all tests share.
BuildResult build_model(const Model &, const std::string &prefix, BuildOptions,
                        ProgramOptions = {});
/// The same of a program.
BuildResult build_cached(const Program &, BuildOptions);

} // namespace sinter

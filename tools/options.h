// What several subcommands share: reading the model, the target, the cache.
#pragma once

#include "frontend/load_model.h"
#include "passes/pipeline.h"
#include "tools/command.h"
#include "tuning/tuning.h"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace sinter {

/// For CLI::Option::check: the argument must end in one of `endings` (".svg").
std::function<std::string(const std::string &)> must_end_in(std::vector<std::string> endings);

/// The MODEL argument of a subcommand.
struct ModelOptions {
  std::string path;
  std::vector<std::string> dimensions; // "NAME=N", of an ONNX file
  float scale = 0;                     // what images' bytes are divided by; 0: as the model says
};
void add_model_option(CLI::App &command, ModelOptions &);

/// Loads MODEL and prints its warnings on `tool.err`.
LoadedModel load_model_and_warn(const ModelOptions &, Tool &);

/// --target, --math, --precision, --max-memory, --memory-batch, --cache and --tuning.
struct BackendOptions {
  std::string target;
  Math math = Math::fast;
  Precision precision = Precision::f32;
  std::optional<int64_t> max_memory; // bytes
  int64_t memory_batch = 0;          // 0: the batch that the model trains with
  std::string cache;                 // DIR, "off", or "" for the default
  std::string tuning;                // FILE, "off", or "" for the default
};
void add_backend_options(CLI::App &command, BackendOptions &, const std::string &default_target);
/// The same without --tuning.
void add_target_options(CLI::App &command, BackendOptions &, const std::string &default_target);

/// The directory that --cache means: DIR, "" for "off", by default $XDG_CACHE_HOME/sinter or
/// ~/.cache/sinter ("" when neither variable is set).
std::string cache_directory(const std::string &option);

/// The user's own tuning database: tuning.json in the cache; "" when there is none.
std::string default_tuning_path(const BackendOptions &);

/// What --tuning means: nothing for "off"; else the table that comes with the compiler, behind FILE
/// or the default database. Throws CompileError for a FILE that is not there, or no database.
Tuning load_tuning_for(const BackendOptions &);

/// "fashion_cnn" of "examples/fashion_cnn.py".
std::string stem(const std::string &path);

/// Registers `action` to run when `command` is the one named on the command line.
template <typename Options>
void set_action(CLI::App &command, Tool &tool, std::shared_ptr<Options> options,
                int (*action)(const Options &, Tool &)) {
  command.callback([&tool, options, action] {
    tool.action = [&tool, options, action] { return action(*options, tool); };
  });
}

} // namespace sinter

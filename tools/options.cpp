#include "tools/options.h"

#include <cstdlib>
#include <filesystem>
#include <fmt/ostream.h>
#include <ostream>

namespace sinter {

void add_model_option(CLI::App &command, ModelOptions &options) {
  command.add_option("MODEL", options.path, "Model script (.py) or IR text (.sir)")->required();
}

LoadedModel load_model_and_warn(const ModelOptions &options, Tool &tool) {
  LoadedModel model = load_model(options.path, {}, tool.diagnostics);
  print_warnings(tool);
  return model;
}

void add_backend_options(CLI::App &command, BackendOptions &options,
                         const std::string &default_target) {
  options.target = default_target;
  command
      .add_option("--target", options.target,
                  "host, x86-64 (portable), or a Halide target string; see `sinter targets`")
      ->capture_default_str();
  command.add_option("--cache", options.cache,
                     "Directory of compiled kernels, or off (default: the user's cache)");
}

std::string cache_directory(const std::string &option) {
  if (option == "off")
    return "";
  if (!option.empty())
    return option;
  const char *xdg = std::getenv("XDG_CACHE_HOME");
  if (xdg && *xdg)
    return std::string(xdg) + "/sinter";
  const char *home = std::getenv("HOME");
  return home && *home ? std::string(home) + "/.cache/sinter" : "";
}

std::string stem(const std::string &path) { return std::filesystem::path(path).stem().string(); }

} // namespace sinter

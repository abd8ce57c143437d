#include "tools/options.h"

#include "frontend/ends_with.h"
#include "frontend/file_data.h"

#include <charconv>
#include <cstdlib>
#include <filesystem>
#include <fmt/ostream.h>
#include <limits>
#include <map>
#include <optional>
#include <ostream>

namespace sinter {

namespace {

/// NAME=N, or nothing.
std::optional<std::pair<std::string, int64_t>> parse_dimension(const std::string &argument) {
  const size_t equals = argument.rfind('=');
  if (equals == std::string::npos)
    return std::nullopt;
  const char *end = argument.data() + argument.size();
  int64_t extent = 0;
  const auto parsed = std::from_chars(argument.data() + equals + 1, end, extent);
  if (parsed.ec != std::errc() || parsed.ptr != end || extent < 1 || extent > kMaxElements)
    return std::nullopt;
  return std::pair(argument.substr(0, equals), extent);
}

std::string check_dimension(const std::string &argument) {
  return parse_dimension(argument)
             ? ""
             : fmt::format("takes NAME=N with a positive number, got '{}'", argument);
}

} // namespace

std::function<std::string(const std::string &)> must_end_in(std::vector<std::string> endings) {
  return [endings = std::move(endings)](const std::string &argument) -> std::string {
    for (const std::string &ending : endings)
      if (ends_with(argument, ending))
        return "";
    return fmt::format("'{}' must end in {}", argument, fmt::join(endings, " or "));
  };
}

void add_model_option(CLI::App &command, ModelOptions &options) {
  command
      .add_option(
          "MODEL", options.path,
          "Model script (.py), saved Keras model (.keras, .h5, .json), ONNX (.onnx), IR text "
          "(.sir), or what a program trained (.safetensors)")
      ->required();
  command
      .add_option("--dim", options.dimensions,
                  "NAME=N: the extent of a dimension that an ONNX file leaves open")
      ->allow_extra_args(false)
      ->check(check_dimension);
  command
      .add_option("--scale", options.scale,
                  "Divide images' bytes by this; 1: feed them as they are (default: as the script "
                  "says, 255 for a saved model)")
      ->check(CLI::PositiveNumber);
}

LoadedModel load_model_and_warn(const ModelOptions &options, Tool &tool) {
  LoadOptions load;
  for (const std::string &argument : options.dimensions) {
    const auto dimension = parse_dimension(argument);
    SINTER_ASSERT(dimension, "--dim={} was not checked", argument);
    load.dimensions[dimension->first] = dimension->second;
  }
  LoadedModel model = load_model(options.path, load, tool.diagnostics);
  print_warnings(tool);
  if (options.scale > 0) {
    if (!model.model.data)
      model.model.data = default_data(model.model);
    model.model.data->scaling = divide_by(options.scale);
  }
  return model;
}

void add_backend_options(CLI::App &command, BackendOptions &options,
                         const std::string &default_target) {
  add_target_options(command, options, default_target);
  command.add_option("--tuning", options.tuning,
                     "Database of `sinter tune`, or off (default: tuning.json in the cache)");
}

void add_target_options(CLI::App &command, BackendOptions &options,
                        const std::string &default_target) {
  options.target = default_target;
  command
      .add_option("--target", options.target,
                  "host, x86-64 (portable), opencl, host,opencl, or a Halide target string; see "
                  "`sinter targets`")
      ->capture_default_str();
  command
      .add_option("--math", options.math,
                  "fast: algorithms whose rounding stays within 2e-5 of the largest result; exact: "
                  "sums of products as the model states them")
      ->transform(CLI::CheckedTransformer(
          std::map<std::string, Math>{{"fast", Math::fast}, {"exact", Math::exact}}))
      ->default_str("fast");
  command
      .add_option(
          "--precision", options.precision,
          "bf16: multiplies numbers rounded to bf16, by AMX where the processor has it; parameters "
          "and sums stay f32")
      ->transform(CLI::CheckedTransformer(
          std::map<std::string, Precision>{{"f32", Precision::f32}, {"bf16", Precision::bf16}}))
      ->default_str("f32");
  command
      .add_option(
          "--max-memory", options.max_memory,
          "SIZE in bytes or with K, M or G: training computes activations again rather than "
          "need more; what cannot fit is an error")
      ->transform(CLI::AsSizeValue(/*kb_is_1000=*/false))
      ->check(CLI::PositiveNumber);
  command
      .add_option("--memory-batch", options.memory_batch,
                  "Batch size of --max-memory and of explain's report (default: the one that the "
                  "model trains with)")
      ->check(CLI::Range(1, std::numeric_limits<int32_t>::max()));
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

std::string default_tuning_path(const BackendOptions &options) {
  const std::string cache = cache_directory(options.cache);
  return cache.empty() ? "" : cache + "/tuning.json";
}

Tuning load_tuning_for(const BackendOptions &options) {
  if (options.tuning == "off")
    return {};
  if (!options.tuning.empty() && !std::filesystem::exists(options.tuning))
    throw CompileError({}, "--tuning: there is no {}", options.tuning);
  const std::string path = options.tuning.empty() ? default_tuning_path(options) : options.tuning;
  return {path.empty() ? TuningDatabase() : load_tuning(path), shipped_tuning()};
}

std::string stem(const std::string &path) { return std::filesystem::path(path).stem().string(); }

} // namespace sinter

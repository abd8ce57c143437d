// sinter tune: search for what is faster on this machine than what the cost models choose.
#include "backends/halide/device.h"
#include "runtime/sinter_runtime.h"
#include "tools/command.h"
#include "tools/compile_model.h"
#include "tools/options.h"
#include "tools/report_errors.h"
#include "tools/text_table.h"
#include "tuning/tune.h"

#include <algorithm>
#include <cstdlib>
#include <fmt/ostream.h>
#include <limits>
#include <ostream>

namespace sinter {

namespace {

struct TuneCommandOptions {
  ModelOptions model;
  BackendOptions backend;
  double seconds = 60;
  int32_t batch = 0;   // 0: default_settings
  int32_t threads = 0; // 0: default_settings
  std::string database;
  bool train = false, inference = false;
};

std::vector<StepSetting> settings_for(const Model &model, const TuneCommandOptions &options) {
  if (options.train && !model.training)
    throw CompileError({}, "{} has no training to tune: it does not call compile()",
                       options.model.path);
  std::vector<StepSetting> settings = default_settings(model, !options.train, !options.inference);
  std::vector<StepSetting> distinct;
  for (StepSetting &setting : settings) {
    setting.batch = options.batch > 0 ? options.batch : setting.batch;
    setting.threads = options.threads > 0 ? options.threads : setting.threads;
    const auto same = [&](const StepSetting &known) { return known.text() == setting.text(); };
    if (std::none_of(distinct.begin(), distinct.end(), same))
      distinct.push_back(setting);
  }
  return distinct;
}

/// "60", "60s", "2m"
std::string read_seconds(std::string &argument) {
  std::string number = argument;
  double factor = 1;
  if (!number.empty() && (number.back() == 's' || number.back() == 'm')) {
    factor = number.back() == 'm' ? 60 : 1;
    number.pop_back();
  }
  char *end = nullptr;
  const double seconds = std::strtod(number.c_str(), &end) * factor;
  if (number.empty() || *end != '\0' || !(seconds > 0 && seconds <= 86400))
    return fmt::format("takes a time such as 60s or 5m, got '{}'", argument);
  argument = fmt::format("{}", seconds);
  return "";
}

void report(const TuneResult &result, const std::string &path, Tool &tool) {
  TextTable steps({{"Step", Align::left},
                   {"Before, ms", Align::right},
                   {"After, ms", Align::right},
                   {"Gain", Align::right}});
  for (const TunedStep &step : result.steps)
    steps.add_row({step.setting.text(), fmt::format("{:.4f}", step.estimated_seconds * 1e3),
                   fmt::format("{:.4f}", step.seconds * 1e3),
                   fmt::format("{:+.1f}%", (step.estimated_seconds / step.seconds - 1) * 100)});
  for (const TuningEntry &entry : result.found)
    fmt::print(tool.out, "{}: {}, {:.1f} us instead of {:.1f}\n",
               entry.name.empty() ? entry.key : entry.name, choice_text(entry.choice),
               entry.microseconds, entry.estimated_microseconds);
  fmt::print(tool.out, "{}", steps.str());
  if (result.found.empty())
    fmt::print(tool.out, "nothing is faster: the database stays as it is\n");
  else
    fmt::print(tool.out, "{} choices written to {}\n", result.found.size(), path);
}

int run_tune(const TuneCommandOptions &options, Tool &tool) {
  const std::string path =
      options.database.empty() ? default_tuning_path(options.backend) : options.database;
  if (path.empty())
    throw CompileError({}, "there is no place for what is found: give --database=FILE");
  const Model model = load_model_and_warn(options.model, tool).model;
  TuneOptions tune_options;
  tune_options.target = options.backend.target;
  if (targets_device(tune_options.target))
    throw CompileError({}, "schedules of a device cannot be tuned yet, got target {}",
                       tune_options.target);
  const std::string variant = variants_for_target(tune_options.target).back().name;
  const char *name = variant.c_str();
  if (sinter_choose_variant(&name, 1) < 0)
    throw CompileError({}, "kernels for {} cannot be timed here: {}", tune_options.target,
                       sinter_last_error());
  tune_options.cache_directory = cache_directory(options.backend.cache);
  tune_options.program.math = options.backend.math;
  tune_options.program.precision = options.backend.precision;
  tune_options.program.name = c_identifier(stem(options.model.path));
  tune_options.program.train = !options.inference;
  update_tuning(path, {}, {}); // a broken file, or one that cannot be written, is refused at once
  tune_options.known = {load_tuning(path), shipped_tuning()};
  tune_options.settings = settings_for(model, options);
  tune_options.seconds = options.seconds;
  tune_options.log = [&](const std::string &text) { tool.err << text << "\n"; };
  const TuneResult result = tune(model, tune_options);
  if (!result.found.empty())
    update_tuning(path, result.found, result.withdrawn);
  report(result, path, tool);
  return kExitOk;
}

} // namespace

void add_tune_command(CLI::App &app, Tool &tool) {
  CLI::App *command = app.add_subcommand(
      "tune", "Search for algorithms and schedules that are faster on this machine");
  auto options = std::make_shared<TuneCommandOptions>();
  add_model_option(*command, options->model);
  add_target_options(*command, options->backend, "host");
  command->add_option("--time", options->seconds, "How long to search: 60s, 5m")
      ->transform(CLI::Validator(read_seconds, "TIME"))
      ->default_str("60s");
  command->add_option("--batch", options->batch, "Batch size (default: 1, and the training's)")
      ->check(CLI::Range(1, std::numeric_limits<int32_t>::max()));
  command->add_option("--threads", options->threads, "Threads (default: 1, and one a processor)")
      ->check(CLI::Range(1, SINTER_MAX_THREADS));
  command->add_option("--database", options->database,
                      "Where to put what is found (default: tuning.json in the cache)");
  CLI::Option *train = command->add_flag("--train", options->train, "Training steps alone");
  command->add_flag("--inference", options->inference, "Inference alone")->excludes(train);
  set_action(*command, tool, options, run_tune);
}

} // namespace sinter

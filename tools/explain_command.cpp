#include "backends/halide/kernels.h"
#include "tools/command.h"
#include "tools/compile_model.h"
#include "tools/explain.h"
#include "tools/json_text.h"
#include "tools/options.h"
#include "tools/report_errors.h"

#include <ostream>

namespace sinter {

namespace {

struct ExplainOptions {
  ModelOptions model;
  BackendOptions backend;
  bool memory = false;
  bool json = false;
};

/// The kernels of every phase in one variant.
std::vector<std::vector<KernelObject>>
kernels_of(const std::vector<Phase> &phases, const Variant &variant, const KernelOptions &options) {
  std::vector<const Plan *> plans;
  for (const Phase &phase : phases)
    plans.push_back(phase.plan);
  std::vector<std::vector<KernelObject>> result;
  for (auto &variants : compile_kernels(plans, {variant}, options))
    result.push_back(std::move(variants.front()));
  return result;
}

int run_explain(const ExplainOptions &options, Tool &tool) {
  const Model model = load_model_and_warn(options.model, tool).model;
  const Tuning tuning = load_tuning_for(options.backend);
  const Program program =
      build_program_for(model, stem(options.model.path), options.backend, tuning, {}, tool);
  const Variant variant = variants_for_target(options.backend.target).back();
  KernelOptions kernels;
  kernels.cache_dir = cache_directory(options.backend.cache);
  kernels.tuning = tuning.kernels();
  const Explanation explanation =
      explain(program, variant.name, kernels_of(phases(program), variant, kernels), tuning,
              options.backend.memory_batch);
  if (options.json)
    tool.out << json_text(json(explanation)) << "\n";
  else
    tool.out << text(explanation, options.memory);
  return kExitOk;
}

} // namespace

void add_explain_command(CLI::App &app, Tool &tool) {
  CLI::App *command = app.add_subcommand(
      "explain", "Print which layers fused into which kernel, which did not and why, and memory");
  auto options = std::make_shared<ExplainOptions>();
  add_model_option(*command, options->model);
  add_backend_options(*command, options->backend, "host");
  command->add_flag("--memory", options->memory, "Also the place of every value");
  command->add_flag("--json", options->json, "As JSON");
  set_action(*command, tool, options, run_explain);
}

} // namespace sinter

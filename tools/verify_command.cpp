#include "backends/halide/device.h"
#include "backends/verify/check_gradients.h"
#include "backends/verify/check_kernels.h"
#include "backends/verify/random_inputs.h"
#include "passes/pipeline.h"
#include "runtime/sinter_runtime.h"
#include "tools/command.h"
#include "tools/compile_model.h"
#include "tools/emit_text.h"
#include "tools/json_text.h"
#include "tools/options.h"
#include "tools/report_errors.h"
#include "tools/text_table.h"

#include <algorithm>
#include <limits>
#include <ostream>

namespace sinter {

namespace {

struct VerifyOptions {
  ModelOptions model;
  BackendOptions backend;
  int64_t batch = 3; // no multiple of any block of samples
  int threads = 2;
  uint64_t seed = 1;
  bool check_grad = false;
  bool json = false;
};

struct Report {
  std::vector<KernelCheck> kernels; // "train/conv2d.0"; of several variants "avx2:train/conv2d.0"
  std::vector<GradientCheck> gradients;

  bool ok() const {
    const auto passed = [](const auto &check) { return check.ok; };
    return std::all_of(kernels.begin(), kernels.end(), passed) &&
           std::all_of(gradients.begin(), gradients.end(), passed);
  }
};

/// The variants of the target up to the one that a program would choose here.
std::vector<Variant> runnable_variants(const std::string &target) {
  std::vector<Variant> variants = variants_for_target(target);
  if (targets_device(target))
    throw CompileError({}, "kernels of a device cannot be verified yet, got target {}", target);
  std::vector<const char *> names;
  for (const Variant &variant : variants)
    names.push_back(variant.name.c_str());
  const int32_t best = sinter_choose_variant(names.data(), static_cast<int32_t>(names.size()));
  if (best < 0)
    throw CompileError({}, "kernels for {} cannot be verified here: {}", target,
                       sinter_last_error());
  variants.erase(variants.begin() + best + 1, variants.end());
  return variants;
}

/// Gives parameters the values that came with the model instead of random ones.
void give_weights(const Graph &graph, const std::map<std::string, WeightArray> &weights,
                  NamedArrays &inputs) {
  for (const auto &[parameter, array] : weights)
    if (graph.find_parameter(parameter).valid())
      inputs.at(parameter).values.assign(array.values.begin(), array.values.end());
}

/// What the program prepares from parameters, for random ones or those that came with the model.
NamedArrays prepared_values(const Program &program,
                            const std::map<std::string, WeightArray> &weights,
                            const VerifyOptions &options) {
  NamedArrays values;
  if (!program.prepare)
    return values;
  const Graph &graph = program.prepare->graph;
  values = random_inputs(graph, options.batch, options.seed);
  give_weights(graph, weights, values);
  evaluate_updates(graph, options.batch, values);
  for (auto value = values.begin(); value != values.end();) {
    const auto &parameter = attrs<ParameterAttrs>(graph[graph.find_parameter(value->first)]);
    value = parameter.role == "prepared" ? std::next(value) : values.erase(value);
  }
  return values;
}

/// Checks the phases' kernels in one variant; the last phase is the gradients' when asked for.
void verify_variant(const std::vector<Phase> &checked, const Variant &variant,
                    const std::string &prefix, const std::map<std::string, WeightArray> &weights,
                    const NamedArrays &prepared, const VerifyOptions &options, const Tuning &tuning,
                    Report &report) {
  std::vector<const Plan *> plans;
  for (const Phase &phase : checked)
    plans.push_back(phase.plan);
  KernelOptions kernel_options;
  kernel_options.cache_dir = cache_directory(options.backend.cache);
  kernel_options.tuning = tuning.kernels();
  const KernelLibrary library(plans, variant, kernel_options, options.threads);
  for (size_t i = 0; i < checked.size(); ++i) {
    const Plan &plan = *checked[i].plan;
    NamedArrays inputs = random_inputs(plan.graph, options.batch, options.seed);
    give_weights(plan.graph, weights, inputs);
    for (const auto &[parameter, value] : prepared)
      if (plan.graph.find_parameter(parameter).valid())
        inputs.at(parameter) = value;
    if (options.check_grad && i + 1 == checked.size()) {
      for (GradientCheck &check :
           check_gradients(library, i, plan, options.batch, inputs, options.seed)) {
        check.parameter = prefix + check.parameter;
        report.gradients.push_back(std::move(check));
      }
      continue;
    }
    for (KernelCheck &check : check_kernels(library, i, plan, options.batch, inputs)) {
      check.name = fmt::format("{}{}/{}", prefix, checked[i].name, check.name);
      report.kernels.push_back(std::move(check));
    }
  }
}

Report verify_model(const LoadedModel &loaded, const Program &program, const VerifyOptions &options,
                    const Tuning &tuning) {
  const Model &model = loaded.model;
  std::vector<Phase> checked = phases(program);
  Plan gradient_plan;
  if (options.check_grad) {
    if (!model.graph.find_output("loss").valid())
      throw CompileError({}, "{} has no loss to differentiate: it does not call compile()",
                         options.model.path);
    gradient_plan = build_gradient_plan(model);
    checked.push_back({"gradient", &gradient_plan});
  }
  const NamedArrays prepared = prepared_values(program, loaded.weights, options);
  const std::vector<Variant> variants = runnable_variants(options.backend.target);
  Report report;
  for (const Variant &variant : variants)
    verify_variant(checked, variant, variants.size() > 1 ? variant.name + ":" : "", loaded.weights,
                   prepared, options, tuning, report);
  return report;
}

std::string text(const Report &report) {
  TextTable kernels({{"Kernel", Align::left},
                     {"Algorithm", Align::left},
                     {"Max abs error", Align::right},
                     {"Max rel error", Align::right},
                     {"", Align::left}});
  for (const KernelCheck &check : report.kernels)
    kernels.add_row({check.name, check.algorithm, fmt::format("{:.2e}", check.max_abs_error),
                     fmt::format("{:.2e}", check.max_rel_error),
                     check.ok                ? "ok"
                     : check.problem.empty() ? "FAILED"
                                             : check.problem});
  std::string result =
      kernels.str() +
      fmt::format("tolerance {} of each output's largest magnitude\n", kKernelTolerance);
  if (report.gradients.empty())
    return result;
  TextTable gradients(
      {{"Gradient of", Align::left}, {"Max rel error", Align::right}, {"", Align::left}});
  for (const GradientCheck &check : report.gradients)
    gradients.add_row(
        {check.parameter, fmt::format("{:.2e}", check.max_rel_error), check.ok ? "ok" : "FAILED"});
  return result + gradients.str() +
         fmt::format("tolerance {} of each gradient's size, float32 against float64 central "
                     "differences\n",
                     kGradientTolerance);
}

nlohmann::ordered_json json(const Report &report) {
  nlohmann::ordered_json kernels = nlohmann::ordered_json::array();
  for (const KernelCheck &check : report.kernels)
    kernels.push_back({{"name", check.name},
                       {"algorithm", check.algorithm},
                       {"max_abs_error", check.max_abs_error},
                       {"max_rel_error", check.max_rel_error},
                       {"ok", check.ok},
                       {"problem", check.problem}});
  nlohmann::ordered_json gradients = nlohmann::ordered_json::array();
  for (const GradientCheck &check : report.gradients)
    gradients.push_back(
        {{"parameter", check.parameter}, {"max_rel_error", check.max_rel_error}, {"ok", check.ok}});
  return {{"kernels", kernels},
          {"gradients", gradients},
          {"kernel_tolerance", kKernelTolerance},
          {"gradient_tolerance", kGradientTolerance},
          {"ok", report.ok()}};
}

int run_verify(const VerifyOptions &options, Tool &tool) {
  const LoadedModel loaded = load_model_and_warn(options.model, tool);
  const Tuning tuning = load_tuning_for(options.backend);
  const Program program =
      build_program_for(loaded.model, stem(options.model.path), options.backend, tuning, {}, tool);
  const Report report = verify_model(loaded, program, options, tuning);
  if (options.json)
    tool.out << json_text(json(report)) << "\n";
  else
    tool.out << text(report) << (report.ok() ? "all ok\n" : "FAILED\n");
  return report.ok() ? kExitOk : kExitUserError;
}

} // namespace

void add_verify_command(CLI::App &app, Tool &tool) {
  CLI::App *command = app.add_subcommand(
      "verify", "Compare every compiled kernel with the float64 reference interpreter");
  auto options = std::make_shared<VerifyOptions>();
  add_model_option(*command, options->model);
  add_backend_options(*command, options->backend, "host");
  command->add_flag("--check-grad", options->check_grad,
                    "Also every gradient with central differences");
  command->add_option("--batch", options->batch, "Batch size")
      ->check(CLI::Range(1, std::numeric_limits<int32_t>::max()))
      ->capture_default_str();
  command->add_option("--threads", options->threads, "Threads that kernels run on")
      ->check(CLI::Range(1, SINTER_MAX_THREADS))
      ->capture_default_str();
  command->add_option("--seed", options->seed, "Of the random inputs")->capture_default_str();
  command->add_flag("--json", options->json, "As JSON");
  set_action(*command, tool, options, run_verify);
}

} // namespace sinter

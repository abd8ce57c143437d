// The pass pipelines, as data, and the whole way from a model to a program.
#pragma once

#include "ir/program.h"
#include "passes/choose_algorithms.h"
#include "passes/run_passes.h"

#include <optional>

namespace sinter {

/// Every graph pass by name, for `--passes=` and the tests. add-optimizer stands here with a
/// default OptimizerSpec.
const std::vector<Pass> &all_passes();
/// The pass of that name, or nullptr.
const Pass *find_pass(std::string_view name);

/// Which algorithms a program may use: those whose rounding errors are a direct convolution's, or
/// also those that stay within 2e-5 of the largest result.
enum class Math { fast, exact };

/// What convolutions and matrix products multiply, and their gradients; sums are float32.
enum class Precision { f32, bf16 };

struct ProgramOptions {
  std::string name;  // C identifier; "" takes the model's
  bool train = true; // false: --no-train
  Math math = Math::fast;
  Precision precision = Precision::f32;
  TunedAlgorithms algorithms;        // empty: estimates alone
  std::optional<int64_t> max_memory; // bytes, as measure_memory counts them for `batch`
  int64_t batch = 0;                 // 0: the training's, or 1
  PassOptions passes;
};

/// On a forward graph whose outputs are predictions, or the loss and the metrics; with the
/// algorithms and the arithmetic that the options allow.
std::vector<Pass> inference_pipeline(const ProgramOptions &);
/// On a forward graph whose outputs are the loss and the metrics, up to and with the gradients:
/// outputs "gradient:<parameter>" beside them.
const std::vector<Pass> &gradient_pipeline();
/// The same, with updates in place of the gradients.
std::vector<Pass> training_pipeline(const OptimizerSpec &);

/// The fusion passes in the order in which build_program runs them, before plan-memory.
const std::vector<PlanPass> &all_plan_passes();
const PlanPass *find_plan_pass(std::string_view name);

std::vector<std::string_view> graph_pass_names();
/// The same, the fusion passes and plan-memory: every name that PassOptions may see.
std::vector<std::string_view> all_pass_names();

/// forward model -> choose layout -> {prepare, infer, eval, train} graphs -> plans with memory.
Program build_program(const Model &, const ProgramOptions &);

/// The train graph whose outputs also name every trainable parameter's gradient
/// ("gradient:conv2d/kernel") and which updates nothing: for --check-grad. Parameters lie where
/// build_program puts them.
Plan build_gradient_plan(const Model &, Precision = Precision::f32);

} // namespace sinter

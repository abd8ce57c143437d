// The pass pipelines, as data, and the whole way from a model to a program.
#pragma once

#include "ir/program.h"
#include "passes/run_passes.h"

namespace sinter {

/// Every graph pass by name, for `--passes=` and the tests.
const std::vector<Pass> &all_passes();

struct ProgramOptions {
  std::string name;  // C identifier; "" takes the model's
  bool train = true; // false: --no-train
  PassOptions passes;
};

/// forward model -> choose layout -> {infer, eval, train} graphs -> plans with memory.
Program build_program(const Model &, const ProgramOptions &);

/// The train graph whose outputs also name every trainable parameter's gradient
/// ("gradient:conv2d/kernel") and which updates nothing: for --check-grad.
Plan build_gradient_plan(const Model &);

} // namespace sinter

// Every option that a schedule lists: it is another kernel, and a right one.
#include "backends/verify/check_kernels.h"
#include "backends/verify/random_inputs.h"
#include "ir/op.h"
#include "ir/parse.h"
#include "passes/choose_algorithms.h"
#include "passes/make_plan.h"
#include "passes/pipeline.h"
#include "passes/plan_memory.h"
#include "tests/paths.h"
#include "tests/properties/op_cases.h"

#include <doctest/doctest.h>
#include <map>

using namespace sinter;

namespace {

constexpr int64_t kBatchSize = 3;

Plan fused_plan(const Graph &graph) {
  Plan plan = make_plan(graph);
  for (const PlanPass &pass : all_plan_passes())
    pass.run(plan);
  plan_memory(plan, place_parameters({&graph}));
  return plan;
}

/// Every option of every decision of a kernel, the others as estimated.
std::vector<KernelChoice> choices_of(const Plan &plan, int kernel, const Variant &variant) {
  std::vector<KernelChoice> choices;
  for (const Decision &decision : kernel_decisions(plan, kernel, variant, {}))
    for (size_t option = 0; option < decision.options.size(); ++option)
      if (option != decision.taken)
        choices.push_back(decision.choice(option));
  return choices;
}

/// Compiles and checks all plans once for each option; how many there were.
size_t check_all_choices(const std::vector<Plan> &plans, const Variant &variant) {
  std::map<std::string, std::vector<KernelChoice>> choices;
  std::vector<const Plan *> pointers;
  size_t rounds = 0, total = 0;
  for (const Plan &plan : plans) {
    pointers.push_back(&plan);
    for (size_t k = 0; k < plan.kernels.size(); ++k) {
      std::vector<KernelChoice> &known = choices[tuning_text(plan, static_cast<int>(k))];
      known = choices_of(plan, static_cast<int>(k), variant);
      rounds = std::max(rounds, known.size());
      total += known.size();
    }
  }
  KernelOptions options;
  options.cache_dir = build_path("test_kernels");
  for (size_t round = 0; round < rounds; ++round) {
    options.tuning = [&](const std::string &text, const Variant &) -> std::optional<TunedKernel> {
      const std::vector<KernelChoice> &known = choices.at(text);
      return round < known.size() ? std::optional(TunedKernel{known[round], 1, 2}) : std::nullopt;
    };
    const KernelLibrary library(pointers, variant, options, /*threads=*/2);
    const KernelLibrary alone(pointers, variant, options, /*threads=*/1);
    for (size_t i = 0; i < plans.size(); ++i) {
      const NamedArrays inputs = random_inputs(plans[i].graph, kBatchSize, /*seed=*/i);
      const auto checks = check_kernels(library, i, plans[i], kBatchSize, inputs);
      const auto checks_alone = check_kernels(alone, i, plans[i], kBatchSize, inputs);
      for (size_t k = 0; k < checks.size(); ++k) {
        const std::vector<KernelChoice> &known =
            choices.at(tuning_text(plans[i], static_cast<int>(k)));
        const std::string choice = round < known.size() ? choice_text(known[round]) : "none";
        CAPTURE(variant.name);
        CAPTURE(print(plans[i]));
        CAPTURE(choice);
        CAPTURE(checks[k].algorithm);
        CAPTURE(checks[k].max_rel_error);
        CAPTURE(checks[k].problem);
        CHECK(checks[k].ok);
        // The same bits have the same errors, and others have others.
        CHECK(checks[k].max_abs_error == checks_alone[k].max_abs_error);
        CHECK(checks[k].max_rel_error == checks_alone[k].max_rel_error);
        CHECK(library.object(i, k).unfit.empty());
      }
    }
  }
  return total;
}

/// Convolutions of an image of so many rows and columns, one of them with pooled results.
Graph convolutions(int64_t height, int64_t width, int64_t channels, int64_t filters) {
  return parse_graph(
      fmt::format(R"(%0 = input {{name="x", type=f32[N,{h},{w},{c}]}} : f32[N,{h},{w},{c}]
%1 = parameter {{name="w", type=f32[3,3,{c},{f}; block=32]}} : f32[3,3,{c},{f}; block=32]
%2 = conv2d %0, %1 {{padding=[1,1,1,1]}} : f32[N,{h},{w},{f}]
%3 = relu %2 : f32[N,{h},{w},{f}]
%4 = parameter {{name="v", type=f32[1,1,{f},{c}; block=16]}} : f32[1,1,{f},{c}; block=16]
%5 = conv2d %3, %4 : f32[N,{h},{w},{c}]
%6 = conv2d %5, %1 {{padding=[1,1,1,1]}} : f32[N,{h},{w},{f}]
%7 = max_pool2d %6 : f32[N,{h2},{w2},{f}]
output "y" %7)",
                  fmt::arg("h", height), fmt::arg("w", width), fmt::arg("c", channels),
                  fmt::arg("f", filters), fmt::arg("h2", height / 2), fmt::arg("w2", width / 2)),
      "convolutions.sir");
}

Variant host() { return variants_for_target("host").back(); }

} // namespace

TEST_CASE("a choice makes another kernel, and one that does not fit is left out and named") {
  const Plan plan = fused_plan(convolutions(8, 16, 32, 32));
  KernelOptions options;
  options.cache_dir = build_path("test_kernels");
  const KernelObject estimated = compile_kernels({&plan}, {host()}, options)[0][0][0];
  const KernelChoice choice = choices_of(plan, 0, host()).at(0);
  const std::string text = tuning_text(plan, 0);
  const auto compiled_with = [&](const KernelChoice &tuned) {
    options.tuning = [&](const std::string &asked, const Variant &) {
      return asked == text ? std::optional(TunedKernel{tuned, 1, 2}) : std::nullopt;
    };
    return compile_kernels({&plan}, {host()}, options)[0][0][0];
  };
  const KernelObject tuned = compiled_with(choice);
  CHECK(tuned.symbol != estimated.symbol);
  CHECK(*tuned.object != *estimated.object);
  REQUIRE(tuned.tuned.has_value());
  CHECK(tuned.tuned->choice == choice);
  CHECK_FALSE(estimated.tuned.has_value());

  for (int run = 0; run < 2; ++run) { // compiled, then from the cache
    const KernelObject unfit = compiled_with({{"tile_rows", 99}, {"tile_vectors", 1}});
    CHECK(unfit.unfit == "tile_rows=99 tile_vectors=1");
    CHECK(unfit.algorithm == estimated.algorithm);
  }
  CHECK(compiled_with({{"no_such_number", 1}}).unfit == "no_such_number=1");
}

TEST_CASE("whatever schedules of convolutions list is right") {
  std::vector<Plan> plans;
  for (const Graph &graph :
       {convolutions(14, 14, 32, 64), convolutions(4, 4, 64, 128), convolutions(7, 5, 128, 96)}) {
    plans.push_back(fused_plan(graph));
    for (const int64_t tile : {2, 4}) {
      Graph tiled = graph;
      choose_algorithms(tiled, [&](const std::string &) { return std::optional(tile); });
      plans.push_back(fused_plan(tiled));
    }
  }
  CHECK(check_all_choices(plans, host()) > 100);
}

TEST_CASE("whatever schedules of single operations list is right") {
  for (const Variant &variant : variants_for_target("x86-64")) {
    std::vector<Plan> plans;
    for (OpKind kind :
         {OpKind::conv2d, OpKind::conv2d_input_gradient, OpKind::conv2d_filter_gradient,
          OpKind::winograd_conv2d, OpKind::winograd_filter_gradient, OpKind::matmul})
      for (const OpCase &c : op_cases(kind, /*count=*/2, /*seed=*/7))
        plans.push_back(fused_plan(c.graph));
    CHECK(check_all_choices(plans, variant) > 10);
    if (variant.name == host().name)
      break; // nothing above it runs here
  }
}

#include "backends/verify/check_gradients.h"
#include "backends/verify/random_inputs.h"
#include "passes/eliminate_dead_nodes.h"
#include "passes/make_plan.h"
#include "passes/pipeline.h"
#include "passes/plan_memory.h"
#include "small_model.h"
#include "tests/passes/nets.h"

#include <algorithm>
#include <doctest/doctest.h>

using namespace sinter;

namespace {

constexpr int64_t kBatchSize = 5;

std::vector<GradientCheck> check(const Plan &plan) {
  const KernelLibrary library({&plan}, variants_for_target("host").back(), {});
  return check_gradients(library, 0, plan, kBatchSize,
                         random_inputs(plan.graph, kBatchSize, /*seed=*/3), /*seed=*/3);
}

/// The gradient plan with one output's value replaced by `change` of it.
Plan sabotaged(const std::string &output_name,
               const std::function<NodeId(Graph &, NodeId)> &change) {
  Graph graph = build_gradient_plan(small_model()).graph;
  for (Output &output : graph.outputs)
    if (output.name == output_name)
      output.value = change(graph, output.value);
  eliminate_dead_nodes(graph);
  Plan plan = make_plan(graph);
  plan_memory(plan, place_parameters({&plan.graph}));
  return plan;
}

} // namespace

TEST_CASE("the gradients of a model pass") {
  const auto checks = check(build_gradient_plan(small_model()));
  REQUIRE(checks.size() == 3);
  for (const GradientCheck &gradient : checks) {
    CAPTURE(gradient.parameter);
    CAPTURE(gradient.max_rel_error);
    CHECK(gradient.ok);
    CHECK(gradient.max_rel_error > 0); // float32 against float64: something was compared
  }
}

TEST_CASE("gradients pass through concatenations and slices that nobody copies") {
  const Plan plan = build_gradient_plan(joined_net());
  CHECK(std::none_of(plan.kernels.begin(), plan.kernels.end(),
                     [](const Kernel &kernel) { return kernel.name.rfind("concat", 0) == 0; }));
  for (const GradientCheck &gradient : check(plan)) {
    CAPTURE(gradient.parameter);
    CAPTURE(gradient.max_rel_error);
    CHECK(gradient.ok);
  }
}

TEST_CASE("a gradient that is a hundredth too large fails, and no other") {
  const auto scale = [](Graph &graph, NodeId gradient) {
    return graph.append(OpKind::affine, {gradient}, AffineAttrs{1.01F, 0});
  };
  for (const char *parameter : {"conv/kernel", "conv/bias", "dense/kernel"})
    for (const GradientCheck &gradient :
         check(sabotaged("gradient:" + std::string(parameter), scale))) {
      CAPTURE(gradient.parameter);
      CHECK(gradient.ok == (gradient.parameter != parameter));
    }
}

TEST_CASE("gradients that are all zero were not checked") {
  Graph graph = build_gradient_plan(small_model()).graph;
  for (Output &output : graph.outputs)
    if (output.name != "loss")
      output.value = graph.append(OpKind::affine, {output.value}, AffineAttrs{0, 0});
  Plan plan = make_plan(graph);
  plan_memory(plan, place_parameters({&plan.graph}));
  for (const GradientCheck &gradient : check(plan))
    CHECK_FALSE(gradient.ok);
}

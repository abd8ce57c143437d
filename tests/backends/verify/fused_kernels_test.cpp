// The kernels that the fusion passes make of whole networks, compiled, against the reference: what
// plan_test.cpp says of plans holds for the code made from them.
#include "backends/verify/check_kernels.h"
#include "backends/verify/random_inputs.h"
#include "ir/parse.h"
#include "passes/make_plan.h"
#include "passes/pipeline.h"
#include "passes/plan_memory.h"
#include "tests/passes/nets.h"
#include "tests/passes/random_graph.h"

#include <doctest/doctest.h>

using namespace sinter;

namespace {

constexpr int64_t kBatchSize = 5;

void check_plans(const std::vector<const Plan *> &plans) {
  const KernelLibrary library(plans, variants_for_target("host").back(), {});
  for (size_t i = 0; i < plans.size(); ++i)
    for (const KernelCheck &kernel :
         check_kernels(library, i, *plans[i], kBatchSize,
                       random_inputs(plans[i]->graph, kBatchSize, /*seed=*/3))) {
      CAPTURE(i);
      CAPTURE(kernel.name);
      CAPTURE(kernel.max_rel_error);
      CAPTURE(kernel.problem);
      CHECK(kernel.ok);
    }
}

void check_model(const Model &model) {
  CAPTURE(model.name);
  const Program program = build_program(model, {});
  check_plans({&program.infer, &*program.eval, &*program.train});
}

} // namespace

TEST_CASE("fused kernels of small nets compute what their nodes mean") {
  for (const Model &model : all_nets())
    check_model(model);
}

TEST_CASE("fused kernels of random models compute what their nodes mean") {
  for (uint32_t seed : {0U, 4U, 5U})
    check_model(random_model(seed));
}

TEST_CASE("two outputs of one full vector and one element more are both right") {
  std::vector<Plan> plans;
  for (const std::string channels : {"3", "5", "9", "17"}) {
    const std::string type = "f32[" + channels + "]";
    const Graph graph =
        parse_graph("%0 = input {name=\"x\", type=f32[N," + channels + "]} : f32[N," + channels +
                        "]\n" + "%1 = reduce_sum %0 {axes=[0]} : " + type + "\n" +
                        "%2 = parameter {name=\"m\", type=" + type + "} : " + type + "\n" +
                        "%3 = moving_average %2, %1 {decay=0.5} : " + type + "\n" +
                        "%4 = moving_square_average %2, %1 {decay=0.5} : " + type + "\n" +
                        "output \"a\" %3\noutput \"b\" %4\n",
                    "outputs.sir");
    plans.push_back(make_plan(graph));
    find_plan_pass("fuse-epilogues")->run(plans.back());
    REQUIRE(plans.back().kernels.size() == 1);
    plan_memory(plans.back(), place_parameters({&graph}));
  }
  check_plans({&plans[0], &plans[1], &plans[2], &plans[3]});
}

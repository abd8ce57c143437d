#include "backends/verify/check_kernels.h"
#include "backends/verify/random_inputs.h"
#include "passes/make_plan.h"
#include "passes/pipeline.h"
#include "passes/plan_memory.h"
#include "small_model.h"

#include <doctest/doctest.h>

using namespace sinter;

namespace {

const Variant &host() {
  static const Variant variant = variants_for_target("host").back();
  return variant;
}

} // namespace

TEST_CASE("the kernels of a model pass, for any batch") {
  const Program program = build_program(small_model(), {});
  const KernelLibrary library({&program.infer, &*program.eval}, host(), {}, /*threads=*/2);
  for (const int64_t batch : {1, 3, 8}) {
    for (const KernelCheck &check : check_kernels(library, 0, program.infer, batch,
                                                  random_inputs(program.infer.graph, batch, 1))) {
      CAPTURE(check.name);
      CAPTURE(check.problem);
      CHECK(check.ok);
    }
  }
}

TEST_CASE("a kernel that computes something else fails") {
  const char *right = R"(%0 = input {name="x", type=f32[N,40]} : f32[N,40]
%1 = tanh %0 : f32[N,40]
output "result" %1)";
  const char *wrong = R"(%0 = input {name="x", type=f32[N,40]} : f32[N,40]
%1 = sigmoid %0 : f32[N,40]
output "result" %1)";
  Plan compiled = make_plan(parse_graph(wrong, "wrong.sir"));
  Plan judged = make_plan(parse_graph(right, "right.sir"));
  for (Plan *plan : {&compiled, &judged})
    plan_memory(*plan, {});
  const KernelLibrary library({&compiled}, host(), {});
  const auto checks = check_kernels(library, 0, judged, 3, random_inputs(judged.graph, 3, 1));
  REQUIRE(checks.size() == 1);
  CHECK_FALSE(checks[0].ok);
  CHECK(checks[0].max_rel_error > 0.1);
}

TEST_CASE("an input and a parameter of one name each have values of their own") {
  Model model;
  model.graph = parse_graph(R"(%0 = input {name="x", type=f32[N,40]} : f32[N,40]
%1 = parameter {name="x", type=f32[40], initializer="ones"} : f32[40]
%2 = bias_add %0, %1 : f32[N,40]
output "prediction" %2)",
                            "names.sir");
  const Program program = build_program(model, {});
  const NamedArrays inputs = random_inputs(program.infer.graph, 3, 1);
  CHECK(inputs.at("x").size() == 40);
  CHECK(inputs.at("input x").size() == 3 * 40);
  CHECK(evaluate(program.infer.graph, 3, inputs).back().size() == 3 * 40);
  const KernelLibrary library({&program.infer}, host(), {});
  const auto checks = check_kernels(library, 0, program.infer, 3, inputs);
  REQUIRE(checks.size() == 1);
  CHECK(checks[0].ok);
}

// The kernels that the fusion passes make of whole networks, compiled, against the reference: what
// plan_test.cpp says of plans holds for the code made from them.
#include "backends/verify/check_kernels.h"
#include "backends/verify/random_inputs.h"
#include "ir/parse.h"
#include "passes/choose_algorithms.h"
#include "passes/make_plan.h"
#include "passes/pipeline.h"
#include "passes/plan_memory.h"
#include "tests/passes/nets.h"
#include "tests/passes/random_graph.h"

#include <algorithm>
#include <doctest/doctest.h>
#include <fmt/format.h>

using namespace sinter;

namespace {

constexpr int64_t kBatchSize = 5;

void check_plans(const std::vector<const Plan *> &plans,
                 const Variant &variant = variants_for_target("host").back()) {
  const KernelLibrary library(plans, variant, {});
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

/// Kernels of every class that write and read parts of rows; `c` channels each.
Graph joined_graph(int64_t c) {
  const auto type = [](int64_t height, int64_t channels) {
    return fmt::format("f32[N,{},{},{}]", height, height, channels);
  };
  return parse_graph(fmt::format(R"(%0 = input {{name="x", type={one}}} : {one}
%1 = parameter {{name="w", type=f32[3,3,{c},{c}]}} : f32[3,3,{c},{c}]
%2 = conv2d %0, %1 {{padding=[1,1,1,1]}} : {one}
%3 = max_pool2d %2 {{size=[3,3], strides=[1,1], padding=[1,1,1,1]}} : {one}
%4 = average_pool2d %2 {{size=[3,3], strides=[1,1], padding=[1,1,1,1]}} : {one}
%5 = exp %2 : {one}
%6 = softmax %4 : {one}
%7 = concat %2, %3, %4, %5, %6 {{axis=3}} : {five}
%8 = parameter {{name="v", type=f32[1,1,{c5},{c}]}} : f32[1,1,{c5},{c}]
%9 = conv2d %7, %8 : {one}
%10 = relu %9 : {one}
%11 = concat %7, %10 {{axis=3}} : {six}
%12 = slice %11 {{begin=[0,0,0,3], end=[N,12,12,{c3}]}} : {one}
%13 = sigmoid %12 : {one}
%14 = parameter {{name="u", type=f32[3,3,1,{c6}]}} : f32[3,3,1,{c6}]
%15 = conv2d %11, %14 {{groups={c6}, padding=[1,1,1,1]}} : {six}
%16 = reduce_mean %15 {{axes=[1,2]}} : f32[N,{c6}]
%17 = reduce_max %13 {{axes=[1,2]}} : f32[N,{c}]
%18 = concat %16, %17 {{axis=1}} : f32[N,{c7}]
%19 = parameter {{name="m", type=f32[{c7},{c}]}} : f32[{c7},{c}]
%20 = matmul %18, %19 : f32[N,{c}]
%21 = argmax %11 {{axis=3}} : i32[N,12,12]
%22 = resample %5 {{axis=1, taps=1, indices=[0,11], weights=[1,1]}} : f32[N,2,12,{c}]
%23 = transpose %12 {{permutation=[0,2,1,3]}} : {one}
%24 = concat %13, %23 {{axis=3}} : {two}
%25 = conv2d_input_gradient %12, %1 {{padding=[1,1,1,1], size=[12,12]}} : {one}
output "prediction:a" %20
output "prediction:b" %21
output "prediction:c" %22
output "prediction:d" %24
output "prediction:e" %25)",
                                 fmt::arg("one", type(12, c)), fmt::arg("two", type(12, 2 * c)),
                                 fmt::arg("five", type(12, 5 * c)),
                                 fmt::arg("six", type(12, 6 * c)), fmt::arg("c", c),
                                 fmt::arg("c3", c + 3), fmt::arg("c5", 5 * c),
                                 fmt::arg("c6", 6 * c), fmt::arg("c7", 7 * c)),
                     "joined.sir");
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

TEST_CASE("kernels leave what lies between the rows of their values as it is") {
  std::vector<Plan> plans;
  for (const int64_t channels : {8, 9, 12, 20, 33}) {
    Graph graph = joined_graph(channels);
    if (channels == 20)
      choose_algorithms(graph);
    plans.push_back(make_plan(graph));
    CHECK(std::count_if(plans.back().slices.begin(), plans.back().slices.end(),
                        [](const Slice &slice) { return slice.base.valid(); }) == 12);
    for (const PlanPass &pass : all_plan_passes())
      pass.run(plans.back());
    plan_memory(plans.back(), place_parameters({&graph}));
    verify(plans.back());
  }
  for (const Variant &variant : variants_for_target("x86-64"))
    check_plans({&plans[0], &plans[1], &plans[2], &plans[3], &plans[4]}, variant);
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

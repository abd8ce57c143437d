// Training steps that compute activations again mean the same and keep within their limit.
#include "ir/diagnostics.h"
#include "ir/parse.h"
#include "ir/print.h"
#include "ir/program_memory.h"
#include "nets.h"
#include "passes/make_plan.h"
#include "passes/pipeline.h"
#include "passes/plan_memory.h"
#include "passes/recompute_activations.h"
#include "plan_execution.h"
#include "random_graph.h"

#include <algorithm>
#include <cstdio>
#include <doctest/doctest.h>
#include <fmt/format.h>

using namespace sinter;

namespace {

/// The passes from a graph to a plan with placements.
Plan plan_of(Graph graph, const std::vector<ParameterSlot> &slots) {
  Plan plan = make_plan(std::move(graph));
  for (const PlanPass &pass : all_plan_passes())
    pass.run(plan);
  plan_memory(plan, slots);
  return plan;
}

/// A chain of `depth` convolutions with batch normalisation and dropout, all of one size.
Model deep_net(int depth) {
  std::string text = R"(%0 = input {name="x", type=f32[N,8,8,4]} : f32[N,8,8,4]
%1 = input {name="y", role="label", type=f32[N,8,8,4]} : f32[N,8,8,4]
)";
  int next = 2, value = 0;
  const auto append = [&](const std::string &node, const std::string &type) {
    text += fmt::format("%{} = {} : {}\n", next, node, type);
    return next++;
  };
  for (int i = 0; i < depth; ++i) {
    const auto parameter = [&](const char *name, const char *more, const char *type) {
      return append(fmt::format("parameter {{name=\"{}{}\"{}, type={}}}", name, i, more, type),
                    type);
    };
    const int filter = parameter("w", ", initializer=\"uniform\", a=-0.5, b=0.5", "f32[3,3,4,4]");
    const int gamma = parameter("g", ", initializer=\"ones\"", "f32[4]");
    const int beta = parameter("b", "", "f32[4]");
    const int mean = parameter("m", ", role=\"statistic\"", "f32[4]");
    const int variance = parameter("v", ", role=\"statistic\", initializer=\"ones\"", "f32[4]");
    value =
        append(fmt::format("conv2d %{}, %{} {{padding=[1,1,1,1]}}", value, filter), "f32[N,8,8,4]");
    value = append(
        fmt::format("batch_norm %{}, %{}, %{}, %{}, %{}", value, gamma, beta, mean, variance),
        "f32[N,8,8,4]");
    value = append(fmt::format("relu %{}", value), "f32[N,8,8,4]");
    value = append(fmt::format("dropout %{} {{rate=0.25, stream={}}}", value, i), "f32[N,8,8,4]");
  }
  const int error = append(fmt::format("subtract %{}, %1", value), "f32[N,8,8,4]");
  const int square = append(fmt::format("multiply %{0}, %{0}", error), "f32[N,8,8,4]");
  const int loss = append(fmt::format("reduce_mean %{} {{axes=[0,1,2,3]}}", square), "f32[]");
  text += fmt::format("output \"prediction\" %{}\noutput \"loss\" %{}\n", value, loss);
  Model model;
  model.name = "deep";
  model.graph = parse_graph(text, "deep.sir");
  model.training = TrainingSpec{};
  return model;
}

ProgramOptions limited(int64_t bytes) {
  ProgramOptions options;
  options.max_memory = bytes;
  options.batch = kBatchSize;
  return options;
}

std::string refusal(const Model &model, int64_t bytes) {
  try {
    build_program(model, limited(bytes));
  } catch (const CompileError &error) {
    return error.text();
  }
  return "";
}

} // namespace

TEST_CASE("what is computed again in the backward part has the same results") {
  std::vector<Model> models = all_nets();
  models.push_back(deep_net(5));
  for (uint32_t seed = 0; seed < 40; ++seed)
    models.push_back(random_model(seed));
  uint32_t seed = 0;
  size_t dropped_values = 0;
  for (const Model &model : models) {
    const Program built = build_program(model, {});
    const Recomputation recomputation(*built.train);
    std::mt19937 random(++seed);
    for (const double part : {0.3, 0.7, 1.0}) {
      Recomputation::Dropped dropped;
      for (size_t i = 0; i < recomputation.kept().size(); ++i)
        dropped.push_back(std::bernoulli_distribution(part)(random));
      dropped_values += static_cast<size_t>(std::count(dropped.begin(), dropped.end(), true));
      const Graph graph = recomputation.apply(dropped);
      INFO(model.name, " ", seed, "\n", print(graph));
      const NamedArrays values = random_values(graph, kBatchSize, seed);
      CHECK(difference(results(built.train->graph, kBatchSize, values),
                       results(graph, kBatchSize, values)) == 0);
      check_plan(plan_of(graph, built.parameters), seed);
    }
  }
  CHECK(dropped_values > 100);
}

TEST_CASE("training is fitted into a limit by computing activations again") {
  const Model model = deep_net(24);
  const Program free = build_program(model, {});
  const int64_t all = measure_memory(free, Use::training, kBatchSize).total();
  const int64_t arena = measure_memory(free, Use::training, kBatchSize).arena;
  CHECK(print(*build_program(model, limited(all)).train) == print(*free.train));
  double work = 0;
  for (const int64_t limit : {all - arena / 4, all - arena / 2, all - arena * 6 / 10}) {
    const Program tight = build_program(model, limited(limit));
    REQUIRE(tight.recomputed);
    CHECK(measure_memory(tight, Use::training, kBatchSize).total() <= limit);
    CHECK(tight.recomputed->bytes == measure_memory(tight, Use::training, kBatchSize).total());
    CHECK(tight.recomputed->bytes_before == all);
    CHECK(tight.recomputed->more_flops >= work); // less memory takes more work
    CHECK(tight.recomputed->more_flops < 0.4);   // a forward part is a third of a step
    CHECK(tight.train->graph.updates.size() == free.train->graph.updates.size());
    work = tight.recomputed->more_flops;
    check_plan(*tight.train, 1);
  }
  CHECK(work > 0.1);
}

TEST_CASE("a limit that cannot be kept is refused with the least that is possible") {
  const Model model = deep_net(24);
  const Program free = build_program(model, {});
  const int64_t inference = measure_memory(free, Use::inference, kBatchSize).total();
  const int64_t evaluation = measure_memory(free, Use::evaluation, kBatchSize).total();
  CHECK(refusal(model, inference - 1) ==
        fmt::format("inference with a batch of 3 needs {} bytes of memory, more than the limit of "
                    "{}: take a smaller batch, smaller images or a smaller model",
                    inference, inference - 1));
  const std::string text = refusal(model, evaluation);
  long long least = 0;
  REQUIRE(sscanf(text.c_str(), "training with a batch of 3 needs %lld bytes of memory at least",
                 &least) == 1);
  CHECK(text.find(fmt::format("the limit of {}", evaluation)) != std::string::npos);
  CHECK(refusal(model, least).empty());
}

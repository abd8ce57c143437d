// Whole pipelines on whole nets: the plans hold, and mean what the model means.
#include "ir/parse.h"
#include "nets.h"
#include "passes/pipeline.h"
#include "random_graph.h"

#include <algorithm>
#include <doctest/doctest.h>

using namespace sinter;

namespace {

std::vector<Model> models() {
  std::vector<Model> result = all_nets();
  for (uint32_t seed = 0; seed < 60; ++seed)
    result.push_back(random_model(seed));
  return result;
}

} // namespace

TEST_CASE("programs hold together") {
  for (const Model &model : models()) {
    const Program program = build_program(model, {});
    REQUIRE(program.eval);
    REQUIRE(program.train);
    verify(program.infer);
    verify(*program.eval);
    verify(*program.train);
    for (const ParameterSlot &slot : program.parameters) {
      CHECK(slot.offset % 64 == 0);
      CHECK(slot.offset + slot.bytes <= program.parameter_bytes);
    }
  }
}

TEST_CASE("weights and statistics come before optimizer state, where --no-train puts them too") {
  const Model model = fashion_net(28, 32, 0.5F);
  const Program program = build_program(model, {});
  ProgramOptions options;
  options.train = false;
  const Program frozen = build_program(model, options);
  CHECK_FALSE(frozen.train);
  REQUIRE(frozen.parameters.size() < program.parameters.size());
  for (size_t i = 0; i < frozen.parameters.size(); ++i)
    CHECK(frozen.parameters[i].offset == program.parameters[i].offset);
  for (size_t i = 0; i < program.parameters.size(); ++i)
    CHECK((program.parameters[i].attrs.role == "optimizer") == (i >= frozen.parameters.size()));
}

TEST_CASE("inference and evaluation mean what the model means") {
  for (const Model &model : models()) {
    const Program program = build_program(model, {});
    const NamedArrays values = random_values(model.graph, 3, 5);
    const NamedArrays expected = results(model.graph, 3, values);
    NamedArrays found = results(program.infer.graph, 3, values);
    for (const auto &[name, array] : results(program.eval->graph, 3, values))
      found[name] = array;
    CHECK(difference(expected, found) < 2e-5);
  }
}

TEST_CASE("the gradient plan has a gradient for every weight and updates nothing") {
  for (const Model &model : all_nets()) {
    const Plan plan = build_gradient_plan(model);
    CHECK(plan.graph.updates.empty());
    for (NodeId id : model.graph.all(OpKind::parameter)) {
      const auto &parameter = attrs<ParameterAttrs>(model.graph[id]);
      CHECK(plan.graph.find_output("gradient:" + parameter.name).valid() ==
            (parameter.role == "weight"));
    }
  }
}

TEST_CASE("a model without weights has a training step that trains nothing") {
  Model model;
  model.name = "fixed";
  model.graph = parse_graph(R"(%0 = input {name="x", type=f32[N,4]} : f32[N,4]
%1 = input {name="t", role="label", type=f32[N,4]} : f32[N,4]
%2 = mean_squared_error %0, %1 : f32[N]
%3 = reduce_mean %2 {axes=[0]} : f32[]
output "prediction" %0
output "loss" %3)",
                            "fixed.sir");
  model.training = TrainingSpec{};
  const Program program = build_program(model, {});
  CHECK(program.parameters.empty());
  REQUIRE(program.train);
  CHECK(program.train->graph.updates.empty());
  CHECK(program.infer.kernels.size() == 1); // the copy of x into the caller's memory
}

TEST_CASE("no update of a training graph needs a copy") {
  for (const Model &model : models()) {
    const Program program = build_program(model, {});
    const Graph &graph = program.train->graph;
    for (const Update &update : graph.updates)
      CHECK(graph[update.value].kind != OpKind::affine);
  }
}

TEST_CASE("a training step learns: the loss falls under repeated updates") {
  for (const Model &model : all_nets()) {
    const Program program = build_program(model, {});
    const Graph &graph = program.train->graph;
    NamedArrays values = random_values(graph, 4, 11);
    for (NodeId id : graph.all(OpKind::parameter))
      if (attrs<ParameterAttrs>(graph[id]).role == "optimizer")
        std::fill(values.at(attrs<ParameterAttrs>(graph[id]).name).values.begin(),
                  values.at(attrs<ParameterAttrs>(graph[id]).name).values.end(), 0.0);
    values.at("learning_rate").values = {0.01};
    double first = 0;
    double last = 0;
    for (int step = 1; step <= 30; ++step) {
      if (values.count("step"))
        values.at("step").values = {static_cast<double>(step)};
      const NamedArrays found = results(graph, 4, values);
      (step == 1 ? first : last) = found.at("loss")[0];
      for (const auto &[name, array] : found)
        if (name.rfind("update:", 0) == 0)
          values.at(name.substr(7)) = array;
    }
    INFO(model.name);
    CHECK(last < 0.9 * first);
  }
}

// Whole pipelines on whole nets: the plans hold, and mean what the model means.
#include "ir/diagnostics.h"
#include "ir/parse.h"
#include "nets.h"
#include "passes/pipeline.h"
#include "random_graph.h"

#include <algorithm>
#include <cmath>
#include <doctest/doctest.h>
#include <fmt/format.h>

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

namespace {

bool uses(const Graph &graph, OpKind kind) { return !graph.all(kind).empty(); }

/// One convolution that is worth Winograd's while, with a bias.
Model convolution(int64_t size) {
  Model model;
  model.name = "convolution";
  model.graph =
      parse_graph(fmt::format(R"(%0 = input {{name="x", type=f32[N,{0},{0},64]}} : f32[N,{0},{0},64]
%1 = parameter {{name="w", initializer="uniform", a=-0.1, b=0.1, type=f32[3,3,64,64]}} : f32[3,3,64,64]
%2 = conv2d %0, %1 {{padding=[1,1,1,1]}} : f32[N,{0},{0},64]
output "prediction" %2)",
                              size),
                  "convolution.sir");
  return model;
}

} // namespace

TEST_CASE("fast mathematics transforms filters once, exact mathematics not at all") {
  ProgramOptions options;
  const Program fast = build_program(convolution(28), options);
  REQUIRE(fast.prepare);
  CHECK(uses(fast.prepare->graph, OpKind::winograd_filter));
  CHECK(uses(fast.infer.graph, OpKind::winograd_conv2d));
  CHECK_FALSE(uses(fast.infer.graph, OpKind::winograd_filter));
  options.math = Math::exact;
  const Program exact = build_program(convolution(28), options);
  CHECK_FALSE(exact.prepare);
  CHECK(uses(exact.infer.graph, OpKind::conv2d));
}

TEST_CASE("a program in bf16 trains so, with parameters and optimizer state in float32") {
  ProgramOptions options;
  options.precision = Precision::bf16;
  const Program program = build_program(fashion_net(28, 32, 0.5F), options);
  const Graph &step = program.train->graph;
  CHECK(step.all(OpKind::bf16_filter).size() == 4); // of two layers, as they are and turned
  CHECK(step.all(OpKind::bf16_conv2d).size() == 2);
  CHECK(step.all(OpKind::bf16_matmul).size() == 2);
  CHECK(uses(step, OpKind::bf16_filter_gradient));
  CHECK(uses(step, OpKind::bf16_matmul_gradient));
  for (const ParameterSlot &slot : program.parameters)
    if (slot.attrs.role != "prepared")
      CHECK(slot.attrs.type.element == ElementType::f32);
}

TEST_CASE("fast mathematics trains by Winograd's algorithm, exact mathematics does not") {
  ProgramOptions options;
  const Model model = fashion_net(28, 32, 0.5F);
  const Program fast = build_program(model, options);
  const auto is_turned = [&](NodeId id) {
    return attrs<WinogradFilterAttrs>(fast.train->graph[id]).turned;
  };
  const std::vector<NodeId> filters = fast.train->graph.all(OpKind::winograd_filter);
  CHECK(filters.size() == 2);
  CHECK(std::count_if(filters.begin(), filters.end(), is_turned) == 1);
  options.math = Math::exact;
  const Program exact = build_program(model, options);
  CHECK_FALSE(uses(exact.train->graph, OpKind::winograd_conv2d));
}

TEST_CASE("prepared values take no name that a parameter has") {
  Model model = convolution(28);
  model.graph = parse_graph(R"(%0 = input {name="x", type=f32[N,4]} : f32[N,4]
%1 = parameter {name="prepared/0", type=f32[4]} : f32[4]
%2 = parameter {name="_prepared/1", type=f32[4]} : f32[4]
%3 = multiply %1, %2 : f32[4]
%4 = add %0, %3 : f32[N,4]
output "prediction" %4)",
                            "names.sir");
  const Program program = build_program(model, {});
  REQUIRE(program.parameters.size() == 3);
  CHECK(program.parameters[2].attrs.name == "__prepared/0");
}

TEST_CASE("values that many ways lead to are computed once") {
  // 2^40 ways from the loss to the first bias, and from the second one's sum to its parameter.
  std::string text = "%0 = input {name=\"x\", type=f32[N,4]} : f32[N,4]\n"
                     "%1 = parameter {name=\"a\", type=f32[4]} : f32[4]\n"
                     "%2 = bias_add %0, %1 : f32[N,4]\n"
                     "%3 = parameter {name=\"b\", type=f32[4]} : f32[4]\n";
  int last = 3;
  const auto append = [&](const std::string &node, const char *type) {
    text += fmt::format("%{} = {} : {}\n", ++last, node, type);
    return last;
  };
  const auto doubled = [&](int value, const char *type) {
    for (int i = 0; i < 40; ++i)
      value = append(fmt::format("add %{0}, %{0}", value), type);
    return value;
  };
  const int image = doubled(2, "f32[N,4]"), bias = doubled(3, "f32[4]");
  const int y = append(fmt::format("bias_add %{}, %{}", image, bias), "f32[N,4]");
  const int target = append("input {name=\"t\", role=\"label\", type=f32[N,4]}", "f32[N,4]");
  const int losses = append(fmt::format("mean_squared_error %{}, %{}", y, target), "f32[N]");
  const int loss = append(fmt::format("reduce_mean %{} {{axes=[0]}}", losses), "f32[]");
  Model model;
  model.name = "doubled";
  model.graph =
      parse_graph(text + fmt::format("output \"prediction\" %{}\noutput \"loss\" %{}\n", y, loss),
                  "doubled.sir");
  model.training = TrainingSpec{};
  const Program program = build_program(model, {});
  REQUIRE(program.prepare);
  CHECK(program.prepare->graph.size() < 100);
  CHECK(program.train->graph.size() < 300);
}

TEST_CASE("a Winograd convolution means what the convolution means") {
  const Model model = convolution(14);
  const Program program = build_program(model, {});
  NamedArrays values = random_values(model.graph, 2, 3);
  const NamedArrays expected = results(model.graph, 2, values);
  REQUIRE(program.prepare);
  evaluate_updates(program.prepare->graph, 2, values);
  CHECK(difference(expected, results(program.infer.graph, 2, values)) < 1e-12);
}

TEST_CASE("inference and evaluation share what they prepare, and training prepares nothing") {
  const Model model = residual_net();
  const Program program = build_program(model, {});
  REQUIRE(program.prepare); // batch normalisation's scale and shift
  const auto prepared = [](const Graph &graph) {
    size_t count = 0;
    for (NodeId id : graph.all(OpKind::parameter))
      count += attrs<ParameterAttrs>(graph[id]).role == "prepared" ? 1 : 0;
    return count;
  };
  const size_t all = program.prepare->graph.updates.size();
  CHECK(all > 0);
  CHECK(prepared(program.infer.graph) == all);
  CHECK(prepared(program.eval->graph) == all);
  CHECK(prepared(program.train->graph) == 0);
  CHECK(program.infer.arena_fixed >= program.prepare->arena_fixed);
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
    NamedArrays values = random_values(model.graph, 3, 5);
    const NamedArrays expected = results(model.graph, 3, values);
    if (program.prepare)
      evaluate_updates(program.prepare->graph, 3, values);
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

TEST_CASE("gradients of a step in bf16 are those of float32, up to its rounding") {
  const Model model = fashion_net(12, 32, 0.25F);
  Graph single = build_gradient_plan(model).graph;
  Graph rounded = build_gradient_plan(model, Precision::bf16).graph;
  CHECK_FALSE(uses(single, OpKind::bf16_conv2d));
  for (const OpKind kind : {OpKind::bf16_conv2d, OpKind::bf16_filter_gradient, OpKind::bf16_matmul,
                            OpKind::bf16_matmul_gradient})
    CHECK(uses(rounded, kind));
  const NamedArrays values = random_values(single, 5, 3);
  const NamedArrays expected = results(single, 5, values), found = results(rounded, 5, values);
  for (const auto &[name, array] : expected) {
    double error = 0, size = 0;
    for (int64_t i = 0; i < array.size(); ++i) {
      error += std::pow(found.at(name)[i] - array[i], 2);
      size += std::pow(array[i], 2);
    }
    CAPTURE(name);
    CHECK(std::sqrt(error) <= 0.03 * std::sqrt(size));
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

TEST_CASE("an optimizer that cannot be is the user's error") {
  Model model = fashion_net(8, 3, 0.5F);
  model.training->optimizer.epsilon = -1;
  CHECK_THROWS_WITH_AS(build_program(model, {}),
                       doctest::Contains("adam_update expects epsilon of at least 0, got -1"),
                       CompileError);
  model.training->optimizer = {};
  model.training->optimizer.beta_1 = 1;
  CHECK_THROWS_AS(build_program(model, {}), CompileError);
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

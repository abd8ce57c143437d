// Whole networks of the zoo, as compiled with fast math, beside the float64 reference: rounding
// errors of all layers together stay within 2e-5 of the largest output.
#include "backends/verify/plan_values.h"
#include "backends/verify/random_inputs.h"
#include "frontend/load_model.h"
#include "passes/eliminate_dead_nodes.h"
#include "passes/pipeline.h"
#include "passes/specialize_for_inference.h"
#include "tests/paths.h"

#include <algorithm>
#include <cmath>
#include <doctest/doctest.h>

using namespace sinter;

namespace {

constexpr double kTolerance = 2e-5;
constexpr int64_t kBatchSize = 1;

/// What the model's inference computes, before any pass for speed.
Graph forward_graph(const Model &model) {
  Graph graph = model.graph;
  graph.outputs.erase(std::remove_if(graph.outputs.begin(), graph.outputs.end(),
                                     [](const Output &output) { return !is_prediction(output); }),
                      graph.outputs.end());
  eliminate_dead_nodes(graph);
  specialize_for_inference(graph);
  return graph;
}

NamedArrays reference_outputs(const Graph &graph, const NamedArrays &inputs) {
  std::vector<NodeId> wanted;
  for (const Output &output : graph.outputs)
    wanted.push_back(output.value);
  const std::vector<Array> values = evaluate(graph, kBatchSize, inputs, wanted);
  NamedArrays outputs;
  for (const Output &output : graph.outputs)
    outputs.emplace(output.name, values[static_cast<size_t>(output.value.index)]);
  return outputs;
}

/// Runs the kernels of plan number `index`; all values stay.
void run_kernels(const KernelLibrary &library, size_t index, const Plan &plan, PlanValues &values) {
  for (size_t k = 0; k < plan.kernels.size(); ++k) {
    std::vector<const Array *> arguments;
    for (NodeId input : plan.kernels[k].inputs)
      arguments.push_back(&values.at(input));
    std::vector<Array> results = library.run(index, k, kBatchSize, arguments);
    for (size_t i = 0; i < results.size(); ++i)
      values.set(plan.kernels[k].outputs[i], std::move(results[i]));
  }
}

NamedArrays compiled_outputs(const Program &program, NamedArrays inputs) {
  std::vector<const Plan *> plans{&program.infer};
  if (program.prepare)
    plans.push_back(&*program.prepare);
  KernelOptions options;
  options.cache_dir = build_path("test_kernels");
  const KernelLibrary library(plans, variants_for_target("host").back(), options, /*threads=*/2);
  if (program.prepare) {
    PlanValues prepared(*program.prepare, kBatchSize, inputs);
    run_kernels(library, 1, *program.prepare, prepared);
    const Graph &graph = program.prepare->graph;
    NamedArrays made;
    for (const Update &update : graph.updates)
      made.emplace(leaf_name(graph, update.parameter), prepared.at(update.value));
    inputs.merge(made);
  }
  PlanValues values(program.infer, kBatchSize, inputs);
  run_kernels(library, 0, program.infer, values);
  NamedArrays outputs;
  for (const Output &output : program.infer.graph.outputs)
    outputs.emplace(output.name, values.at(output.value));
  return outputs;
}

} // namespace

TEST_CASE("the zoo's networks with fast math are within 2e-5 of float64") {
  // Without those of 150 layers and of 19 that are like their smaller sisters here: the reference
  // takes a second for each thousand million operations.
  for (const std::string name :
       {"alexnet", "deep_convnet", "densenet121", "googlenet", "lenet5", "mobilenet",
        "mobilenet_v2", "resnet18", "resnet34", "resnet50", "se_resnet50", "squeezenet", "vgg16"}) {
    CAPTURE(name);
    Diagnostics diagnostics;
    const Model model =
        load_model(source_path("examples/zoo/" + name + ".py"), {}, diagnostics).model;
    const Graph forward = forward_graph(model);
    const NamedArrays inputs = random_inputs(forward, kBatchSize, /*seed=*/1);
    const NamedArrays expected = reference_outputs(forward, inputs);
    const NamedArrays found = compiled_outputs(build_program(model, {}), inputs);
    REQUIRE(found.size() == expected.size());
    for (const auto &[output, reference] : expected) {
      const Array &array = found.at(output);
      REQUIRE(array.size() == reference.size());
      double largest = 0, error = 0;
      for (int64_t i = 0; i < reference.size(); ++i) {
        largest = std::max(largest, std::fabs(reference[i]));
        const double here = std::fabs(array[i] - reference[i]);
        error = std::isnan(here) ? INFINITY : std::max(error, here);
      }
      CAPTURE(error / largest);
      CHECK(error <= kTolerance * largest);
    }
  }
}

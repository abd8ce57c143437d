// Graphs mean the same before and after every pass, judged by the float64 interpreter.
#include "ir/print.h"
#include "ir/verify.h"
#include "nets.h"
#include "passes/differentiate.h"
#include "passes/pipeline.h"
#include "random_graph.h"

#include <doctest/doctest.h>
#include <set>

using namespace sinter;

namespace {

constexpr int64_t kBatchSize = 3;
constexpr uint32_t kRandomModels = 150;

Graph training_graph(const Model &model, std::vector<std::string_view> passes) {
  Graph graph = model.graph;
  graph.outputs.erase(graph.outputs.begin()); // the prediction
  for (std::string_view pass : passes)
    find_pass(pass)->run(graph);
  return graph;
}

/// Runs the pass on the graph: results agree, and a second run changes nothing.
void check_pass(const Graph &graph, std::string_view name, uint32_t seed) {
  INFO(name, " on\n", print(graph));
  const NamedArrays values = random_values(graph, kBatchSize, seed);
  Graph after = graph;
  find_pass(name)->run(after);
  verify(after);
  INFO("gives\n", print(after));
  // Attributes such as a merged affine's are rounded to float32.
  CHECK(difference(results(graph, kBatchSize, values), results(after, kBatchSize, values)) < 2e-5);
  const std::string once = print(after);
  find_pass(name)->run(after);
  CHECK(print(after) == once);
}

std::vector<Model> models() {
  std::vector<Model> result = all_nets();
  for (uint32_t seed = 0; seed < kRandomModels; ++seed)
    result.push_back(random_model(seed));
  return result;
}

/// Every pass of the table but the given ones.
std::vector<std::string_view> all_passes_but(const std::set<std::string_view> &exceptions) {
  std::vector<std::string_view> names;
  for (const Pass &pass : all_passes())
    if (exceptions.count(pass.name) == 0)
      names.push_back(pass.name);
  return names;
}

} // namespace

TEST_CASE("passes keep the meaning of forward graphs") {
  // Training means something else than the forward graph, batch_norm has no gradient as such, and
  // bf16 is another arithmetic.
  const auto passes = all_passes_but({"add-optimizer", "differentiate", "specialize-for-training",
                                      "use-bf16", "use-training-bf16"});
  uint32_t seed = 100;
  for (const Model &model : models())
    for (std::string_view pass : passes)
      check_pass(model.graph, pass, ++seed);
}

TEST_CASE("passes keep the meaning of backward graphs") {
  // These ran before or give gradients another meaning; a layout is chosen before differentiate.
  const auto passes = all_passes_but({"add-optimizer", "choose-layout", "differentiate",
                                      "specialize-for-training", "use-bf16", "use-training-bf16"});
  uint32_t seed = 1000;
  for (const Model &model : models()) {
    const Graph graph =
        training_graph(model, {"canonicalize", "specialize-for-training", "differentiate"});
    for (std::string_view pass : passes)
      check_pass(graph, pass, ++seed);
  }
}

TEST_CASE("choosing a layout changes types alone") {
  for (const Model &model : models()) {
    Graph after = model.graph;
    find_pass("choose-layout")->run(after);
    verify(after);
    REQUIRE(after.size() == model.graph.size());
    const NamedArrays values = random_values(model.graph, kBatchSize, 7);
    CHECK(difference(results(model.graph, kBatchSize, values),
                     results(after, kBatchSize, values)) == 0);
  }
}

TEST_CASE("gradients agree with central differences") {
  constexpr double kStep = 1e-6;
  uint32_t seed = 0;
  std::vector<Model> nets = all_nets();
  for (uint32_t i = 0; i < 25; ++i)
    nets.push_back(random_model(1000 + i));
  for (const Model &model : nets) {
    const Graph graph = training_graph(
        model, {"choose-layout", "canonicalize", "specialize-for-training", "differentiate",
                "fold-constants", "canonicalize", "simplify", "reuse-sums"});
    NamedArrays values = random_values(graph, kBatchSize, ++seed);
    const NamedArrays found = results(graph, kBatchSize, values);
    const auto loss = [&] { return results(graph, kBatchSize, values).at("loss")[0]; };
    for (const auto &[name, gradient] : found) {
      if (name.rfind(kGradientPrefix, 0) != 0)
        continue;
      Array &parameter = values.at(name.substr(std::string(kGradientPrefix).size()));
      for (int64_t i : {int64_t{0}, parameter.size() / 2, parameter.size() - 1}) {
        const double before = parameter[i];
        parameter[i] = before + kStep;
        const double above = loss();
        parameter[i] = before - kStep;
        const double below = loss();
        parameter[i] = before;
        const double expected = (above - below) / (2 * kStep);
        INFO(model.name, " ", name, " element ", i, ", seed ", seed);
        CHECK(gradient[i] == doctest::Approx(expected).epsilon(1e-4).scale(0.1));
      }
    }
  }
}

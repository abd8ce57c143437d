// Real trained models, saved by other tools, beside reference results computed in float64. They lie
// in ../shared/golden, outside of the source tree; without that folder CTest is told that this was
// skipped.
#include "backends/reference/interpreter.h"
#include "frontend/load_model.h"
#include "frontend/weight_file.h"
#include "tests/paths.h"

#include <algorithm>
#include <cmath>
#include <doctest/doctest.h>
#include <filesystem>

using namespace sinter;

namespace {

constexpr int64_t kImages = 64;     // that there are results for
constexpr double kTolerance = 1e-5; // of the largest logit

std::string golden_path(const std::string &name) { return source_path("../shared/golden/" + name); }

/// A file's model, or a script's with the file's weights.
LoadedModel load_golden(const std::string &name, const std::string &script) {
  Diagnostics diagnostics;
  if (script.empty())
    return load_model(golden_path(name), {}, diagnostics);
  LoadedModel loaded =
      load_model(source_path("tests/end_to_end/golden/" + script), {}, diagnostics);
  loaded.weights = load_weights(golden_path(name), loaded.model);
  return loaded;
}

std::map<std::string, WeightArray> references(const std::string &name) {
  const std::string path = golden_path(name + ".npz");
  std::map<std::string, WeightArray> arrays;
  for (NamedArray &array : read_npz({std::make_shared<const std::string>(path), 0, 0}))
    arrays[array.name] = std::move(array.array);
  return arrays;
}

NamedArrays inputs_of(const LoadedModel &loaded, const WeightArray &images) {
  NamedArrays inputs;
  for (const NodeId id : loaded.model.graph.all(OpKind::parameter)) {
    const auto &parameter = attrs<ParameterAttrs>(loaded.model.graph[id]);
    Array value(parameter.type, kImages);
    const std::vector<float> &given = loaded.weights.at(parameter.name).values;
    value.values.assign(given.begin(), given.end());
    inputs.emplace(parameter.name, value);
  }
  const NodeId input = loaded.model.graph.all(OpKind::input).front();
  const auto &data = attrs<InputAttrs>(loaded.model.graph[input]);
  Array value(data.type, kImages);
  for (int64_t i = 0; i < value.size(); ++i)
    value[i] = static_cast<double>(images.values[static_cast<size_t>(i)] / 255.0F);
  inputs.emplace(data.name, value);
  return inputs;
}

void check_logits(const std::string &name, const std::string &script) {
  INFO(name);
  if (!std::filesystem::exists(golden_path(""))) {
    MESSAGE("skipped: there is no " << golden_path(""));
    return;
  }
  const LoadedModel loaded = load_golden(name, script);
  const auto expected = references(name);
  const Graph &graph = loaded.model.graph;
  NodeId logits = graph.find_output("prediction");
  if (graph[logits].kind == OpKind::softmax)
    logits = graph[logits].inputs[0];
  const std::vector<Array> values =
      evaluate(graph, kImages, inputs_of(loaded, expected.at("images")), {logits});
  const Array &found = values[static_cast<size_t>(logits.index)];
  const std::vector<float> &wanted = expected.at("logits_f64").values;
  double largest = 0;
  double difference = 0;
  for (int64_t i = 0; i < found.size(); ++i) {
    const auto reference = static_cast<double>(wanted[static_cast<size_t>(i)]);
    largest = std::max(largest, std::abs(reference));
    difference = std::max(difference, std::abs(found[i] - reference));
  }
  CHECK(found.size() == kImages * 10);
  CHECK(largest > 1);
  CHECK(difference <= kTolerance * largest);
}

} // namespace

TEST_CASE("saved Keras models compute what Keras computed") {
  check_logits("keras2_fashion_cnn.h5", "");
  check_logits("keras3_fashion_cnn.keras", "");
}

TEST_CASE("weights of PyTorch and of NumPy compute what they computed there") {
  check_logits("torch_fashion_cnn_book.pt", "torch_fashion_cnn.py");
  check_logits("simple_convnet_params.pkl", "simple_convnet.py");
}

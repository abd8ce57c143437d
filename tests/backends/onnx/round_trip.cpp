#include "tests/backends/onnx/round_trip.h"

#include "backends/onnx/onnx_file.h"
#include "backends/verify/random_inputs.h"
#include "frontend/onnx/load_onnx.h"
#include "ir/diagnostics.h"

#include <algorithm>
#include <cmath>
#include <onnx/checker.h>
#include <onnx/shape_inference/implementation.h>

namespace sinter {

namespace {

// Of the largest value: the same float32 numbers in the same formulas, but for those of expm1.
constexpr double kTolerance = 1e-6;

std::string checker_problem(onnx::ModelProto file) {
  try {
    onnx::checker::check_model(file);
    onnx::shape_inference::InferShapes(file, onnx::OpSchemaRegistry::Instance(),
                                       {/*check_type=*/true, /*strict_mode=*/1, false});
  } catch (const std::exception &error) {
    return error.what();
  }
  return "";
}

/// The model's inputs and the file's weights, in the types that the importer gave them. The batch
/// of an input is what its data leaves for it.
NamedArrays arrays_for(const LoadedModel &loaded, const NamedArrays &given) {
  NamedArrays arrays;
  const Graph &graph = loaded.model.graph;
  for (const NodeId id : graph.all(OpKind::input)) {
    const auto &input = attrs<InputAttrs>(graph[id]);
    const Array &values = given.at(input.name);
    Array array(input.type, values.size() / input.type.elements());
    array.values = values.values;
    arrays.emplace(input.name, std::move(array));
  }
  for (const auto &[name, weights] : loaded.weights) {
    Array array(TensorType{ElementType::f32, weights.shape, 0}, 1);
    array.values.assign(weights.values.begin(), weights.values.end());
    arrays.emplace(name, std::move(array));
  }
  return arrays;
}

std::vector<Array> predictions(const Graph &graph, int64_t batch, const NamedArrays &arrays) {
  std::vector<NodeId> wanted;
  for (const Output &output : graph.outputs)
    if (is_prediction(output))
      wanted.push_back(output.value);
  const std::vector<Array> values = evaluate(graph, batch, arrays, wanted);
  std::vector<Array> results;
  for (const NodeId id : wanted)
    results.push_back(values[static_cast<size_t>(id.index)]);
  return results;
}

std::string difference(const Array &found, const Array &wanted) {
  if (found.extents() != wanted.extents() || found.type.element != wanted.type.element)
    return fmt::format("is {} of shape {}, expected {} of {}", found.type.str(),
                       str(found.extents()), wanted.type.str(), str(wanted.extents()));
  double largest = 1;
  for (const double value : wanted.values)
    largest = std::isfinite(value) ? std::max(largest, std::abs(value)) : largest;
  for (int64_t i = 0; i < wanted.size(); ++i) {
    const bool same = found[i] == wanted[i] || (std::isnan(found[i]) && std::isnan(wanted[i])) ||
                      std::abs(found[i] - wanted[i]) <= kTolerance * largest;
    if (!same)
      return fmt::format("element {} is {}, expected {}", i, found[i], wanted[i]);
  }
  return "";
}

/// A batch of 1 where a static 1 would be read as the batch.
int64_t batch_of(const Graph &graph, int64_t batch) {
  for (const NodeId id : graph.all(OpKind::input)) {
    const Shape &shape = graph.type(id).shape;
    if (!shape.empty() && shape[0] == 1)
      return 1;
  }
  return batch;
}

} // namespace

onnx::ModelProto exported(const Model &model, const NamedArrays &values) {
  std::map<std::string, std::vector<float>> weights;
  for (const NodeId id : model.graph.all(OpKind::parameter)) {
    const std::string &name = attrs<ParameterAttrs>(model.graph[id]).name;
    std::vector<float> &floats = weights[name];
    for (const double value : values.at(name).values)
      floats.push_back(static_cast<float>(value));
  }
  onnx::ModelProto file;
  const ParameterValues of = [&](const std::string &name) -> const std::vector<float> & {
    return weights.at(name);
  };
  SINTER_ASSERT(file.ParseFromString(onnx_file(model, of)), "no message of protobuf");
  return file;
}

LoadedModel imported(const onnx::ModelProto &file) {
  Diagnostics diagnostics;
  return load_onnx_bytes("model.onnx", file.SerializeAsString(), {}, diagnostics);
}

std::string round_trip_problem(const Model &model, int64_t wanted_batch, uint64_t seed) {
  int64_t batch = batch_of(model.graph, wanted_batch);
  NamedArrays given = random_inputs(model.graph, batch, seed);
  const onnx::ModelProto file = exported(model, given);
  if (const std::string problem = checker_problem(file); !problem.empty())
    return problem;
  const LoadedModel again = imported(file);
  const std::vector<NodeId> inputs = again.model.graph.all(OpKind::input);
  const bool open = std::any_of(inputs.begin(), inputs.end(),
                                [&](NodeId id) { return again.model.graph.type(id).batched(); });
  if (!open && batch != 1) {
    batch = 1; // what the importer falls back to
    given = random_inputs(model.graph, batch, seed);
  }
  const std::vector<Array> wanted = predictions(model.graph, batch, given);
  const std::vector<Array> found = predictions(again.model.graph, batch, arrays_for(again, given));
  for (size_t i = 0; i < wanted.size(); ++i)
    if (const std::string problem = difference(found.at(i), wanted[i]); !problem.empty())
      return fmt::format("output {} {}", i, problem);
  return "";
}

} // namespace sinter

#include "tests/onnx/backend_case.h"

#include "frontend/onnx/load_onnx.h"
#include "frontend/onnx/read_model.h"
#include "ir/diagnostics.h"
#include "passes/pipeline.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace sinter {

namespace {

const char *const kData = "/usr/share/libonnx-testdata/data";

std::string read_bytes(const std::string &path) {
  std::ifstream stream(path, std::ios::binary);
  std::ostringstream bytes;
  bytes << stream.rdbuf();
  return bytes.str();
}

std::optional<HostTensor> read_value(const std::string &path) {
  onnx::TensorProto tensor;
  try {
    if (tensor.ParseFromString(read_bytes(path)))
      return read_tensor(tensor, {});
  } catch (const CompileError &) {
  }
  return std::nullopt; // a sequence, an optional, text
}

std::vector<std::optional<HostTensor>> read_values(const std::string &folder,
                                                   const std::string &kind) {
  std::vector<std::optional<HostTensor>> values;
  for (int i = 0;; ++i) {
    const std::string path = fmt::format("{}/test_data_set_0/{}_{}.pb", folder, kind, i);
    if (!std::filesystem::exists(path))
      return values;
    values.push_back(read_value(path));
  }
}

bool is_given(const HostTensor &value, const std::string &name, Feeding feeding) {
  const bool setting =
      !value.holds_floats() || value.size() == 1 || name == "scales" || name == "roi";
  return feeding == Feeding::all_given || (feeding == Feeding::settings_given && setting);
}

Array array_of(const HostTensor &tensor) {
  Array array(TensorType{graph_element(tensor.type), tensor.shape, 0}, 1);
  for (int64_t i = 0; i < tensor.size(); ++i)
    array[i] = tensor.number(i);
  return array;
}

std::string compare_outputs(const Graph &graph, const NamedArrays &arrays,
                            const LoadedCase &given) {
  std::vector<NodeId> wanted;
  for (const Output &output : graph.outputs)
    wanted.push_back(output.value);
  const std::vector<Array> values = evaluate(graph, 1, arrays, wanted);
  for (size_t i = 0; i < wanted.size(); ++i) {
    if (i >= given.outputs.size() || !given.outputs[i])
      return "the expected output is no tensor of numbers";
    const std::string problem =
        difference(values[static_cast<size_t>(wanted[i].index)], *given.outputs[i]);
    if (!problem.empty())
      return fmt::format("output {}: {}", graph.outputs[i].name, problem);
  }
  return "";
}

} // namespace

std::vector<BackendCase> backend_cases() {
  std::vector<BackendCase> cases;
  for (const char *suite : {"node", "pytorch-converted", "pytorch-operator", "simple"}) {
    std::error_code error;
    const std::string folder = fmt::format("{}/{}", kData, suite);
    for (const auto &entry : std::filesystem::directory_iterator(folder, error))
      cases.push_back({suite, entry.path().filename().string(), entry.path().string()});
  }
  std::sort(cases.begin(), cases.end(), [](const BackendCase &a, const BackendCase &b) {
    return std::tie(a.suite, a.name) < std::tie(b.suite, b.name);
  });
  return cases;
}

namespace {

/// The suite stores bfloat16 as the uint16 of its bits; the model says what they are.
void take_declared_types(const google::protobuf::RepeatedPtrField<onnx::ValueInfoProto> &declared,
                         std::vector<std::optional<HostTensor>> &values) {
  for (int i = 0; i < declared.size() && static_cast<size_t>(i) < values.size(); ++i) {
    std::optional<HostTensor> &value = values[static_cast<size_t>(i)];
    const bool bits = value && value->type == DataType::u16 &&
                      data_type(declared[i].type().tensor_type().elem_type()) == DataType::bf16;
    if (!bits)
      continue;
    std::vector<float> floats;
    for (int64_t pattern : value->integers) {
      const auto high = static_cast<uint32_t>(pattern) << 16U;
      float number = 0;
      std::memcpy(&number, &high, sizeof number);
      floats.push_back(number);
    }
    value = HostTensor::of_floats(value->shape, std::move(floats), DataType::bf16);
  }
}

/// The value as an initialiser.
onnx::TensorProto tensor_of(const HostTensor &value, const std::string &path) {
  onnx::TensorProto tensor;
  tensor.ParseFromString(read_bytes(path));
  if (value.type == DataType::bf16)
    tensor.set_data_type(onnx::TensorProto::BFLOAT16);
  return tensor;
}

} // namespace

LoadedCase load_case(const BackendCase &which) {
  LoadedCase loaded{read_onnx_file(which.folder + "/model.onnx"),
                    read_values(which.folder, "input"), read_values(which.folder, "output")};
  take_declared_types(loaded.model.graph().input(), loaded.inputs);
  take_declared_types(loaded.model.graph().output(), loaded.outputs);
  return loaded;
}

std::string with_feeding(const LoadedCase &loaded, const BackendCase &which, Feeding feeding) {
  onnx::ModelProto model = loaded.model;
  onnx::GraphProto &graph = *model.mutable_graph();
  const auto inputs = graph.input();
  graph.clear_input();
  for (int i = 0; i < inputs.size(); ++i) {
    const auto index = static_cast<size_t>(i);
    const bool known = index < loaded.inputs.size() && loaded.inputs[index].has_value();
    if (!known || !is_given(*loaded.inputs[index], inputs[i].name(), feeding)) {
      *graph.add_input() = inputs[i];
      continue;
    }
    onnx::TensorProto &tensor = *graph.add_initializer();
    tensor = tensor_of(*loaded.inputs[index],
                       fmt::format("{}/test_data_set_0/input_{}.pb", which.folder, i));
    tensor.set_name(inputs[i].name());
  }
  return model.SerializeAsString();
}

NamedArrays arrays_for(const LoadedModel &loaded, const LoadedCase &given) {
  NamedArrays arrays;
  const auto &inputs = given.model.graph().input();
  for (int i = 0; i < inputs.size(); ++i)
    if (static_cast<size_t>(i) < given.inputs.size() && given.inputs[static_cast<size_t>(i)])
      arrays[inputs[i].name()] = array_of(*given.inputs[static_cast<size_t>(i)]);
  for (const auto &[name, weights] : loaded.weights) {
    Array array(TensorType{ElementType::f32, weights.shape, 0}, 1);
    array.values.assign(weights.values.begin(), weights.values.end());
    arrays[name] = std::move(array);
  }
  return arrays;
}

namespace {

/// The suite's own; bfloat16 has 8 bits.
double tolerance_of(DataType type, double right) {
  if (!is_float(type))
    return 0;
  return 1e-7 + (type == DataType::bf16 ? 1e-2 : 1e-3) * std::fabs(right);
}

} // namespace

std::string difference(const Array &actual, const HostTensor &expected) {
  if (actual.extents() != expected.shape)
    return fmt::format("shape {}, expected {}", str(actual.extents()), str(expected.shape));
  for (int64_t i = 0; i < actual.size(); ++i) {
    const double right = expected.number(i);
    const double tolerance = tolerance_of(expected.type, right);
    const bool both_nan = std::isnan(actual[i]) && std::isnan(right);
    if (!both_nan && actual[i] != right && !(std::fabs(actual[i] - right) <= tolerance))
      return fmt::format("element {} is {}, expected {}", i, actual[i], right);
  }
  return "";
}

std::string run_case(const BackendCase &which, Feeding feeding) {
  try {
    const LoadedCase given = load_case(which);
    Diagnostics diagnostics;
    LoadedModel loaded =
        load_onnx_bytes("model.onnx", with_feeding(given, which, feeding), {}, diagnostics);
    const NamedArrays arrays = arrays_for(loaded, given);
    const std::string problem = compare_outputs(loaded.model.graph, arrays, given);
    if (!problem.empty())
      return problem;
    run_passes(loaded.model.graph, inference_pipeline({}), {});
    const std::string after = compare_outputs(loaded.model.graph, arrays, given);
    return after.empty() ? "" : "after the passes, " + after;
  } catch (const CompileError &error) {
    return error.text();
  }
}

} // namespace sinter

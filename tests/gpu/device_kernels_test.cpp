// Every op's kernel on a device against the float64 reference: many cases are one program, each of
// whose kernels is one node, and `run` computes them.
#include "backends/reference/interpreter.h"
#include "backends/verify/check_kernels.h"
#include "backends/verify/random_inputs.h"
#include "ir/op.h"
#include "npy_file.h"
#include "passes/make_plan.h"
#include "passes/plan_memory.h"
#include "tests/end_to_end/support.h"
#include "tests/properties/op_cases.h"

#include <algorithm>
#include <cmath>
#include <doctest/doctest.h>
#include <fmt/format.h>
#include <fstream>

using namespace sinter;

namespace {

constexpr int64_t kSamples = 3;
constexpr size_t kCasesPerProgram = 64; // `run` takes 256 inputs

/// Not on devices: these call a function of the processor's.
bool is_for_processor(OpKind kind) { return std::string(name(kind)).rfind("bf16_", 0) == 0; }

/// Every case with leaves of its own. What the runtime knows (a random key, a learning rate) is
/// given like any other input.
struct Collection {
  Graph graph;
  std::vector<std::string> texts; // by output

  void add(const OpCase &c) {
    const std::string prefix = fmt::format("c{}_", texts.size());
    const int first = graph.size();
    for (int i = 0; i < c.graph.size(); ++i) {
      const Node &node = c.graph[NodeId{i}];
      Attrs attributes = node.attrs;
      if (InputAttrs *input = std::get_if<InputAttrs>(&attributes)) {
        input->name = prefix + input->name;
        input->role = "data";
      } else if (ParameterAttrs *parameter = std::get_if<ParameterAttrs>(&attributes)) {
        parameter->name = prefix + parameter->name;
      }
      std::vector<NodeId> inputs = node.inputs;
      for (NodeId &input : inputs)
        input.index += first;
      graph.append(node.kind, inputs, attributes);
    }
    const NodeId result{first + c.result().index};
    graph.outputs.push_back({prediction_output(fmt::format("y{}", texts.size())), result});
    texts.push_back(c.text);
  }
};

std::vector<Collection> all_cases(int count, uint64_t seed) {
  std::vector<Collection> all(1);
  for (OpKind kind : all_op_kinds())
    if (op_def(kind).compute && !op_def(kind).traits.view && !is_for_processor(kind))
      for (const OpCase &c : op_cases(kind, count, seed)) {
        if (c.graph.type(c.result()).blocked()) // a program's results are row-major
          continue;
        if (all.back().texts.size() == kCasesPerProgram)
          all.emplace_back();
        all.back().add(c);
      }
  return all;
}

Program program_of(const Graph &graph) {
  Program program;
  program.name = program.model.name = "ops";
  program.model.graph = graph;
  program.parameters = place_parameters({&graph});
  for (ParameterSlot &slot : program.parameters) // inference has no memory for an optimizer's state
    slot.attrs.role = "weight";
  program.parameter_bytes = region_bytes(program.parameters);
  program.infer = make_plan(graph);
  plan_memory(program.infer, program.parameters);
  return program;
}

/// How far the values are from the expected ones, as check_kernels.h measures it, in tolerances.
double error_of(const Array &actual, const Array &expected) {
  const bool exact = expected.type.element != ElementType::f32;
  double largest = 0, error = 0, different = 0;
  for (int64_t i = 0; i < expected.size(); ++i) {
    if (actual[i] == expected[i] || (std::isnan(actual[i]) && std::isnan(expected[i])))
      continue;
    const double difference = std::fabs(actual[i] - expected[i]);
    error = std::isfinite(difference) ? std::max(error, difference) : HUGE_VAL;
    different += 1;
  }
  for (const double value : expected.values)
    largest = std::isfinite(value) ? std::max(largest, std::fabs(value)) : largest;
  if (exact)
    return different / static_cast<double>(expected.size()) / kIndexTolerance;
  return std::min(error / kAbsoluteTolerance, error / std::max(largest, 1e-30) / kKernelTolerance);
}

std::vector<InitialWeights> weights_of(const Graph &graph, const NamedArrays &values) {
  std::vector<InitialWeights> weights;
  for (const NodeId id : graph.all(OpKind::parameter)) {
    const std::string &parameter = attrs<ParameterAttrs>(graph[id]).name;
    const std::vector<double> &numbers = values.at(parameter).values;
    weights.push_back({parameter, {numbers.begin(), numbers.end()}});
  }
  return weights;
}

/// Builds the program and its inputs' files. Returns whether there is a device for it here.
bool prepare(const Collection &cases, const NamedArrays &values, const std::string &folder) {
  BuildOptions options;
  options.target = "opencl";
  options.output = folder + "/ops";
  options.weights = weights_of(cases.graph, values);
  build_cached(program_of(cases.graph), options);
  for (const NodeId id : cases.graph.all(OpKind::input))
    write_npy(fmt::format("{}/{}.npy", folder, attrs<InputAttrs>(cases.graph[id]).name),
              values.at(leaf_name(cases.graph, id)));
  const CommandResult info = run_command(folder + "/ops info");
  if (info.status != 0) // PoCL ends the process where it cannot tell how much memory there is
    MESSAGE("skipped: there is no OpenCL device here: " << info.output);
  return info.status == 0;
}

std::string run_arguments(const Collection &cases) {
  std::string arguments = "run";
  for (const NodeId id : cases.graph.all(OpKind::input))
    arguments += fmt::format(" --input={0}=@{0}.npy", attrs<InputAttrs>(cases.graph[id]).name);
  for (size_t i = 0; i < cases.texts.size(); ++i)
    arguments +=
        cases.texts.size() == 1 ? " --output=@y0.npy" : fmt::format(" --output=y{0}=@y{0}.npy", i);
  return arguments;
}

void check(const Collection &cases) {
  const Graph &graph = cases.graph;
  const std::string folder = fresh_folder("device_kernels");
  const NamedArrays values = random_inputs(graph, kSamples, /*seed=*/1);
  if (!prepare(cases, values, folder))
    return;
  const CommandResult run = run_command("cd " + folder + " && ./ops " + run_arguments(cases));
  REQUIRE_MESSAGE(run.status == 0, run.output);
  const std::vector<Array> expected = evaluate(graph, kSamples, values);
  for (size_t i = 0; i < cases.texts.size(); ++i) {
    const NodeId result = graph.outputs[i].value;
    const Array actual =
        read_npy(fmt::format("{}/y{}.npy", folder, i), graph.type(result), kSamples);
    CAPTURE(cases.texts[i]);
    CHECK(error_of(actual, expected[static_cast<size_t>(result.index)]) <= 1);
  }
}

} // namespace

TEST_CASE("every op's kernel on a device agrees with the reference") {
  for (const Collection &cases : all_cases(/*count=*/2, /*seed=*/5))
    check(cases);
}

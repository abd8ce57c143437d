#include "backends/onnx/onnx_file.h"

#include "backends/onnx/operator_writers.h"
#include "ir/diagnostics.h"

#include <fmt/format.h>
#include <set>

namespace sinter {

namespace {

/// How often each node is an operand or an output of what predictions need; 0: not needed.
std::vector<int> uses_for_predictions(const Graph &graph) {
  std::vector<int> uses(static_cast<size_t>(graph.size()), 0);
  for (const Output &output : graph.outputs)
    if (is_prediction(output))
      ++uses[static_cast<size_t>(output.value.index)];
  for (size_t i = uses.size(); i-- > 0;) {
    if (uses[i] == 0)
      continue;
    const Node &node = graph.nodes()[i];
    const size_t operands = node.kind == OpKind::in_training ? 1 : node.inputs.size();
    for (size_t operand = 0; operand < operands; ++operand)
      ++uses[static_cast<size_t>(node.inputs[operand].index)];
  }
  return uses;
}

void refuse_what_onnx_lacks(const Graph &graph, const std::vector<int> &uses) {
  std::set<std::string> problems;
  for (size_t i = 0; i < uses.size(); ++i) {
    const Node &node = graph.nodes()[i];
    if (uses[i] > 0 && !find_operator_writer(node.kind))
      problems.insert(node.layer.empty()
                          ? fmt::format("{} (%{})", name(node.kind), i)
                          : fmt::format("{} (layer {})", name(node.kind), node.layer));
  }
  if (!problems.empty())
    throw CompileError({}, "ONNX has no operators for: {}", fmt::join(problems, ", "));
}

/// The program's arguments, whether predictions need them or not.
void write_inputs(WrittenGraph &written) {
  for (const NodeId id : written.graph.all(OpKind::input)) {
    const auto &input = attrs<InputAttrs>(written.graph[id]);
    if (input.role != "data" && written.uses[static_cast<size_t>(id.index)] == 0)
      continue;
    const std::string name = written.message.unique_name(input.name);
    written.message.add_input(name, input.type);
    NodeWriter(written, id).result(name);
  }
}

void write_nodes(WrittenGraph &written) {
  for (int i = 0; i < written.graph.size(); ++i) {
    if (written.uses[static_cast<size_t>(i)] == 0)
      continue;
    NodeWriter writer(written, NodeId{i});
    const OperatorWriter &entry = *find_operator_writer(writer.node().kind);
    entry.write(writer, entry.op);
  }
}

/// A node's result takes the output's name; what is an input, a weight or another output as well is
/// passed on.
void write_outputs(WrittenGraph &written, const std::vector<Output> &outputs) {
  OnnxMessage &message = written.message;
  std::vector<std::string> values;
  for (const Output &output : outputs)
    values.push_back(NodeWriter(written, output.value).own_value());
  std::map<std::string, std::string> renamed;
  for (size_t i = 0; i < outputs.size(); ++i) {
    const std::string name = outputs[i].name;
    const auto other = renamed.find(values[i]);
    if (other != renamed.end() || !message.producer(values[i]))
      values[i] =
          message.add_node(name, "Identity", {other == renamed.end() ? values[i] : other->second})
              .output(0);
    message.rename(values[i], name);
    renamed.emplace(values[i], name);
    message.add_output(name, written.graph.type(outputs[i].value));
  }
}

/// The predictions, under the names that they have in the file.
std::vector<Output> named_predictions(const Graph &graph, OnnxMessage &message) {
  std::vector<Output> outputs;
  for (const Output &output : graph.outputs)
    if (is_prediction(output))
      outputs.push_back({message.unique_name(prediction_name(output)), output.value});
  return outputs;
}

} // namespace

std::string onnx_file(const Model &model, const ParameterValues &parameters) {
  const Graph &graph = model.graph;
  OnnxMessage message(model.name.empty() ? "model" : model.name);
  WrittenGraph written{graph, parameters, message, {}, uses_for_predictions(graph), ""};
  refuse_what_onnx_lacks(graph, written.uses);
  written.values.resize(static_cast<size_t>(graph.size()));
  for (const NodeId id : graph.all(OpKind::parameter))
    message.unique_name(attrs<ParameterAttrs>(graph[id]).name);
  write_inputs(written);
  const std::vector<Output> outputs = named_predictions(graph, message);
  write_nodes(written);
  write_outputs(written, outputs);
  return message.bytes();
}

} // namespace sinter

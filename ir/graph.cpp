#include "ir/graph.h"

#include "ir/diagnostics.h"
#include "ir/op.h"

#include <algorithm>

namespace sinter {

namespace {

const std::string kPrediction = "prediction";

void check_arity(const OpDef &def, OpKind kind, size_t count) {
  const auto inputs = static_cast<int>(count);
  const bool fits = inputs >= def.min_inputs && (def.max_inputs < 0 || inputs <= def.max_inputs);
  SINTER_ASSERT(fits, "{} takes {} to {} operands, got {}", name(kind), def.min_inputs,
                def.max_inputs, inputs);
}

} // namespace

bool is_prediction(const Output &output) {
  return output.name == kPrediction || output.name.rfind(kPrediction + ":", 0) == 0;
}

std::string prediction_name(const Output &output) {
  SINTER_ASSERT(is_prediction(output), "{} is no prediction", output.name);
  return output.name == kPrediction ? kPrediction : output.name.substr(kPrediction.size() + 1);
}

std::string prediction_output(const std::string &prediction) {
  return prediction == kPrediction ? kPrediction : kPrediction + ":" + prediction;
}

NodeId Graph::append(OpKind kind, std::vector<NodeId> inputs, Attrs attrs, std::string layer,
                     SourceLocation location) {
  const OpDef &def = op_def(kind);
  check_arity(def, kind, inputs.size());
  SINTER_ASSERT(attrs.index() == default_attrs(kind).index(),
                "{} was given another op's attributes", name(kind));
  std::vector<TensorType> operands;
  operands.reserve(inputs.size());
  for (NodeId input : inputs) {
    SINTER_ASSERT(input.valid() && input.index < size(), "operand %{} of {} is not in the graph",
                  input.index, name(kind));
    operands.push_back(type(input));
  }
  TensorType result = def.infer_type({kind, operands, attrs, location, layer});
  if (!checked_element_count(result.shape))
    throw CompileError(location, "the result of {} has shape {}, beyond the limit of {} elements",
                       name(kind), str(result.shape), kMaxElements);
  nodes_.push_back({kind, std::move(attrs), std::move(inputs), std::move(result), std::move(layer),
                    std::move(location)});
  return {size() - 1};
}

std::vector<std::vector<NodeId>> Graph::users() const {
  std::vector<std::vector<NodeId>> result(nodes_.size());
  for (int i = 0; i < size(); ++i)
    for (NodeId input : nodes_[static_cast<size_t>(i)].inputs) {
      std::vector<NodeId> &list = result[static_cast<size_t>(input.index)];
      if (list.empty() || list.back() != NodeId{i}) // x * x uses x once
        list.push_back({i});
    }
  return result;
}

NodeId Graph::find_output(const std::string &output_name) const {
  for (const Output &output : outputs)
    if (output.name == output_name)
      return output.value;
  return {};
}

NodeId Graph::find_parameter(const std::string &parameter_name) const {
  for (NodeId id : all(OpKind::parameter))
    if (attrs<ParameterAttrs>((*this)[id]).name == parameter_name)
      return id;
  return {};
}

std::vector<NodeId> Graph::all(OpKind kind) const {
  std::vector<NodeId> result;
  for (int i = 0; i < size(); ++i)
    if (nodes_[static_cast<size_t>(i)].kind == kind)
      result.push_back({i});
  return result;
}

NodeId RewriteContext::append(OpKind kind, std::vector<NodeId> operands, Attrs attributes) const {
  return after.append(kind, std::move(operands), std::move(attributes), node().layer,
                      node().location);
}

Graph rewrite(const Graph &before,
              const std::function<std::optional<NodeId>(const RewriteContext &)> &rule) {
  Graph after;
  std::vector<NodeId> map;
  map.reserve(before.nodes().size());
  const auto mapped = [&](NodeId old) { return map[static_cast<size_t>(old.index)]; };
  for (int i = 0; i < before.size(); ++i) {
    const Node &node = before[{i}];
    std::vector<NodeId> inputs;
    inputs.reserve(node.inputs.size());
    for (NodeId input : node.inputs)
      inputs.push_back(mapped(input));
    const RewriteContext context{before, {i}, after, map, inputs};
    std::optional<NodeId> replacement = rule(context);
    map.push_back(replacement ? *replacement
                              : after.append(node.kind, std::move(inputs), node.attrs, node.layer,
                                             node.location));
  }
  for (const Output &output : before.outputs)
    after.outputs.push_back({output.name, mapped(output.value)});
  for (const Update &update : before.updates)
    after.updates.push_back({mapped(update.parameter), mapped(update.value)});
  return after;
}

} // namespace sinter

#include "ir/verify.h"

#include "ir/diagnostics.h"
#include "ir/op.h"

#include <set>

namespace sinter {

namespace {

void verify_node(const Graph &graph, NodeId id) {
  const Node &node = graph[id];
  const OpDef &def = op_def(node.kind);
  const auto count = static_cast<int>(node.inputs.size());
  SINTER_ASSERT(count >= def.min_inputs && (def.max_inputs < 0 || count <= def.max_inputs),
                "invariant 2: %{} = {} has {} operands", id.index, name(node.kind), count);
  SINTER_ASSERT(node.attrs.index() == default_attrs(node.kind).index(),
                "invariant 3: %{} = {} has another op's attributes", id.index, name(node.kind));
  std::vector<TensorType> operands;
  for (NodeId input : node.inputs) {
    SINTER_ASSERT(input.valid() && input < id, "invariant 1: %{} = {} uses %{}", id.index,
                  name(node.kind), input.index);
    operands.push_back(graph.type(input));
  }
  const TensorType inferred =
      def.infer_type({node.kind, operands, node.attrs, node.location, node.layer});
  SINTER_ASSERT(inferred == node.type, "invariant 4: %{} = {} has type {}, inferred {}", id.index,
                name(node.kind), node.type.str(), inferred.str());
  for (size_t i = 1; i < node.type.shape.size(); ++i)
    SINTER_ASSERT(node.type.shape[i] > 0, "invariant 8: %{} = {} has type {}", id.index,
                  name(node.kind), node.type.str());
}

void verify_names(const Graph &graph) {
  std::set<std::string> names;
  for (NodeId id : graph.all(OpKind::parameter)) {
    const std::string &parameter = attrs<ParameterAttrs>(graph[id]).name;
    SINTER_ASSERT(!parameter.empty() && names.insert("parameter " + parameter).second,
                  "invariant 7: parameter name \"{}\" at %{}", parameter, id.index);
  }
  for (NodeId id : graph.all(OpKind::input)) {
    const std::string &input = attrs<InputAttrs>(graph[id]).name;
    SINTER_ASSERT(!input.empty() && names.insert("input " + input).second,
                  "invariant 7: input name \"{}\" at %{}", input, id.index);
  }
}

void verify_results(const Graph &graph) {
  const auto exists = [&](NodeId id) { return id.valid() && id.index < graph.size(); };
  std::set<std::string> names;
  for (const Output &output : graph.outputs)
    SINTER_ASSERT(exists(output.value) && names.insert(output.name).second,
                  "invariant 5: output \"{}\" %{}", output.name, output.value.index);
  std::set<NodeId> updated;
  for (const Update &update : graph.updates) {
    SINTER_ASSERT(exists(update.parameter) && exists(update.value), "invariant 6: update %{} %{}",
                  update.parameter.index, update.value.index);
    SINTER_ASSERT(graph[update.parameter].kind == OpKind::parameter &&
                      updated.insert(update.parameter).second &&
                      graph.type(update.parameter) == graph.type(update.value),
                  "invariant 6: update %{} : {} by {}", update.parameter.index,
                  graph.type(update.parameter).str(), graph.type(update.value).str());
  }
}

} // namespace

void verify(const Graph &graph) {
  for (int i = 0; i < graph.size(); ++i)
    verify_node(graph, {i});
  verify_names(graph);
  verify_results(graph);
}

} // namespace sinter

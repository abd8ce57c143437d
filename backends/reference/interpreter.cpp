#include "backends/reference/interpreter.h"

#include "backends/reference/reference_ops.h"
#include "ir/diagnostics.h"

namespace sinter {

namespace {

using ReferenceOp = void (*)(const Evaluation &);

constexpr ReferenceOp kReferenceOps[] = {
#define OP(name, attributes) reference::name,
#include "ir/ops.def"
#undef OP
};

/// The given value of an input or a parameter under the graph's own type: a caller may hold the
/// same logical tensor under another storage block.
Array named_value(const NamedArrays &inputs, const std::string &name, const TensorType &type,
                  int64_t batch) {
  const auto found = inputs.find(name);
  SINTER_ASSERT(found != inputs.end(), "no value given for '{}'", name);
  Array value = found->second;
  SINTER_ASSERT(value.extents() == with_batch(type.shape, batch), "'{}' is {}, needs {}", name,
                str(value.extents()), type.str());
  value.type = type;
  value.batch = batch;
  return value;
}

Array evaluate_leaf_or_op(const Graph &graph, NodeId id, int64_t batch, const NamedArrays &inputs,
                          const std::vector<Array> &values) {
  const Node &node = graph[id];
  if (node.kind == OpKind::input || node.kind == OpKind::parameter)
    return named_value(inputs, leaf_name(graph, id), node.type, batch);
  std::vector<const Array *> operands;
  for (NodeId input : node.inputs)
    operands.push_back(&values[static_cast<size_t>(input.index)]);
  return evaluate_node(node, batch, operands);
}

/// How often each node is read on the way to `wanted`; a wanted node counts as read once more,
/// and a node that nothing needs has zero.
std::vector<int> count_reads(const Graph &graph, const std::vector<NodeId> &wanted) {
  std::vector<int> reads(static_cast<size_t>(graph.size()), 0);
  for (NodeId id : wanted)
    ++reads[static_cast<size_t>(id.index)];
  for (int i = graph.size() - 1; i >= 0; --i)
    if (reads[static_cast<size_t>(i)] > 0)
      for (NodeId input : graph[NodeId{i}].inputs)
        ++reads[static_cast<size_t>(input.index)];
  return reads;
}

} // namespace

std::string leaf_name(const Graph &graph, NodeId id) {
  const Node &node = graph[id];
  if (node.kind == OpKind::parameter)
    return attrs<ParameterAttrs>(node).name;
  const std::string &name = attrs<InputAttrs>(node).name;
  return graph.find_parameter(name).valid() ? "input " + name : name;
}

Array evaluate_node(const Node &node, int64_t batch, const std::vector<const Array *> &operands) {
  Array result(node.type, batch);
  kReferenceOps[static_cast<size_t>(node.kind)](Evaluation{node, operands, result});
  return result;
}

std::vector<Array> evaluate(const Graph &graph, int64_t batch, const NamedArrays &inputs,
                            const std::vector<NodeId> &wanted) {
  std::vector<int> reads = wanted.empty() ? std::vector<int>() : count_reads(graph, wanted);
  std::vector<Array> values(static_cast<size_t>(graph.size()));
  for (int i = 0; i < graph.size(); ++i) {
    if (!wanted.empty() && reads[static_cast<size_t>(i)] == 0)
      continue;
    values[static_cast<size_t>(i)] = evaluate_leaf_or_op(graph, {i}, batch, inputs, values);
    if (wanted.empty())
      continue;
    for (NodeId input : graph[NodeId{i}].inputs)
      if (--reads[static_cast<size_t>(input.index)] == 0)
        values[static_cast<size_t>(input.index)] = Array();
  }
  return values;
}

void evaluate_updates(const Graph &graph, int64_t batch, NamedArrays &values) {
  std::vector<NodeId> wanted;
  for (const Update &update : graph.updates)
    wanted.push_back(update.value);
  if (wanted.empty())
    return;
  std::vector<Array> results = evaluate(graph, batch, values, wanted);
  for (const Update &update : graph.updates)
    values[attrs<ParameterAttrs>(graph[update.parameter]).name] =
        results[static_cast<size_t>(update.value.index)];
}

Array reevaluate(const Graph &graph, int64_t batch, const std::vector<Array> &values,
                 NodeId changed, const Array &value, NodeId wanted) {
  const std::vector<int> reads = count_reads(graph, {wanted});
  std::map<NodeId, Array> recomputed;
  recomputed.emplace(changed, value);
  for (int i = changed.index + 1; i <= wanted.index; ++i) {
    if (reads[static_cast<size_t>(i)] == 0)
      continue;
    std::vector<const Array *> operands;
    bool affected = false;
    for (NodeId input : graph[NodeId{i}].inputs) {
      const auto found = recomputed.find(input);
      affected = affected || found != recomputed.end();
      operands.push_back(found != recomputed.end() ? &found->second
                                                   : &values[static_cast<size_t>(input.index)]);
    }
    if (affected)
      recomputed.emplace(NodeId{i}, evaluate_node(graph[NodeId{i}], batch, operands));
  }
  const auto found = recomputed.find(wanted);
  return found != recomputed.end() ? found->second : values[static_cast<size_t>(wanted.index)];
}

} // namespace sinter

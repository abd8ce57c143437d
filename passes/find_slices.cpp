#include "passes/find_slices.h"

#include "ir/op.h"

#include <algorithm>

namespace sinter {

namespace {

/// Elements of a row below which kernels would have no use for their vectors.
constexpr int64_t kShortestRow = 8;

bool is_view(const Graph &graph, NodeId id) { return op_def(graph[id].kind).traits.view; }

bool is_leaf(const Graph &graph, NodeId id) {
  return op_def(graph[id].kind).traits.op_class == OpClass::leaf;
}

/// Whether a node reads the value's memory through a view.
bool is_viewed(const Partition &partition, NodeId value) {
  const Graph &graph = partition.graph();
  const std::vector<NodeId> &users = partition.users(value);
  return std::any_of(users.begin(), users.end(), [&](NodeId user) {
    const std::vector<NodeId> &inputs = graph[user].inputs;
    return std::any_of(inputs.begin(), inputs.end(), [&](NodeId input) {
      return input != value && storage_root(graph, input) == value;
    });
  });
}

bool joins_rows(const Graph &graph, NodeId concat) {
  const int last = graph.type(concat).rank() - 1;
  return graph[concat].kind == OpKind::concat && attrs<AxisAttrs>(graph[concat]).axis == last &&
         last >= 1;
}

/// Whether all dimensions but the last are whole.
bool cuts_rows_only(const Graph &graph, NodeId slice) {
  const Shape &from = graph.type(graph[slice].inputs[0]).shape;
  const Shape &to = graph.type(slice).shape;
  return std::equal(from.begin(), from.end() - 1, to.begin(), to.end() - 1);
}

bool takes_every_element(const SliceAttrs &slice) {
  return std::all_of(slice.step.begin(), slice.step.end(), [](int64_t step) { return step == 1; });
}

} // namespace

namespace {

/// The same as refuse_part, whatever the operand lies in.
const char *refuse_operand(const Partition &partition, NodeId operand, NodeId concat) {
  const Graph &graph = partition.graph();
  const std::vector<NodeId> &inputs = graph[concat].inputs;
  if (is_leaf(graph, operand))
    return "the program gives it";
  if (is_view(graph, operand))
    return "a reshape lies between";
  if (is_viewed(partition, operand))
    return "it is read under another shape, too";
  if (partition.is_result(operand))
    return "it is a result of the program";
  if (graph.type(operand).shape.back() < kShortestRow)
    return "its rows are short";
  return std::count(inputs.begin(), inputs.end(), operand) > 1 ? "it is there twice" : nullptr;
}

/// Whether the operands, were they all copied, could lie in the concatenation.
bool can_be_assembled(const Partition &partition, NodeId concat) {
  const std::vector<NodeId> &inputs = partition.graph()[concat].inputs;
  return !refuse_assembly(partition, concat) &&
         std::none_of(inputs.begin(), inputs.end(), [&](NodeId input) {
           return refuse_operand(partition, input, concat) != nullptr;
         });
}

} // namespace

const char *refuse_part(const Partition &partition, NodeId operand, NodeId concat) {
  if (const char *reason = refuse_operand(partition, operand, concat))
    return reason;
  const Slice slice = partition.slice(operand);
  return slice.base.valid() && slice.base != concat ? "it lies in another value" : nullptr;
}

const char *refuse_assembly(const Partition &partition, NodeId concat) {
  if (!joins_rows(partition.graph(), concat))
    return "it is not along the last dimension";
  return partition.is_update(concat) ? "it is the new value of a parameter" : nullptr;
}

const char *refuse_extraction(const Partition &partition, NodeId slice) {
  const Graph &graph = partition.graph();
  const NodeId operand = graph[slice].inputs[0];
  const NodeId root = storage_root(graph, operand);
  if (graph.type(slice).rank() < 2 || !cuts_rows_only(graph, slice))
    return "other dimensions than the last are cut";
  if (!takes_every_element(attrs<SliceAttrs>(graph[slice])))
    return "it skips elements";
  if (graph[root].kind == OpKind::constant || graph[root].kind == OpKind::parameter)
    return "its operand is a parameter or a constant";
  if (graph.type(slice).shape.back() < kShortestRow)
    return "its rows are short";
  if (is_viewed(partition, slice))
    return "it is read under another shape, too";
  if (partition.is_result(slice))
    return "it is a result of the program";
  // One copy then makes the whole concatenation free.
  const std::vector<NodeId> &users = partition.users(slice);
  const bool wanted = std::any_of(users.begin(), users.end(), [&](NodeId user) {
    return graph[user].kind == OpKind::concat && can_be_assembled(partition, user);
  });
  return wanted ? "a concatenation wants it" : nullptr;
}

std::vector<Slice> find_slices(const Partition &partition) {
  const Graph &graph = partition.graph();
  std::vector<Slice> slices(graph.nodes().size());
  const auto at = [&](NodeId id) -> Slice & { return slices[static_cast<size_t>(id.index)]; };
  const auto assemble = [&](NodeId concat) {
    const std::vector<NodeId> &inputs = graph[concat].inputs;
    const bool parts = std::none_of(inputs.begin(), inputs.end(), [&](NodeId input) {
      return at(input).base.valid() || refuse_part(partition, input, concat);
    });
    int64_t begin = 0;
    for (NodeId input : inputs)
      if (parts) {
        at(input) = {concat, begin};
        begin += graph.type(input).shape.back();
      }
  };
  for (int i = 0; i < graph.size(); ++i) {
    const NodeId id{i};
    if (graph[id].kind == OpKind::concat && !refuse_assembly(partition, id))
      assemble(id);
    else if (graph[id].kind == OpKind::slice && !refuse_extraction(partition, id))
      at(id) = {graph[id].inputs[0], attrs<SliceAttrs>(graph[id]).begin.back()};
  }
  return slices;
}

} // namespace sinter

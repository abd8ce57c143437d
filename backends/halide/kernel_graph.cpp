#include "backends/halide/kernel_graph.h"

#include "ir/diagnostics.h"
#include "ir/op.h"
#include "ir/print.h"

#include <algorithm>
#include <fmt/format.h>
#include <functional>
#include <map>

namespace sinter {

namespace {

/// The leaf that stands for argument number `index`. Only a parameter may be blocked.
NodeId append_argument(Graph &graph, size_t index, const TensorType &type) {
  const std::string name = fmt::format("a{}", index);
  if (type.blocked()) {
    ParameterAttrs parameter;
    parameter.name = name;
    parameter.role = "prepared"; // may have any element type
    parameter.type = type;
    return graph.append(OpKind::parameter, {}, parameter);
  }
  return graph.append(OpKind::input, {}, InputAttrs{name, "data", type});
}

/// Copies nodes of a plan into a kernel's own graph, operands first.
class Extraction {
public:
  Extraction(const Graph &from, Graph &to) : from_(from), to_(to) {}

  void bind(NodeId old_id, NodeId new_id) { map_[old_id] = new_id; }

  /// The new id; copies the node when it has none yet (constants and views on the way).
  NodeId copy(NodeId id) {
    const auto known = map_.find(id);
    if (known != map_.end())
      return known->second;
    const Node &node = from_[id];
    SINTER_ASSERT(node.kind == OpKind::constant || op_def(node.kind).traits.view,
                  "{} is neither in the kernel nor among its inputs", print_node(from_, id));
    return append(id);
  }

  NodeId append(NodeId id) {
    const Node &node = from_[id];
    std::vector<NodeId> inputs;
    for (NodeId input : node.inputs)
      inputs.push_back(copy(input));
    const NodeId result = to_.append(node.kind, inputs, node.attrs);
    bind(id, result);
    return result;
  }

private:
  const Graph &from_;
  Graph &to_;
  std::map<NodeId, NodeId> map_;
};

KernelGraph cut_out(const Plan &plan, const Kernel &kernel) {
  KernelGraph result;
  Extraction extraction(plan.graph, result.graph);
  for (NodeId input : kernel.inputs) {
    result.inputs.push_back(
        append_argument(result.graph, result.inputs.size(), plan.graph.type(input)));
    extraction.bind(input, result.inputs.back());
  }
  for (NodeId node : kernel.nodes)
    extraction.append(node);
  for (NodeId output : kernel.outputs)
    result.outputs.push_back(extraction.copy(output));
  const auto note_pitches = [&](const std::vector<NodeId> &values,
                                const std::vector<NodeId> &arguments) {
    for (size_t i = 0; i < values.size(); ++i)
      if (const int64_t pitch = plan.locate(values[i]).pitch) {
        result.pitches.resize(result.graph.nodes().size(), 0);
        result.pitches[static_cast<size_t>(arguments[i].index)] = pitch;
      }
  };
  note_pitches(kernel.inputs, result.inputs);
  note_pitches(kernel.outputs, result.outputs);
  return result;
}

bool is_elementwise(const Graph &graph) {
  return std::all_of(graph.nodes().begin(), graph.nodes().end(), [](const Node &node) {
    const OpClass op_class = op_def(node.kind).traits.op_class;
    return op_class == OpClass::elementwise || op_class == OpClass::leaf;
  });
}

/// The largest type: what the others broadcast to.
const TensorType *full_type(const Graph &graph) {
  const TensorType *full = nullptr;
  for (const Node &node : graph.nodes())
    if (!full || node.type.elements() > full->elements() || node.type.rank() > full->rank())
      full = &node.type;
  return full;
}

/// The extent of `shape` at dimension d of a result of rank `rank`: aligned right, 1 when absent.
int64_t aligned_extent(const Shape &shape, size_t rank, size_t d) {
  const size_t missing = rank - shape.size();
  return d < missing ? 1 : shape[d - missing];
}

/// Which dimensions d of the full shape may merge with d + 1: in every tensor both are full or
/// both are broadcast. Where rows lie apart in memory they stay rows.
std::vector<bool> mergeable_dimensions(const Graph &graph, const Shape &full, bool dense) {
  std::vector<bool> merge(full.size(), false);
  for (size_t d = 0; d + (dense ? 1 : 2) < full.size(); ++d)
    merge[d] = full[d] != kBatch &&
               std::all_of(graph.nodes().begin(), graph.nodes().end(), [&](const Node &node) {
                 const int64_t a = aligned_extent(node.type.shape, full.size(), d);
                 const int64_t b = aligned_extent(node.type.shape, full.size(), d + 1);
                 return (a == full[d] && b == full[d + 1]) || (a == 1 && b == 1);
               });
  return merge;
}

/// A shape with the merged dimensions multiplied; leading ones of broadcast operands fall away.
Shape merged_shape(const Shape &shape, const Shape &full, const std::vector<bool> &merge) {
  Shape result;
  for (size_t d = 0; d < full.size(); ++d) {
    const int64_t extent = aligned_extent(shape, full.size(), d);
    if (d > 0 && merge[d - 1])
      result.back() *= extent;
    else
      result.push_back(extent);
  }
  if (shape != full)
    while (!result.empty() && result.front() == 1)
      result.erase(result.begin());
  return result;
}

/// How each type of an elementwise kernel looks with merged dimensions, or nothing.
std::function<TensorType(const TensorType &)> merging(const Graph &graph, bool dense) {
  const TensorType full = *full_type(graph);
  if (full.blocked()) {
    // Storage is contiguous as long as every other operand is a scalar.
    for (const Node &node : graph.nodes())
      if (node.type.shape != full.shape ? node.type.rank() > 0 : node.type.block != full.block)
        return {};
    return [full](const TensorType &type) {
      return type.rank() == 0 ? type : TensorType{type.element, {type.storage_elements()}, 0};
    };
  }
  for (const Node &node : graph.nodes())
    if (node.type.blocked() || broadcast_shapes(node.type.shape, full.shape) != full.shape)
      return {};
  const std::vector<bool> merge = mergeable_dimensions(graph, full.shape, dense);
  if (std::find(merge.begin(), merge.end(), true) == merge.end())
    return {};
  return [full, merge](const TensorType &type) {
    return TensorType{type.element, merged_shape(type.shape, full.shape, merge), 0};
  };
}

/// Attributes that spell the shape out must change with it.
Attrs merged_attrs(const Node &node, const Shape &shape) {
  Attrs attrs = node.attrs;
  if (auto *mask = std::get_if<DropoutMaskAttrs>(&attrs))
    mask->shape = shape;
  else if (auto *uniform = std::get_if<RandomUniformAttrs>(&attrs))
    uniform->shape = shape;
  return attrs;
}

/// The kernel's graph with other types, or nothing where an op does not infer them.
std::optional<Graph> retyped(const Graph &graph,
                             const std::function<TensorType(const TensorType &)> &merged) {
  Graph result;
  for (int i = 0; i < graph.size(); ++i) {
    const Node &node = graph[NodeId{i}];
    const TensorType type = merged(node.type);
    if (node.kind == OpKind::constant) {
      ConstantAttrs attrs = sinter::attrs<ConstantAttrs>(node);
      attrs.type = type;
      result.append(node.kind, {}, attrs);
    } else if (node.inputs.empty()) {
      append_argument(result, static_cast<size_t>(i), type);
    } else {
      // A bias of one channel becomes a scalar, which bias_add does not take but add does.
      const OpKind kind = node.kind == OpKind::bias_add ? OpKind::add : node.kind;
      result.append(kind, node.inputs, merged_attrs(node, type.shape));
    }
    if (result.type(NodeId{i}) != type)
      return std::nullopt;
  }
  return result;
}

/// The same kernel over merged dimensions, or itself where nothing merges.
KernelGraph merge_dimensions(const KernelGraph &kernel) {
  if (!is_elementwise(kernel.graph))
    return kernel;
  const auto merged = merging(kernel.graph, kernel.pitches.empty());
  if (!merged)
    return kernel;
  try {
    if (std::optional<Graph> graph = retyped(kernel.graph, merged))
      return {std::move(*graph), kernel.inputs, kernel.outputs, kernel.pitches};
  } catch (const CompileError &) { // an op whose type rule looks at the rank
  }
  return kernel;
}

} // namespace

std::string KernelGraph::text() const {
  std::string text = print(graph);
  const auto add = [&](const char *name, const std::vector<NodeId> &arguments) {
    text += name;
    for (NodeId id : arguments)
      text += fmt::format(" %{}{}", id.index, pitch(id) ? fmt::format("/{}", pitch(id)) : "");
    text += "\n";
  };
  add("inputs", inputs);
  add("outputs", outputs);
  return text;
}

int64_t KernelGraph::extent_in_memory(NodeId id) const {
  const TensorType &type = graph.type(id);
  return pitch(id) ? type.elements() / type.shape.back() * pitch(id) : type.storage_elements();
}

KernelGraph extract_kernel(const Plan &plan, const Kernel &kernel) {
  return merge_dimensions(cut_out(plan, kernel));
}

} // namespace sinter

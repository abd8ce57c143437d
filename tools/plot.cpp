#include "tools/plot.h"

#include "ir/op.h"

#include <fmt/format.h>
#include <map>
#include <set>

namespace sinter {

namespace {

/// Inside a quoted DOT string.
std::string escaped(const std::string &text) {
  std::string result;
  for (const char c : text) {
    if (c == '"' || c == '\\')
      result += '\\';
    result += c;
  }
  return result;
}

std::string box(const std::string &id, const std::string &title, const std::string &detail,
                const char *style) {
  return fmt::format("  \"{}\" [label=\"{}\\n{}\"{}];\n", escaped(id), escaped(title),
                     escaped(detail), style);
}

std::string arrow(const std::string &from, const std::string &to) {
  return fmt::format("  \"{}\" -> \"{}\";\n", escaped(from), escaped(to));
}

constexpr const char *kEnd = ", style=rounded"; // of what goes in and comes out

std::string layer_boxes(const Model &model) {
  std::string text;
  for (const LayerRecord &layer : model.layers)
    text += box(layer.name, fmt::format("{} ({})", layer.name, layer.type),
                model.graph.type(layer.output).str(), layer.inbound.empty() ? kEnd : "");
  for (const LayerRecord &layer : model.layers)
    for (const std::string &source : layer.inbound)
      text += arrow(source, layer.name);
  return text;
}

bool is_value(const Node &node) {
  return node.kind == OpKind::input || op_def(node.kind).traits.op_class != OpClass::leaf;
}

std::string operation_boxes(const Graph &graph) {
  const auto id_of = [](NodeId id) { return fmt::format("%{}", id.index); };
  std::string boxes;
  std::string arrows;
  for (int i = 0; i < graph.size(); ++i) {
    const Node &node = graph[{i}];
    if (!is_value(node))
      continue;
    const bool is_input = node.kind == OpKind::input;
    const std::string named = is_input ? attrs<InputAttrs>(node).name : node.layer;
    boxes += box(id_of({i}),
                 named.empty() ? name(node.kind) : fmt::format("{} {}", name(node.kind), named),
                 node.type.str(), is_input ? kEnd : "");
    for (const NodeId input : std::set<NodeId>(node.inputs.begin(), node.inputs.end()))
      if (is_value(graph[input]))
        arrows += arrow(id_of(input), id_of({i}));
  }
  for (const Output &output : graph.outputs) {
    boxes += box("output " + output.name, output.name, graph.type(output.value).str(), kEnd);
    arrows += arrow(id_of(output.value), "output " + output.name);
  }
  return boxes + arrows;
}

} // namespace

std::string dot_text(const Model &model, bool operations) {
  const bool by_layer = !operations && !model.layers.empty();
  return fmt::format("digraph \"{}\" {{\n"
                     "  node [shape=box, fontname=\"Helvetica\"];\n"
                     "{}}}\n",
                     escaped(model.name),
                     by_layer ? layer_boxes(model) : operation_boxes(model.graph));
}

} // namespace sinter

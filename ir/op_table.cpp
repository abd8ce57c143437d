#include "ir/diagnostics.h"
#include "ir/op.h"

#include <array>

namespace sinter {

namespace {

struct TableEntry {
  const char *name;
  const OpDef *def;
  Attrs (*default_attrs)();
};

/// Indexed by OpKind: both come from ops.def, in the same order.
const TableEntry &entry(OpKind kind) {
  static const std::array entries = {
#define OP(op_name, attributes)                                                                    \
  TableEntry{#op_name, &ops::op_name, [] { return Attrs(attributes{}); }},
#include "ir/ops.def"
#undef OP
  };
  return entries[static_cast<size_t>(kind)];
}

} // namespace

const char *name(OpKind kind) { return entry(kind).name; }

std::optional<OpKind> parse_op_kind(const std::string &text) {
  for (OpKind kind : all_op_kinds())
    if (text == name(kind))
      return kind;
  return std::nullopt;
}

const OpDef &op_def(OpKind kind) { return *entry(kind).def; }

Attrs default_attrs(OpKind kind) { return entry(kind).default_attrs(); }

const std::vector<OpKind> &all_op_kinds() {
  static const std::vector<OpKind> kinds = {
#define OP(op_name, attributes) OpKind::op_name,
#include "ir/ops.def"
#undef OP
  };
  return kinds;
}

NodeId GradientBuilder::append(OpKind kind, std::vector<NodeId> inputs, Attrs attributes) {
  const std::string layer = node().layer;
  const SourceLocation location = node().location;
  return graph_.append(kind, std::move(inputs), std::move(attributes), layer, location);
}

Cost cost(const Graph &graph, NodeId id) {
  const Node &node = graph[id];
  const OpDef &def = op_def(node.kind);
  if (def.traits.op_class == OpClass::leaf || def.traits.view)
    return {};
  if (def.cost)
    return def.cost(graph, node);
  const auto elements = static_cast<double>(node.type.elements());
  return node.type.batched() ? Cost{elements, 0} : Cost{0, elements};
}

const char *name(OpClass op_class) {
  switch (op_class) {
  case OpClass::leaf:
    return "leaf";
  case OpClass::elementwise:
    return "elementwise";
  case OpClass::contraction:
    return "contraction";
  case OpClass::window:
    return "window";
  case OpClass::reduction:
    return "reduction";
  case OpClass::row:
    return "row";
  case OpClass::movement:
    return "movement";
  }
  SINTER_UNREACHABLE("op class {}", static_cast<int>(op_class));
}

} // namespace sinter

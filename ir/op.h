// Everything the compiler knows about one operation, in one record.
#pragma once

#include "ir/graph.h"

#include <initializer_list>
#include <string_view>

namespace sinter {

class KernelBuilder; // ir/kernel_builder.h, the only header of ir/ that includes Halide.h

/// What a type rule sees: the operands' types and where to blame.
struct TypeContext {
  OpKind kind;
  const std::vector<TensorType> &operands;
  const Attrs &attributes;
  const SourceLocation &location;
  const std::string &layer;

  template <typename A> const A &attrs() const { return std::get<A>(attributes); }
  const TensorType &operand(size_t i) const { return operands[i]; }
};

/// What a gradient rule sees of the node y = op(x0, x1, ...), with dy known. Gradients are
/// ordinary nodes, appended to the graph that holds the node.
class GradientBuilder {
public:
  GradientBuilder(Graph &graph, NodeId node, NodeId dy,
                  const std::function<void(size_t, NodeId)> &accumulate)
      : graph_(graph), node_(node), dy_(dy), accumulate_(accumulate) {}

  const Node &node() const { return graph_[node_]; }
  template <typename A> const A &attrs() const { return sinter::attrs<A>(graph_[node_]); }
  NodeId x(size_t i) const { return graph_[node_].inputs[i]; }
  NodeId y() const { return node_; }
  NodeId dy() const { return dy_; }
  const TensorType &type(NodeId id) const { return graph_.type(id); }

  /// Appends a node with the differentiated node's layer and location.
  NodeId append(OpKind kind, std::vector<NodeId> inputs, Attrs attributes = NoAttrs{});
  /// dL/dx_i += gradient. Sums over broadcast dimensions first, so that the shapes agree.
  void add_to_input(size_t i, NodeId gradient) { accumulate_(i, gradient); }

private:
  Graph &graph_;
  NodeId node_;
  NodeId dy_;
  const std::function<void(size_t, NodeId)> &accumulate_;
};

/// What kind of computation an op is: passes and schedules ask this and never list kinds.
enum class OpClass {
  leaf,        // input, parameter, constant: no kernel
  elementwise, // result element i depends on element i of full-shape operands (others broadcast)
  contraction, // convolutions, matrix products and their gradients
  window,      // pooling and its gradients
  reduction,   // fewer dimensions out than in
  row,         // along the last dimension of each sample: softmax, cross-entropies
  movement     // elements from other places: reshape, transpose, pad, concat, gathers, scans
};

struct Traits {
  OpClass op_class = OpClass::elementwise;
  bool commutative = false;
  bool view = false;       // the same bytes under another shape (reshape): costs nothing
  bool metric = false;     // not differentiable on purpose, or flat everywhere: no gradient flows
  bool random = false;     // reads the rng key
  bool costly = false;     // recomputing an element takes a division or a transcendental function
  bool by_channel = false; // operands go along the last dimension of the first, by position
  bool plain = false; // says little in a kernel's name: simple arithmetic, what always comes along

  /// {OpClass::elementwise, {&Traits::commutative}}
  constexpr Traits(OpClass op_class_of_op, std::initializer_list<bool Traits::*> properties = {})
      : op_class(op_class_of_op) {
    for (bool Traits::*property : properties)
      this->*property = true;
  }
  constexpr Traits() = default;
};

/// Work of one node; per sample for what grows with the batch, fixed for the rest.
struct Cost {
  double flops_per_sample = 0;
  double flops_fixed = 0;
};

struct OpDef {
  std::string_view summary; // one line, printed by `sinter ops` and in docs/ir.md
  /// A small complete graph in text form (lines of ir/print.h without `graph {`), the last node
  /// being the op: printed beside it and the seed of every property test.
  std::string_view example;
  int min_inputs = 1;
  int max_inputs = 1; // -1: any number
  Traits traits;
  TensorType (*infer_type)(const TypeContext &) =
      nullptr;                                         // throws CompileError; the only shape rule
  void (*gradient)(GradientBuilder &) = nullptr;       // nullptr: not differentiable
  void (*compute)(KernelBuilder &) = nullptr;          // Halide algorithm, never a schedule
  Cost (*cost)(const Graph &, const Node &) = nullptr; // nullptr: one flop per result element
};

namespace ops {
#define OP(name, attributes) extern const OpDef name;
#include "ir/ops.def"
#undef OP
} // namespace ops

/// The record of a kind. A kind without one is a link error naming ops::<kind>.
const OpDef &op_def(OpKind);
/// A default-constructed attribute struct of the kind's type.
Attrs default_attrs(OpKind);
/// All kinds in the order of ops.def.
const std::vector<OpKind> &all_op_kinds();

Cost cost(const Graph &, NodeId);
/// "contraction", as `sinter ops` says it.
const char *name(OpClass);

} // namespace sinter

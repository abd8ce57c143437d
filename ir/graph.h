// The graph: static single assignment, one node = one value, always in topological order.
#pragma once

#include "ir/attributes.h"
#include "ir/source_location.h"
#include "ir/type.h"

#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace sinter {

enum class OpKind {
#define OP(name, attributes) name,
#include "ir/ops.def"
#undef OP
};

/// "conv2d"; the text spelling is the enumerator's.
const char *name(OpKind);
std::optional<OpKind> parse_op_kind(const std::string &);

/// A typed index into a graph's nodes.
struct NodeId {
  int index = -1;
  bool valid() const { return index >= 0; }
  friend bool operator==(NodeId a, NodeId b) { return a.index == b.index; }
  friend bool operator!=(NodeId a, NodeId b) { return a.index != b.index; }
  friend bool operator<(NodeId a, NodeId b) { return a.index < b.index; }
};

struct Node {
  OpKind kind;
  Attrs attrs;
  std::vector<NodeId> inputs;
  TensorType type;         // inferred when the node is appended
  std::string layer;       // the model's own layer name ("conv2d_1"), "" when none
  SourceLocation location; // where the user's file says so
};

/// The node's attributes as A; A must be the struct that ops.def gives this kind.
template <typename A> const A &attrs(const Node &node) { return std::get<A>(node.attrs); }

/// A named result, in the order the program returns them. Its name says what it is: "prediction" or
/// "prediction:NAME" is a result of inference (a model with several gives each a NAME), any other
/// is a scalar that training looks at: "loss", which it minimises, "accuracy", "gradient:NAME".
struct Output {
  std::string name;
  NodeId value;
};

bool is_prediction(const Output &);
/// "boxes" of "prediction:boxes", and "prediction" of a result without a name of its own.
std::string prediction_name(const Output &);
/// The inverse: "prediction:boxes" of "boxes".
std::string prediction_output(const std::string &prediction);

/// After a training step `parameter` holds `value`; in-place is a planning decision, not
/// semantics.
struct Update {
  NodeId parameter;
  NodeId value;
};

class Graph {
public:
  /// Appends a node and infers its type; the only way a node comes to be, so an ill-typed node
  /// cannot exist. Throws CompileError at `location` when operands do not fit.
  NodeId append(OpKind kind, std::vector<NodeId> inputs, Attrs attrs = NoAttrs{},
                std::string layer = {}, SourceLocation location = {});

  const Node &operator[](NodeId id) const { return nodes_[static_cast<size_t>(id.index)]; }
  int size() const { return static_cast<int>(nodes_.size()); }
  const std::vector<Node> &nodes() const { return nodes_; }

  const TensorType &type(NodeId id) const { return (*this)[id].type; }

  /// The users of every node, by index.
  std::vector<std::vector<NodeId>> users() const;
  NodeId find_output(const std::string &name) const; // invalid when there is none
  NodeId find_parameter(const std::string &name) const;
  /// All nodes of one kind, in order.
  std::vector<NodeId> all(OpKind kind) const;

  std::vector<Output> outputs;
  std::vector<Update> updates;

private:
  std::vector<Node> nodes_;
};

/// What a rewrite rule sees of one node of the old graph.
struct RewriteContext {
  const Graph &before; // the old graph
  NodeId old_id;       // the node under the rule
  Graph &after;        // the new graph: append here
  const std::vector<NodeId>
      &map; // old index -> new id, for every node before old_id (may be invalid when dropped)
  std::vector<NodeId> inputs; // old_id's inputs, mapped to the new graph

  const Node &node() const { return before[old_id]; }
  /// Appends with old_id's layer and location.
  NodeId append(OpKind kind, std::vector<NodeId> operands, Attrs attrs = NoAttrs{}) const;
};

/// Rebuilds a graph node by node, in order: where the rule returns an id of the new graph, the
/// old node becomes it; where it returns nothing, the node is copied. Outputs and updates follow.
/// Topological order holds by construction. Keeps all nodes it copies: run eliminate_dead_nodes
/// after.
Graph rewrite(const Graph &,
              const std::function<std::optional<NodeId>(const RewriteContext &)> &rule);

} // namespace sinter

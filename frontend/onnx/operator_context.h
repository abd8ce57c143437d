// What the importer of one ONNX operator sees: its node, its operands, and the graph that it
// builds.
#pragma once

#include "frontend/compose.h"
#include "frontend/onnx/host_tensor.h"
#include "ir/diagnostics.h"
#include "ir/graph.h"

#include <fmt/format.h>
#include <initializer_list>
#include <onnx/onnx_pb.h>
#include <optional>
#include <string>
#include <vector>

namespace sinter {

/// A value of the ONNX graph: known at compile time, or a node of ours, or both once a constant has
/// been needed as an operand.
struct OnnxValue {
  std::string name;
  DataType type = DataType::f32;
  std::optional<HostTensor> constant;
  NodeId node;
  bool initializer = false; // a float initialiser: training may change it
};

class GraphImporter;

class OperatorContext {
public:
  OperatorContext(GraphImporter &importer, const onnx::NodeProto &node, std::string label);

  // The node
  const onnx::NodeProto &node() const { return node_; }
  const std::string &label() const { return label_; } // its name, for messages and layers
  int opset() const;
  const SourceLocation &file() const;

  // Attributes; a missing one is the default
  bool has_attribute(const char *name) const { return find_attribute(name) != nullptr; }
  int64_t integer(const char *name, int64_t fallback) const;
  bool flag(const char *name, bool fallback) const { return integer(name, fallback ? 1 : 0) != 0; }
  float real(const char *name, float fallback) const;
  std::string text(const char *name, const std::string &fallback) const;
  std::vector<int64_t> integers(const char *name, std::vector<int64_t> fallback = {}) const;
  std::vector<float> reals(const char *name) const;
  std::optional<HostTensor> tensor_attribute(const char *name) const;
  const onnx::GraphProto &subgraph(const char *name) const;

  // Operands
  size_t operand_count() const { return static_cast<size_t>(node_.input_size()); }
  bool has_operand(size_t i) const { return i < operand_count() && !node_.input(int(i)).empty(); }
  const OnnxValue &operand(size_t i) const;
  DataType type(size_t i) const { return operand(i).type; }
  /// Static extents, kBatch for the batch. May hold zeros when the operand is a constant.
  Shape shape(size_t i) const;
  int rank(size_t i) const { return static_cast<int>(shape(i).size()); }
  bool is_constant(size_t i) const { return operand(i).constant.has_value(); }
  /// The operand's compile-time value; an error when it has none.
  const HostTensor &constant(size_t i) const;
  std::vector<int64_t> constant_integers(size_t i) const;
  double constant_number(size_t i) const; // of one element
  int64_t constant_integer(size_t i) const;

  /// The operand as a node, in its own element type.
  NodeId tensor(size_t i);
  /// The operand as a node of f32.
  NodeId real_tensor(size_t i);
  /// A constant operand as a parameter: reshaped to `shape` unless that is empty, then permuted
  /// unless `permutation` is empty. An operand that is no constant is reshaped and permuted in the
  /// graph.
  NodeId weight(size_t i, const Shape &shape = {}, const std::vector<int64_t> &permutation = {},
                const char *role = "weight");

  // Building
  NodeId append(OpKind kind, std::vector<NodeId> operands, Attrs attributes = NoAttrs{});
  Shape shape_of(NodeId id) const;
  ElementType element_of(NodeId id) const;
  NodeId constant_node(const HostTensor &);
  NodeId scalar(float value); // f32[]
  NodeId cast(NodeId x, ElementType to);
  NodeId reshape(NodeId x, Shape shape);
  NodeId transpose(NodeId x, std::vector<int64_t> permutation);
  /// Appends compositions with this node's layer and location.
  Composer composer();

  // Results
  size_t result_count() const { return static_cast<size_t>(node_.output_size()); }
  bool has_result(size_t i) const { return i < result_count() && !node_.output(int(i)).empty(); }
  /// Result i is that node; its ONNX type is given, or the first operand's.
  void result(NodeId, size_t i = 0);
  void result(NodeId, DataType, size_t i = 0);
  void result(HostTensor, size_t i = 0);
  /// Result i is the operand itself, constant or not.
  void forward(size_t operand, size_t i = 0);
  void forward(OnnxValue value, size_t i = 0);

  /// A random stream of its own for each dropout.
  int64_t next_stream();
  GraphImporter &importer() { return importer_; }

  template <typename... Args>
  [[noreturn]] void fail(fmt::format_string<Args...> format, Args &&...args) const {
    raise(fmt::format(format, std::forward<Args>(args)...));
  }
  template <typename... Args>
  void require(bool condition, fmt::format_string<Args...> format, Args &&...args) const {
    if (!condition)
      raise(fmt::format(format, std::forward<Args>(args)...));
  }
  /// An axis counted from the front; an error when it is out of range.
  int64_t axis(int64_t axis, int rank) const;
  std::vector<int64_t> axes(std::vector<int64_t> axes, int rank) const; // sorted, each once

private:
  [[noreturn]] void raise(const std::string &text) const;
  const onnx::AttributeProto *find_attribute(const char *name) const;
  const onnx::AttributeProto *typed_attribute(const char *name,
                                              onnx::AttributeProto::AttributeType type) const;

  GraphImporter &importer_;
  const onnx::NodeProto &node_;
  std::string label_;
};

} // namespace sinter

// One node of a graph while it is written as ONNX.
//
// A value of the IR may lie in the file in several orders of its dimensions: an image as NHWC,
// which is what the graph says, and as NCHW, which is what ONNX's windows take and give. Which of
// them exist is kept by value; an order that is asked for and does not exist yet is transposed from
// one that does. So transposes of the graph write nothing, and those around a convolution appear
// only where its neighbours need the other order.
#pragma once

#include "backends/onnx/onnx_file.h"
#include "backends/onnx/onnx_message.h"
#include "ir/permutation.h"

#include <map>
#include <string>
#include <vector>

namespace sinter {

/// An extent of NodeWriter::reshape().
constexpr int64_t kAllOthers = -2;

/// What has been written of a graph.
struct WrittenGraph {
  const Graph &graph;
  const ParameterValues &parameters;
  OnnxMessage &message;
  /// By node: its names in the file, by the order in which its dimensions lie there.
  std::vector<std::map<Permutation, std::string>> values;
  std::vector<int> uses; // by node: as an operand or an output
  std::string batch;     // an int64[1], once it was needed
};

class NodeWriter {
public:
  NodeWriter(WrittenGraph &written, NodeId id) : written_(written), id_(id) {}

  // The node
  const Node &node() const { return written_.graph[id_]; }
  const TensorType &type() const { return node().type; }
  template <typename A> const A &attributes() const { return attrs<A>(node()); }
  size_t operand_count() const { return node().inputs.size(); }
  const TensorType &operand_type(size_t i) const { return written_.graph.type(node().inputs[i]); }
  int operand_rank(size_t i) const { return operand_type(i).rank(); }

  // Its operands
  /// An operand in a given order of its dimensions.
  std::string operand(size_t i, const Permutation &order) { return value(node().inputs[i], order); }
  /// In the graph's own order.
  std::string operand(size_t i) { return operand(i, identity_order(operand_rank(i))); }
  /// The order for an operation that may be done in any: one that an operand of the result's rank
  /// has. order_of(i) looks at one operand only.
  Permutation any_order() const;
  Permutation order_of(size_t operand) const;
  /// In the given order of the result's dimensions, with which it broadcasts.
  std::string aligned_operand(size_t i, const Permutation &order);

  // Its result
  void result(const std::string &name, const Permutation &order);
  void result(const std::string &name) { result(name, identity_order(type().rank())); }
  /// What has been written of it, in the graph's order.
  std::string own_value() { return value(id_, identity_order(type().rank())); }
  /// The result is operand 0, dimension i being its dimension permutation[i].
  void result_is_transposed(const Permutation &permutation);
  /// If operand 0 was written by an operator that takes a bias and nothing else uses it, makes the
  /// parameter `bias` (an operand's index) that bias, and the result what it gives.
  bool attach_bias(size_t bias);

  // New nodes and constants
  onnx::NodeProto &add(const char *op, const std::vector<std::string> &inputs);
  std::string apply(const char *op, const std::vector<std::string> &inputs) {
    return add(op, inputs).output(0);
  }
  std::string cast(const std::string &x, int32_t onnx_type);
  /// kBatch stands for the extent that x has, kAllOthers for whatever is left.
  std::string reshape(const std::string &x, const Shape &shape);
  std::string real(float value) { return reals({}, {value}); }
  std::string reals(const Shape &shape, const std::vector<float> &values) {
    return constant({ElementType::f32, shape, 0}, values);
  }
  std::string integers(const std::vector<int64_t> &values);
  std::string integers(const Shape &shape, const std::vector<int64_t> &values);
  std::string constant(const TensorType &, const std::vector<float> &values);
  /// The run-time batch: an int64[1].
  std::string batch();
  OnnxMessage &message() { return written_.message; }

private:
  std::string value(NodeId id, const Permutation &order);
  std::string parameter(NodeId id, const Permutation &order);
  std::string base() const;

  WrittenGraph &written_;
  NodeId id_;
};

/// Where a dimension lies in an order.
int64_t position_of(int64_t dimension, const Permutation &order);

} // namespace sinter

#include "backends/onnx/node_writer.h"

#include "ir/diagnostics.h"
#include "ir/strided_view.h"

#include <algorithm>

namespace sinter {

namespace {

/// The permutation that turns what lies in one order into another.
Permutation between(const Permutation &from, const Permutation &to) {
  return permuted(inverse(from), to);
}

/// As Reshape wants it: 0 copies an extent of x, -1 is whatever is left.
std::vector<int64_t> reshape_operand(Shape shape) {
  for (int64_t &extent : shape)
    extent = extent == kBatch ? 0 : extent == kAllOthers ? -1 : extent;
  return shape;
}

} // namespace

int64_t position_of(int64_t dimension, const Permutation &order) {
  return std::find(order.begin(), order.end(), dimension) - order.begin();
}

std::string NodeWriter::base() const {
  const char *op = name(node().kind);
  return node().layer.empty() ? op : fmt::format("{}/{}", node().layer, op);
}

std::string NodeWriter::parameter(NodeId id, const Permutation &order) {
  const std::string &name = attrs<ParameterAttrs>(written_.graph[id]).name;
  const Shape &shape = written_.graph.type(id).shape;
  const std::vector<float> &values = written_.parameters(name);
  if (is_identity(order))
    return message().add_initializer(name, ElementType::f32, shape, values);
  return message().add_initializer(name, ElementType::f32, permuted(shape, order),
                                   transposed(values, shape, order));
}

/// Parameters are written in the order in which they are needed first.
std::string NodeWriter::value(NodeId id, const Permutation &order) {
  auto &known = written_.values[static_cast<size_t>(id.index)];
  const auto found = known.find(order);
  if (found != known.end())
    return found->second;
  std::string name;
  if (written_.graph[id].kind == OpKind::parameter && known.empty()) {
    name = parameter(id, order);
  } else {
    SINTER_ASSERT(!known.empty(), "%{} has not been written", id.index);
    const auto &[from, existing] = *known.begin();
    onnx::NodeProto &transpose =
        message().add_node(existing + "/transpose", "Transpose", {existing});
    set_integers(transpose, "perm", between(from, order));
    name = transpose.output(0);
  }
  known.emplace(order, name);
  return name;
}

Permutation NodeWriter::order_of(size_t operand) const {
  const NodeId id = node().inputs[operand];
  const Permutation order = channels_first_order(written_.graph.type(id).rank());
  const auto &known = written_.values[static_cast<size_t>(id.index)];
  return known.count(order) > 0 ? order : identity_order(static_cast<int>(order.size()));
}

Permutation NodeWriter::any_order() const {
  const Permutation plain = identity_order(type().rank());
  for (size_t i = 0; i < operand_count(); ++i)
    if (operand_rank(i) == type().rank() && order_of(i) != plain)
      return order_of(i);
  return plain;
}

std::string NodeWriter::aligned_operand(size_t i, const Permutation &order) {
  const int rank = operand_rank(i);
  if (rank == static_cast<int>(order.size()))
    return operand(i, order);
  const Shape &shape = operand_type(i).shape;
  if (rank == 0 || is_identity(order))
    return operand(i);
  Shape extended(order.size() - shape.size(), 1);
  extended.insert(extended.end(), shape.begin(), shape.end());
  const auto longer_than_1 = [](int64_t extent) { return extent != 1; };
  if (std::count_if(shape.begin(), shape.end(), longer_than_1) <= 1)
    return reshape(operand(i), permuted(extended, order));
  onnx::NodeProto &transpose = add("Transpose", {reshape(operand(i), extended)});
  set_integers(transpose, "perm", order);
  return transpose.output(0);
}

void NodeWriter::result(const std::string &name, const Permutation &order) {
  written_.values[static_cast<size_t>(id_.index)].emplace(order, name);
}

void NodeWriter::result_is_transposed(const Permutation &permutation) {
  auto &known = written_.values[static_cast<size_t>(node().inputs[0].index)];
  if (known.empty())
    operand(0);
  for (const auto &[order, name] : known)
    result(name, between(permutation, order));
}

bool NodeWriter::attach_bias(size_t bias) {
  const NodeId product = node().inputs[0];
  const OpKind kind = written_.graph[product].kind;
  const bool takes_bias = kind == OpKind::conv2d || kind == OpKind::conv2d_input_gradient ||
                          kind == OpKind::matmul; // Conv, ConvTranspose, Gemm
  const auto index = static_cast<size_t>(product.index);
  const auto &known = written_.values[index];
  if (!takes_bias || known.size() != 1 || written_.uses[index] != 1 ||
      written_.graph[node().inputs[bias]].kind != OpKind::parameter)
    return false;
  message().producer(known.begin()->second)->add_input(operand(bias));
  result(known.begin()->second, known.begin()->first);
  return true;
}

onnx::NodeProto &NodeWriter::add(const char *op, const std::vector<std::string> &inputs) {
  return message().add_node(base(), op, inputs);
}

std::string NodeWriter::cast(const std::string &x, int32_t onnx_type) {
  onnx::NodeProto &result = add("Cast", {x});
  set_integer(result, "to", onnx_type);
  return result.output(0);
}

std::string NodeWriter::reshape(const std::string &x, const Shape &shape) {
  return apply("Reshape", {x, integers(reshape_operand(shape))});
}

std::string NodeWriter::constant(const TensorType &type, const std::vector<float> &values) {
  return message().add_initializer(message().unique_name(base() + "/constant"), type.element,
                                   type.shape, values);
}

std::string NodeWriter::integers(const std::vector<int64_t> &values) {
  return integers({static_cast<int64_t>(values.size())}, values);
}

std::string NodeWriter::integers(const Shape &shape, const std::vector<int64_t> &values) {
  return message().add_integers(base() + "/constant", shape, values);
}

std::string NodeWriter::batch() {
  if (!written_.batch.empty())
    return written_.batch;
  for (const NodeId id : written_.graph.all(OpKind::input))
    if (const auto &known = written_.values[static_cast<size_t>(id.index)];
        written_.graph.type(id).batched() && !known.empty()) {
      onnx::NodeProto &shape = message().add_node("batch", "Shape", {known.begin()->second});
      set_integer(shape, "start", 0);
      set_integer(shape, "end", 1);
      return written_.batch = shape.output(0);
    }
  throw CompileError(node().location, "{} takes its batch from no input", base());
}

} // namespace sinter

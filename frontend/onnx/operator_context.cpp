#include "frontend/onnx/operator_context.h"

#include "frontend/onnx/import_graph.h"
#include "frontend/onnx/read_model.h"

#include <algorithm>

namespace sinter {

OperatorContext::OperatorContext(GraphImporter &importer, const onnx::NodeProto &node,
                                 std::string label)
    : importer_(importer), node_(node), label_(std::move(label)) {}

int OperatorContext::opset() const { return importer_.opset(); }
const SourceLocation &OperatorContext::file() const { return importer_.file(); }
Composer OperatorContext::composer() { return {importer_.graph(), label_, file()}; }
int64_t OperatorContext::next_stream() { return importer_.next_stream(); }

void OperatorContext::raise(const std::string &text) const {
  throw CompileError(file(), "{} {}: {}", node_.op_type(), label_, text);
}

const onnx::AttributeProto *OperatorContext::find_attribute(const char *name) const {
  for (const onnx::AttributeProto &attribute : node_.attribute())
    if (attribute.name() == name)
      return &attribute;
  return nullptr;
}

/// Files of the first IR versions leave the type out; the field that is set tells then.
const onnx::AttributeProto *
OperatorContext::typed_attribute(const char *name, onnx::AttributeProto::AttributeType type) const {
  const onnx::AttributeProto *found = find_attribute(name);
  if (found && found->has_type() && found->type() != type)
    fail("attribute '{}' is a {}, expected a {}", name,
         onnx::AttributeProto::AttributeType_Name(found->type()),
         onnx::AttributeProto::AttributeType_Name(type));
  return found;
}

int64_t OperatorContext::integer(const char *name, int64_t fallback) const {
  const auto *found = typed_attribute(name, onnx::AttributeProto::INT);
  return found ? stored_integer(found->i()) : fallback;
}

float OperatorContext::real(const char *name, float fallback) const {
  const auto *found = typed_attribute(name, onnx::AttributeProto::FLOAT);
  return found ? found->f() : fallback;
}

std::string OperatorContext::text(const char *name, const std::string &fallback) const {
  const auto *found = typed_attribute(name, onnx::AttributeProto::STRING);
  return found ? found->s() : fallback;
}

std::vector<int64_t> OperatorContext::integers(const char *name,
                                               std::vector<int64_t> fallback) const {
  const auto *found = typed_attribute(name, onnx::AttributeProto::INTS);
  if (!found)
    return fallback;
  std::vector<int64_t> values(found->ints().begin(), found->ints().end());
  std::transform(values.begin(), values.end(), values.begin(), stored_integer);
  return values;
}

std::vector<float> OperatorContext::reals(const char *name) const {
  const auto *found = typed_attribute(name, onnx::AttributeProto::FLOATS);
  return found ? std::vector<float>(found->floats().begin(), found->floats().end())
               : std::vector<float>();
}

std::optional<HostTensor> OperatorContext::tensor_attribute(const char *name) const {
  const auto *found = typed_attribute(name, onnx::AttributeProto::TENSOR);
  return found ? std::optional(read_tensor(found->t(), file())) : std::nullopt;
}

const onnx::GraphProto &OperatorContext::subgraph(const char *name) const {
  const auto *found = typed_attribute(name, onnx::AttributeProto::GRAPH);
  require(found != nullptr, "has no attribute '{}'", name);
  return found->g();
}

const OnnxValue &OperatorContext::operand(size_t i) const {
  require(has_operand(i), "has no operand {}", i);
  return importer_.at(node_.input(static_cast<int>(i)));
}

Shape OperatorContext::shape(size_t i) const {
  const OnnxValue &value = operand(i);
  return value.constant ? value.constant->shape : importer_.graph().type(value.node).shape;
}

const HostTensor &OperatorContext::constant(size_t i) const {
  const OnnxValue &value = operand(i);
  require(value.constant.has_value(), "operand '{}' must be known at compile time", value.name);
  return *value.constant;
}

std::vector<int64_t> OperatorContext::constant_integers(size_t i) const {
  const HostTensor &tensor = constant(i);
  require(is_integer(tensor.type), "operand '{}' must be of integers, is of {}", operand(i).name,
          sinter::name(tensor.type));
  return tensor.integers;
}

double OperatorContext::constant_number(size_t i) const {
  const HostTensor &tensor = constant(i);
  require(tensor.size() == 1, "operand '{}' must be one number, has shape {}", operand(i).name,
          str(tensor.shape));
  return tensor.number(0);
}

int64_t OperatorContext::constant_integer(size_t i) const {
  const double number = constant_number(i);
  const HostTensor &tensor = constant(i);
  const std::optional<int64_t> value =
      tensor.holds_floats() ? to_integer(number) : std::optional(tensor.integers[0]);
  require(value.has_value() && *value != kSymbolicBatch, "operand '{}' is {}, which is no extent",
          operand(i).name, number);
  return *value;
}

NodeId OperatorContext::tensor(size_t i) {
  OnnxValue &value = importer_.at(operand(i).name);
  if (value.node.valid())
    return value.node;
  // A vector of weights stays trainable; a single number is a bound or a factor of the formula.
  const bool weight = value.initializer && value.constant->size() > 1;
  value.node = weight ? importer_.parameter(value, value.constant->shape, {}, "weight", label_)
                      : constant_node(*value.constant);
  return value.node;
}

NodeId OperatorContext::real_tensor(size_t i) { return cast(tensor(i), ElementType::f32); }

NodeId OperatorContext::weight(size_t i, const Shape &shape,
                               const std::vector<int64_t> &permutation, const char *role) {
  const OnnxValue &value = operand(i);
  if (value.constant && is_float(value.type) && !value.node.valid())
    return importer_.parameter(value, shape.empty() ? value.constant->shape : shape, permutation,
                               role, label_);
  NodeId node = real_tensor(i);
  if (!shape.empty())
    node = reshape(node, shape);
  return permutation.empty() ? node : transpose(node, permutation);
}

NodeId OperatorContext::append(OpKind kind, std::vector<NodeId> operands, Attrs attributes) {
  return importer_.append(kind, std::move(operands), std::move(attributes), label_);
}

Shape OperatorContext::shape_of(NodeId id) const { return importer_.graph().type(id).shape; }

ElementType OperatorContext::element_of(NodeId id) const {
  return importer_.graph().type(id).element;
}

NodeId OperatorContext::constant_node(const HostTensor &tensor) {
  return importer_.constant(tensor, label_);
}

NodeId OperatorContext::scalar(float value) {
  return append(OpKind::constant, {}, ConstantAttrs{{value}, TensorType{}});
}

NodeId OperatorContext::cast(NodeId x, ElementType to) {
  return element_of(x) == to ? x : append(OpKind::cast, {x}, CastAttrs{to});
}

NodeId OperatorContext::reshape(NodeId x, Shape shape) {
  return shape_of(x) == shape ? x : append(OpKind::reshape, {x}, ReshapeAttrs{std::move(shape)});
}

NodeId OperatorContext::transpose(NodeId x, std::vector<int64_t> permutation) {
  return is_identity(permutation)
             ? x
             : append(OpKind::transpose, {x}, TransposeAttrs{std::move(permutation)});
}

void OperatorContext::result(NodeId node, DataType type, size_t i) {
  if (!has_result(i))
    return;
  OnnxValue value;
  value.type = type;
  value.node = node;
  importer_.define(node_.output(static_cast<int>(i)), std::move(value));
}

void OperatorContext::result(NodeId node, size_t i) { result(node, type(0), i); }

void OperatorContext::result(HostTensor tensor, size_t i) {
  if (!has_result(i))
    return;
  OnnxValue value;
  value.type = tensor.type;
  value.constant = std::move(tensor);
  importer_.define(node_.output(static_cast<int>(i)), std::move(value));
}

void OperatorContext::forward(OnnxValue value, size_t i) {
  if (has_result(i))
    importer_.define(node_.output(static_cast<int>(i)), std::move(value));
}

void OperatorContext::forward(size_t from, size_t i) { forward(operand(from), i); }

int64_t OperatorContext::axis(int64_t axis, int rank) const {
  require(axis >= -rank && axis < rank, "axis {} is out of range for {} dimensions", axis, rank);
  return axis < 0 ? axis + rank : axis;
}

std::vector<int64_t> OperatorContext::axes(std::vector<int64_t> axes, int rank) const {
  for (int64_t &each : axes)
    each = axis(each, rank);
  std::sort(axes.begin(), axes.end());
  require(std::adjacent_find(axes.begin(), axes.end()) == axes.end(), "names an axis twice");
  return axes;
}

} // namespace sinter

#include "backends/onnx/onnx_message.h"

#include "ir/diagnostics.h"

#include <limits>

namespace sinter {

namespace {

// The newest set of ONNX 1.12, which is the checker that the tests have; runtimes of 2022 read it.
constexpr int kOpset = 17;
constexpr int kIrVersion = 8;

template <typename T> void set_raw(onnx::TensorProto &tensor, const std::vector<T> &values) {
  tensor.set_raw_data(values.data(), values.size() * sizeof(T));
}

template <typename T>
void set_converted(onnx::TensorProto &tensor, const std::vector<float> &from) {
  std::vector<T> values;
  values.reserve(from.size());
  for (const float value : from)
    values.push_back(static_cast<T>(value));
  set_raw(tensor, values);
}

onnx::AttributeProto &add_attribute(onnx::NodeProto &node, const char *name,
                                    onnx::AttributeProto::AttributeType type) {
  onnx::AttributeProto &attribute = *node.add_attribute();
  attribute.set_name(name);
  attribute.set_type(type);
  return attribute;
}

} // namespace

int32_t onnx_type(ElementType element) {
  return element == ElementType::f32   ? onnx::TensorProto::FLOAT
         : element == ElementType::i32 ? onnx::TensorProto::INT32
                                       : onnx::TensorProto::UINT8;
}

OnnxMessage::OnnxMessage(const std::string &name) {
  file_.set_ir_version(kIrVersion);
  file_.set_producer_name("sinter");
  file_.add_opset_import()->set_version(kOpset);
  file_.mutable_graph()->set_name(name);
}

std::string OnnxMessage::unique_name(const std::string &base) {
  int &count = counters_[base];
  std::string name = base;
  while (++count > 1) {
    name = fmt::format("{}#{}", base, count);
    if (counters_.emplace(name, 1).second)
      break;
  }
  return name;
}

void OnnxMessage::describe(onnx::ValueInfoProto &info, const std::string &name,
                           const TensorType &type) const {
  info.set_name(name);
  auto &tensor = *info.mutable_type()->mutable_tensor_type();
  tensor.set_elem_type(onnx_type(type.element));
  tensor.mutable_shape(); // of a scalar, too
  for (const int64_t extent : type.shape) {
    auto &dimension = *tensor.mutable_shape()->add_dim();
    if (extent == kBatch)
      dimension.set_dim_param("N");
    else
      dimension.set_dim_value(extent);
  }
}

void OnnxMessage::add_input(const std::string &name, const TensorType &type) {
  describe(*file_.mutable_graph()->add_input(), name, type);
}

void OnnxMessage::add_output(const std::string &name, const TensorType &type) {
  describe(*file_.mutable_graph()->add_output(), name, type);
}

onnx::NodeProto &OnnxMessage::add_node(const std::string &base, const char *op,
                                       const std::vector<std::string> &inputs) {
  onnx::NodeProto &node = *file_.mutable_graph()->add_node();
  node.set_op_type(op);
  for (const std::string &input : inputs)
    node.add_input(input);
  node.add_output(unique_name(base));
  node.set_name(node.output(0));
  producers_[node.output(0)] = &node;
  return node;
}

std::string OnnxMessage::add_initializer(const std::string &name, ElementType element,
                                         const Shape &shape, const std::vector<float> &values) {
  onnx::TensorProto &tensor = *file_.mutable_graph()->add_initializer();
  tensor.set_name(name);
  tensor.set_data_type(onnx_type(element));
  for (const int64_t extent : shape)
    tensor.add_dims(extent);
  if (element == ElementType::f32)
    set_raw(tensor, values);
  else if (element == ElementType::i32)
    set_converted<int32_t>(tensor, values);
  else
    set_converted<uint8_t>(tensor, values);
  return name;
}

std::string OnnxMessage::add_integers(const std::string &base, const Shape &shape,
                                      const std::vector<int64_t> &values) {
  onnx::TensorProto &tensor = *file_.mutable_graph()->add_initializer();
  tensor.set_name(unique_name(base));
  tensor.set_data_type(onnx::TensorProto::INT64);
  for (const int64_t extent : shape)
    tensor.add_dims(extent);
  set_raw(tensor, values);
  return tensor.name();
}

onnx::NodeProto *OnnxMessage::producer(const std::string &value) {
  const auto found = producers_.find(value);
  return found == producers_.end() ? nullptr : found->second;
}

void OnnxMessage::rename(const std::string &value, const std::string &name) {
  onnx::NodeProto *node = producer(value);
  SINTER_ASSERT(node, "{} is no node's result", value);
  producers_.erase(value);
  producers_[name] = node;
  for (onnx::NodeProto &each : *file_.mutable_graph()->mutable_node()) {
    for (std::string &input : *each.mutable_input())
      if (input == value)
        input = name;
    for (std::string &output : *each.mutable_output())
      if (output == value)
        output = name;
  }
}

std::string OnnxMessage::bytes() const {
  const size_t size = file_.ByteSizeLong();
  if (size > static_cast<size_t>(std::numeric_limits<int32_t>::max()))
    throw CompileError({}, "the file of ONNX would have {} bytes, at most 2^31 - 1 are possible",
                       size);
  return file_.SerializeAsString();
}

void set_integer(onnx::NodeProto &node, const char *name, int64_t value) {
  add_attribute(node, name, onnx::AttributeProto::INT).set_i(value);
}

void set_integers(onnx::NodeProto &node, const char *name, const std::vector<int64_t> &values) {
  onnx::AttributeProto &attribute = add_attribute(node, name, onnx::AttributeProto::INTS);
  for (const int64_t value : values)
    attribute.add_ints(value);
}

void set_real(onnx::NodeProto &node, const char *name, float value) {
  add_attribute(node, name, onnx::AttributeProto::FLOAT).set_f(value);
}

} // namespace sinter

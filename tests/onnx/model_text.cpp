#include "tests/onnx/model_text.h"

#include <doctest/doctest.h>
#include <google/protobuf/text_format.h>

namespace sinter {

onnx::ModelProto one_node_model(const std::string &node, const std::string &dimensions) {
  const std::string text = "ir_version: 8 opset_import { version: 17 } graph { name: 'g' node { " +
                           node +
                           " input: 'x' output: 'y' } input { name: 'x' type { tensor_type { "
                           "elem_type: 1 shape { " +
                           dimensions + " } } } } output { name: 'y' } }";
  onnx::ModelProto model;
  REQUIRE(google::protobuf::TextFormat::ParseFromString(text, &model));
  return model;
}

onnx::ModelProto relu_model(const std::string &dimensions) {
  return one_node_model("op_type: 'Relu'", dimensions);
}

onnx::ModelProto conv_model() {
  onnx::ModelProto model = one_node_model(
      "op_type: 'Conv'",
      "dim { dim_value: 1 } dim { dim_value: 1 } dim { dim_value: 4 } dim { dim_value: 4 }");
  model.mutable_graph()->mutable_node(0)->add_input("w");
  onnx::TensorProto &filter = *model.mutable_graph()->add_initializer();
  filter.set_name("w");
  filter.set_data_type(onnx::TensorProto::FLOAT);
  for (int extent : {2, 1, 1, 2})
    filter.add_dims(extent);
  for (int i = 0; i < 4; ++i)
    filter.add_float_data(static_cast<float>(i));
  return model;
}

} // namespace sinter

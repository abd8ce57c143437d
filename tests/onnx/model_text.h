// Small ONNX models for tests, written as protobuf text.
#pragma once

#include <onnx/onnx_pb.h>
#include <string>

namespace sinter {

/// y = node(x); `node` and `dimensions` (of x) are protobuf text.
onnx::ModelProto one_node_model(const std::string &node, const std::string &dimensions);
onnx::ModelProto relu_model(const std::string &dimensions);
/// y = Conv(x [1, 1, 4, 4], w [2, 1, 1, 2]), w counting from 0.
onnx::ModelProto conv_model();

} // namespace sinter

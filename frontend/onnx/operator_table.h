// Every ONNX operator that Sinter reads, once.
#pragma once

#include "frontend/onnx/operator_context.h"

#include <string_view>
#include <vector>

namespace sinter {

/// One operator, of all its versions: differences between them are the functions' business.
struct OnnxOperator {
  std::string_view name;
  /// Appends nodes and sets the results.
  void (*import)(OperatorContext &);
  /// Computes the results when every operand is a small constant: shape arithmetic. May be missing.
  bool (*fold)(OperatorContext &) = nullptr;
};

/// The operator, or nullptr; `domain` is "" for ONNX's own.
const OnnxOperator *find_onnx_operator(std::string_view domain, std::string_view name);
/// "Conv", "ai.onnx.preview.training.Adam", sorted.
std::vector<std::string> onnx_operator_names();

// The families, each in operators_<family>.cpp.
using OnnxOperators = std::vector<OnnxOperator>;
const OnnxOperators &onnx_comparison_operators();
const OnnxOperators &onnx_contraction_operators();
const OnnxOperators &onnx_control_operators();
const OnnxOperators &onnx_activation_operators();
const OnnxOperators &onnx_elementwise_operators();
const OnnxOperators &onnx_loss_operators();
const OnnxOperators &onnx_movement_operators();
const OnnxOperators &onnx_normalization_operators();
const OnnxOperators &onnx_pooling_operators();
const OnnxOperators &onnx_reduction_operators();
const OnnxOperators &onnx_resize_operators();
const OnnxOperators &onnx_selection_operators();
const OnnxOperators &onnx_shape_operators();
/// ai.onnx.preview.training
const OnnxOperators &onnx_training_operators();

} // namespace sinter

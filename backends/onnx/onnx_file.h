// Writes models as files of ONNX.
#pragma once

#include "ir/model.h"

#include <functional>
#include <string>
#include <vector>

namespace sinter {

/// A parameter's values in logical order.
using ParameterValues = std::function<const std::vector<float> &(const std::string &parameter)>;

/// The model's predictions as a file of ONNX, weights included. Inputs, outputs and weights keep
/// their names, inputs and outputs their shapes, the batch stays open; windows and filters become
/// channels-first, as ONNX has them, with as few transposes as that takes. What ONNX cannot express
/// (an operation of training) is listed in one CompileError, node by node.
std::string onnx_file(const Model &, const ParameterValues &);

} // namespace sinter

#include "frontend/keras_file/operator_layer.h"

#include "frontend/json_text.h"
#include "frontend/keras_session.h"
#include "frontend/modules.h"
#include "ir/diagnostics.h"

#include <array>

namespace sinter {

namespace {

using Json = nlohmann::json;

/// The last part of a function's name, lower case, and the operator.
constexpr std::array<std::pair<std::string_view, std::string_view>, 12> kOperators = {{
    {"add", "+"},
    {"subtract", "-"},
    {"sub", "-"},
    {"multiply", "*"},
    {"mul", "*"},
    {"divide", "/"},
    {"truediv", "/"},
    {"true_divide", "/"},
    {"truedivide", "/"},
    {"realdiv", "/"},
    {"__add__", "+"},
    {"__mul__", "*"},
}};

/// "math.add" of TFOpLambda, "Add" of keras.src.ops.numpy, "AddV2" of TensorFlowOpLayer.
std::string function_name(const Json &layer) {
  std::string name = text_member(layer, "class_name");
  if (name == "TFOpLambda")
    name = text_member(member(layer, "config"), "function");
  name = name.substr(name.rfind('.') + 1);
  return snake_case_name(name);
}

} // namespace

bool is_operator(const Json &layer) {
  return text_member(layer, "class_name") == "TFOpLambda" ||
         text_member(layer, "module").find(".ops.") != std::string::npos;
}

TensorOperator read_operator(const Json &layer, ConfigReader &reader,
                             const SourceLocation &location) {
  const std::string name = function_name(layer);
  TensorOperator result;
  for (const auto &[spelling, symbol] : kOperators)
    if (name == spelling)
      result.spelling = symbol;
  if (result.spelling.empty()) {
    const bool keras2 = text_member(layer, "class_name") == "TFOpLambda";
    result.spelling = canonical_path((keras2 ? "keras.activations." : "keras.ops.") + name);
    result.function = find_native(result.spelling);
    if (!result.function || result.function->family != Family::activation)
      throw CompileError(location, "this operation is not supported");
  }
  Json config = member(layer, "config");
  for (const char *known : {"name", "trainable", "dtype", "function"}) // say nothing about it
    if (config.is_object())
      config.erase(known);
  static const Native without_arguments{"keras.ops", {}};
  if (config.is_object())
    result.arguments =
        reader.arguments(result.function ? *result.function : without_arguments, config);
  return result;
}

KerasTensor *apply_operator(Interpreter &interpreter, const TensorOperator &op,
                            const std::vector<Value> &operands, const SourceLocation &location) {
  const size_t count = op.function ? 1 : 2;
  if (operands.size() != count)
    throw CompileError(location, "{} expects {} operands, got {}", op.spelling, count,
                       operands.size());
  const auto call = [&](const Native &function) {
    CallArguments arguments = op.arguments;
    arguments.positional = operands;
    return function.call(interpreter,
                         {function, bind(interpreter, function, arguments, location), location});
  };
  const Value result = op.function ? call(*op.function)
                                   : interpreter.keras().tensor_arithmetic(op.spelling, operands[0],
                                                                           operands[1], location);
  KerasTensor *tensor = object<KerasTensor>(result);
  if (!tensor)
    throw CompileError(location, "{} of what is no tensor is not supported", op.spelling);
  return tensor;
}

} // namespace sinter

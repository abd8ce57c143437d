#include "frontend/keras_file/operator_layer.h"

#include "frontend/keras_file/json_text.h"
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

std::optional<std::string> operator_path(const Json &layer) {
  const std::string name = function_name(layer);
  for (const auto &[spelling, path] : kOperators)
    if (name == spelling)
      return std::string(path);
  const std::string path = "keras.activations." + name;
  return find_native(path) ? std::optional(path) : std::nullopt;
}

KerasTensor *apply_operator(Interpreter &interpreter, const std::string &path,
                            const std::vector<Value> &operands, const SourceLocation &location) {
  const Native *function = find_native(path);
  const size_t count = function ? 1 : 2;
  if (operands.size() != count)
    throw CompileError(location, "{} expects {} operands, got {}", path, count, operands.size());
  const Value result =
      function ? function->call(
                     interpreter,
                     {*function, bind(interpreter, *function, {operands, {}}, location), location})
               : interpreter.keras().tensor_arithmetic(path, operands[0], operands[1], location);
  KerasTensor *tensor = object<KerasTensor>(result);
  SINTER_ASSERT(tensor, "{} of tensors is no tensor", path);
  return tensor;
}

} // namespace sinter

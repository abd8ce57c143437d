#include "frontend/keras_file/layer_node.h"

#include "frontend/json_text.h"

namespace sinter {

namespace {

using Json = nlohmann::json;

constexpr const char *kConstant = "_CONSTANT_VALUE"; // of Keras 2, in the place of a layer's name

/// Every tensor and number within a Keras 3 argument, in order.
bool collect(const Json &argument, CallOperands &operands) {
  if (argument.is_array()) {
    for (const Json &item : argument)
      if (!collect(item, operands))
        return false;
    return true;
  }
  if (argument.is_number()) {
    operands.emplace_back(argument.get<double>());
    return true;
  }
  if (!argument.is_object())
    return argument.is_null() || argument == false;
  if (text_member(argument, "class_name") == "__tuple__")
    return collect(member(argument, "items"), operands);
  const auto reference = parse_reference(member(member(argument, "config"), "keras_history"));
  if (reference)
    operands.emplace_back(*reference);
  return reference.has_value();
}

bool is_harmless(const Json &value) { return value.is_null() || value == false; }

std::optional<CallOperands> parse_keras3(const Json &node) {
  CallOperands operands;
  if (!collect(member(node, "args"), operands))
    return std::nullopt;
  const Json &keywords = member(node, "kwargs");
  for (const auto &[name, value] : keywords.items()) {
    const bool operand = name == "x1" || name == "x2" || name == "inputs" || name == "x";
    if (operand ? !collect(value, operands) : !is_harmless(value))
      return std::nullopt;
  }
  return operands;
}

/// One entry of Keras 2: [layer, call, output, {"y": 0.5}].
bool parse_keras2_entry(const Json &entry, CallOperands &operands) {
  if (!entry.is_array() || entry.size() < 3)
    return false;
  if (entry[0] == kConstant) {
    if (!entry[2].is_number())
      return false;
    operands.emplace_back(entry[2].get<double>());
  } else if (const auto reference = parse_reference(entry)) {
    operands.emplace_back(*reference);
  } else {
    return false;
  }
  if (entry.size() < 4 || !entry[3].is_object())
    return true;
  for (const auto &[name, value] : entry[3].items()) {
    if (name == "name" || is_harmless(value))
      continue;
    const auto reference = parse_reference(value);
    if (reference)
      operands.emplace_back(*reference);
    else if (value.is_number() && name == "y")
      operands.emplace_back(value.get<double>());
    else
      return false;
  }
  return true;
}

} // namespace

std::optional<TensorReference> parse_reference(const Json &json) {
  if (!json.is_array() || json.size() < 3 || !json[0].is_string())
    return std::nullopt;
  const std::optional<int64_t> call = integer(json[1]);
  const std::optional<int64_t> output = integer(json[2]);
  if (!call || !output || *call < 0 || *output < 0)
    return std::nullopt;
  return TensorReference{json[0].get<std::string>(), *call, *output};
}

std::optional<CallOperands> parse_call(const Json &node) {
  if (node.is_object() && node.contains("args"))
    return parse_keras3(node);
  CallOperands operands;
  if (!node.is_array() || node.empty())
    return std::nullopt;
  if (node[0].is_string()) // a single entry, not in a list
    return parse_keras2_entry(node, operands) ? std::optional(operands) : std::nullopt;
  for (const Json &entry : node)
    if (!parse_keras2_entry(entry, operands))
      return std::nullopt;
  return operands;
}

std::optional<std::vector<TensorReference>> parse_references(const Json &json) {
  if (const auto reference = parse_reference(json))
    return std::vector{*reference};
  if (!json.is_structured() || json.empty())
    return std::nullopt;
  std::vector<TensorReference> result;
  for (const Json &item : json) {
    const auto inner = parse_references(item);
    if (!inner)
      return std::nullopt;
    result.insert(result.end(), inner->begin(), inner->end());
  }
  return result;
}

} // namespace sinter

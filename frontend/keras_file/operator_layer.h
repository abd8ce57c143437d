// Operators and functions on tensors, which Keras files list among the layers.
#pragma once

#include "frontend/interpreter.h"
#include "frontend/keras_objects.h"

#include <nlohmann/json.hpp>
#include <optional>

namespace sinter {

/// Whether an entry of "layers" is one: Keras 2's TFOpLambda, Keras 3's operation objects.
bool is_operator(const nlohmann::json &layer);

/// What it computes: an operator ("+") or the path of a function of one tensor
/// ("keras.activations.relu"); nothing when it is not supported.
std::optional<std::string> operator_path(const nlohmann::json &layer);

/// Applies operator_path's result to tensors and numbers.
KerasTensor *apply_operator(Interpreter &, const std::string &path,
                            const std::vector<Value> &operands, const SourceLocation &);

} // namespace sinter

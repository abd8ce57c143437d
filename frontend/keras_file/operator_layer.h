// Operators and functions on tensors, which Keras files list among the layers.
#pragma once

#include "frontend/keras_file/config_reader.h"

#include <nlohmann/json.hpp>

namespace sinter {

/// Whether an entry of "layers" is one: Keras 2's TFOpLambda, Keras 3's operation objects.
bool is_operator(const nlohmann::json &layer);

/// What it computes: an operator ("+"), or a function of one tensor with its further arguments.
struct TensorOperator {
  std::string spelling;
  const Native *function = nullptr;
  CallArguments arguments;
};

/// Throws a CompileError that says what of it is not supported.
TensorOperator read_operator(const nlohmann::json &layer, ConfigReader &, const SourceLocation &);

KerasTensor *apply_operator(Interpreter &, const TensorOperator &,
                            const std::vector<Value> &operands, const SourceLocation &);

} // namespace sinter

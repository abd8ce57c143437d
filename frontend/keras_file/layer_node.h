// How a file writes the calls of a layer: the entries of "inbound_nodes".
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace sinter {

/// An output of a call of a layer.
struct TensorReference {
  std::string layer;
  int64_t call = 0;
  int64_t output = 0;
};

/// What a call was given, in order: tensors, and numbers where it is an operator.
using CallOperands = std::vector<std::variant<TensorReference, double>>;

/// ["conv2d", 0, 0], perhaps with a dict of further arguments behind.
std::optional<TensorReference> parse_reference(const nlohmann::json &);

/// Keras 3's {"args": [...], "kwargs": {...}} with __keras_tensor__ objects, or Keras 2's
/// [["conv2d", 0, 0, {}], ...]. Nothing when it is neither.
std::optional<CallOperands> parse_call(const nlohmann::json &node);

/// The tensors that "input_layers" and "output_layers" list, in whatever structure.
std::optional<std::vector<TensorReference>> parse_references(const nlohmann::json &);

} // namespace sinter

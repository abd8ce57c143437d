// Serialized Keras objects as the values that a script would have made of them: a layer of a file
// is made by the same table entry, with the same checks, as the layer of a script.
#pragma once

#include "frontend/interpreter.h"
#include "frontend/keras_objects.h"

#include <nlohmann/json.hpp>
#include <set>

namespace sinter {

class ConfigReader {
public:
  ConfigReader(Interpreter &interpreter, SourceLocation file)
      : interpreter_(interpreter), file_(std::move(file)) {}

  /// A layer of the class; throws a CompileError that says what of it is not supported.
  Layer &layer(const std::string &class_name, const nlohmann::json &config);

  /// An optimizer, loss, metric ...: {"class_name": ..., "config": ...} of Keras's `module`
  /// ("keras.optimizers"); a string, list or number is itself, a dict a dict.
  Value value(const nlohmann::json &, const std::string &module);

  /// The arguments of `native` that a config gives. What older and newer versions call otherwise is
  /// renamed; entries that say nothing ("ragged": false) are left out.
  CallArguments arguments(const Native &native, const nlohmann::json &config);

private:
  Value object(const nlohmann::json &, const std::string &module);
  Value activation_layer(const std::string &class_name, const nlohmann::json &config);
  Value construct(const Native &, const nlohmann::json &config);
  Value argument(const ArgumentSpec &, const nlohmann::json &);
  /// A data type or policy as layers take it: None for all that is computed in float32 here.
  Value dtype(const nlohmann::json &);

  Interpreter &interpreter_;
  SourceLocation file_;
  std::set<std::string> widened_; // types that a warning was given for
};

/// "Adam" of "Custom>Adam": the class without the package it is registered in.
std::string plain_class_name(const std::string &);

} // namespace sinter

#include "frontend/constraints.h"

#include "frontend/interpreter.h"
#include "frontend/keras_session.h"
#include "frontend/modules.h"

#include <algorithm>

namespace sinter {

namespace {

Value make_constraint(Interpreter &interpreter, const Call &call) {
  return interpreter.make<Configured>(&call.native, call.arguments, call.location);
}

const Native *find_constraint(const Value &value) {
  if (const Configured *configured = object<Configured>(value))
    return configured->type;
  if (const auto *native = std::get_if<const Native *>(&value))
    return *native;
  const auto *text = std::get_if<std::string>(&value);
  return text ? find_native(canonical_path("keras.constraints." + *text)) : nullptr;
}

/// An argument of the object, or its default where only the class or its name is given.
Value argument(const Value &constraint, const Native &native, std::string_view name) {
  if (const Configured *configured = object<Configured>(constraint))
    return configured->arguments[name];
  for (const ArgumentSpec &spec : native.arguments)
    if (spec.name == name)
      return *spec.fallback;
  SINTER_UNREACHABLE("{} has no argument {}", native.path, name);
}

/// The axes that a norm goes over, one or a list of them, as dimensions in ascending order.
std::vector<int64_t> norm_axes(const Value &value, const Shape &shape,
                               const SourceLocation &location) {
  const auto rank = static_cast<int64_t>(shape.size());
  const std::vector<Value> *items = sequence_items(value);
  std::vector<int64_t> axes;
  for (const Value &item : items ? *items : std::vector<Value>{value}) {
    const auto *axis = std::get_if<int64_t>(&item);
    if (!axis || *axis < -rank || *axis >= rank)
      throw CompileError(location, "a constraint along axis {} does not fit a weight of shape {}",
                         describe(value), str(shape));
    axes.push_back(*axis < 0 ? *axis + rank : *axis);
  }
  std::sort(axes.begin(), axes.end());
  axes.erase(std::unique(axes.begin(), axes.end()), axes.end());
  return axes;
}

} // namespace

void check_constraint(const Value &value, const SourceLocation &location) {
  if (std::holds_alternative<None>(value))
    return;
  if (const Opaque *unknown = object<Opaque>(value))
    fail_unknown(*unknown, location, "a constraint");
  const Native *native = find_constraint(value);
  if (!native || native->family != Family::constraint)
    throw CompileError(location, "unknown constraint {}", describe(value));
}

void set_constraint(ParameterAttrs &parameter, const Value &value, const SourceLocation &location) {
  check_constraint(value, location);
  if (std::holds_alternative<None>(value))
    return;
  const Native &native = *find_constraint(value);
  const auto number = [&](const char *name) {
    return static_cast<float>(to_number(argument(value, native, name)));
  };
  const std::string_view name = native.name();
  parameter.constraint = snake_case_name(std::string(name));
  if (name == "NonNeg")
    return;
  parameter.norm_axes = norm_axes(argument(value, native, "axis"), parameter.type.shape, location);
  if (name == "MaxNorm" || name == "MinMaxNorm")
    parameter.max_norm = number("max_value");
  if (name == "MinMaxNorm") {
    parameter.min_norm = number("min_value");
    parameter.norm_rate = number("rate");
  }
}

std::vector<Native> constraint_natives() {
  using Kind = ArgumentKind;
  const ArgumentSpec axis = optional("axis", Kind::any, 0);
  const auto entry = [](const char *path, std::vector<ArgumentSpec> arguments) -> Native {
    return {path, std::move(arguments), make_constraint, Family::constraint};
  };
  return {
      entry("keras.constraints.NonNeg", {}), entry("keras.constraints.UnitNorm", {axis}),
      entry("keras.constraints.MaxNorm", {optional("max_value", Kind::number, 2), axis}),
      entry("keras.constraints.MinMaxNorm", {optional("min_value", Kind::number, Value(0.0)),
                                             optional("max_value", Kind::number, Value(1.0)),
                                             optional("rate", Kind::number, Value(1.0)), axis})};
}

} // namespace sinter

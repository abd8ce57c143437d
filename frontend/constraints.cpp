#include "frontend/constraints.h"

#include "frontend/configured.h"
#include "frontend/keras_session.h"

#include <algorithm>

namespace sinter {

namespace {

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

void set_constraint(ParameterAttrs &parameter, const Value &value, const SourceLocation &location) {
  const auto constraint = find_configured(value, Family::constraint, location);
  if (!constraint)
    return;
  const Arguments &arguments = constraint->arguments;
  const std::string_view name = constraint->type->name();
  parameter.constraint = snake_case_name(name);
  if (name == "NonNeg")
    return;
  parameter.norm_axes = norm_axes(arguments["axis"], parameter.type.shape, location);
  if (name == "MaxNorm" || name == "MinMaxNorm")
    parameter.max_norm = arguments.real("max_value");
  if (name == "MinMaxNorm") {
    parameter.min_norm = arguments.real("min_value");
    parameter.norm_rate = arguments.real("rate");
  }
}

std::vector<Native> constraint_natives() {
  using Kind = ArgumentKind;
  const ArgumentSpec axis = optional("axis", Kind::any, 0);
  const auto entry = [](const char *path, std::vector<ArgumentSpec> arguments) -> Native {
    return {path, std::move(arguments), configure, Family::constraint};
  };
  return {
      entry("keras.constraints.NonNeg", {}), entry("keras.constraints.UnitNorm", {axis}),
      entry("keras.constraints.MaxNorm", {optional("max_value", Kind::number, 2), axis}),
      entry("keras.constraints.MinMaxNorm", {optional("min_value", Kind::number, Value(0.0)),
                                             optional("max_value", Kind::number, Value(1.0)),
                                             optional("rate", Kind::number, Value(1.0)), axis})};
}

} // namespace sinter

#include "frontend/configured.h"

#include "frontend/interpreter.h"
#include "frontend/modules.h"

namespace sinter {

Value configure(Interpreter &interpreter, const Call &call) {
  return interpreter.make<Configured>(&call.native, call.arguments, call.location);
}

Arguments default_arguments(const Native &native) {
  std::vector<Value> values;
  for (const ArgumentSpec &spec : native.arguments)
    values.push_back(*spec.fallback);
  return Arguments(native, std::move(values), std::vector<bool>(native.arguments.size()));
}

std::optional<Configured> find_configured(const Value &value, Family family,
                                          const SourceLocation &location) {
  if (std::holds_alternative<None>(value))
    return std::nullopt;
  if (const Opaque *unknown = object<Opaque>(value))
    fail_unknown(*unknown, location, name(family));
  if (const Configured *configured = object<Configured>(value);
      configured && configured->type->family == family)
    return *configured;
  const std::string kind(std::string_view(name(family)).substr(2)); // "constraint"
  const auto *text = std::get_if<std::string>(&value);
  const auto *type = std::get_if<const Native *>(&value);
  const Native *native = text
                             ? find_native(canonical_path(fmt::format("keras.{}s.{}", kind, *text)))
                             : (type ? *type : nullptr);
  if (!native || native->family != family)
    throw CompileError(location, "unknown {} {}", kind, describe(value));
  return Configured{native, default_arguments(*native), location};
}

} // namespace sinter

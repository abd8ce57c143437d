// docs/model_script.md lists what the tables hold. UPDATE_GOLDENS=1 rewrites its generated parts.
#include "frontend/layer_table.h"
#include "frontend/modules.h"
#include "tests/frontend/support.h"
#include "tests/generated_parts.h"

#include <doctest/doctest.h>

using namespace sinter;

namespace {

bool is_common(std::string_view argument) {
  for (const ArgumentSpec &spec : with_common_arguments({}))
    if (spec.name == argument)
      return true;
  return false;
}

/// `filters`, `strides=1`, `kernel_regularizer=None`†
std::string argument_list(const Native &native, bool skip_common) {
  std::string text;
  for (const ArgumentSpec &spec : native.arguments) {
    if (spec.kind == ArgumentKind::ignored || (skip_common && is_common(spec.name)))
      continue;
    text += fmt::format("{}`{}{}`{}", text.empty() ? "" : ", ", spec.name,
                        spec.fallback ? "=" + describe(*spec.fallback) : "",
                        spec.kind == ArgumentKind::unsupported ? "†" : "");
  }
  return text;
}

std::string table(Family family) {
  std::string text = "\n| | arguments |\n|---|---|\n";
  for (const Native &native : configuration_natives())
    if (native.family == family)
      text += fmt::format("| `{}` | {} |\n", native.name(), argument_list(native, false));
  return text;
}

std::string layer_table(const char *module) {
  std::string text = "\n| | arguments |\n|---|---|\n";
  for (const LayerType &type : layer_types())
    if (type.native.path.rfind(module, 0) == 0)
      text += fmt::format("| `{}` | {} |\n", type.native.name(), argument_list(type.native, true));
  return text;
}

std::string activations() {
  std::string text;
  for (const Native &native : configuration_natives())
    if (native.family == Family::activation && native.path.rfind("keras.activations.", 0) == 0)
      text += fmt::format("{}`{}`", text.empty() ? "" : ", ", native.name());
  return text;
}

} // namespace

TEST_CASE("the reference lists every layer, optimizer, callback and initializer") {
  check_generated_parts("docs/model_script.md", {{"layers", layer_table("keras.layers.")},
                                                 {"torch_layers", layer_table("torch.nn.")},
                                                 {"activations", activations()},
                                                 {"initializers", table(Family::initializer)},
                                                 {"optimizers", table(Family::optimizer)},
                                                 {"schedules", table(Family::schedule)},
                                                 {"callbacks", table(Family::callback)}});
}

// docs/model_script.md lists what the tables hold. UPDATE_GOLDENS=1 rewrites its generated parts.
#include "frontend/layer_table.h"
#include "frontend/modules.h"
#include "tests/frontend/support.h"
#include "tests/paths.h"

#include <cstdlib>
#include <doctest/doctest.h>
#include <fstream>

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
    if (native.family == Family::activation)
      text += fmt::format("{}`{}`", text.empty() ? "" : ", ", native.name());
  return text;
}

/// Replaces what stands between `<!-- generated: NAME -->` and the next `<!-- end -->`.
void fill(std::string &document, const std::string &name, const std::string &text) {
  const std::string begin = fmt::format("<!-- generated: {} -->", name);
  const size_t at = document.find(begin);
  REQUIRE_MESSAGE(at != std::string::npos, name);
  const size_t start = at + begin.size();
  document.replace(start, document.find("<!-- end -->", start) - start, text);
}

} // namespace

TEST_CASE("the reference lists every layer, optimizer, callback and initializer") {
  const std::string path = source_path("docs/model_script.md");
  const std::string document = read_file(path);
  std::string expected = document;
  fill(expected, "layers", layer_table("keras.layers."));
  fill(expected, "torch_layers", layer_table("torch.nn."));
  fill(expected, "activations", activations());
  fill(expected, "initializers", table(Family::initializer));
  fill(expected, "optimizers", table(Family::optimizer));
  fill(expected, "callbacks", table(Family::callback));
  if (std::getenv("UPDATE_GOLDENS"))
    std::ofstream(path) << expected;
  else
    CHECK(document == expected);
}

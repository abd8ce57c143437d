// Walks golden/*.py: the model of NAME.py prints as NAME.sir, and its warnings stand in the
// script as `# warning: text` on their lines. UPDATE_GOLDENS=1 rewrites the .sir files.
#include "ir/print.h"
#include "ir/verify.h"
#include "tests/frontend/support.h"
#include "tests/paths.h"

#include <algorithm>
#include <cstdlib>
#include <doctest/doctest.h>
#include <filesystem>
#include <fstream>
#include <sstream>

using namespace sinter;

namespace {

std::vector<std::string> expected_warnings(const std::string &name, const std::string &text) {
  const std::string marker = "# warning: ";
  std::vector<std::string> warnings;
  std::istringstream lines(text);
  int number = 0;
  for (std::string line; std::getline(lines, line);) {
    ++number;
    const size_t at = line.find(marker);
    if (at != std::string::npos)
      warnings.push_back(fmt::format("{}:{}: {}", name, number, line.substr(at + marker.size())));
  }
  return warnings;
}

/// `file:line: text` of `file:line:column: warning: text`.
std::string without_column(const std::string &warning) {
  const std::string severity = ": warning: ";
  const size_t at = warning.find(severity);
  const std::string place = warning.substr(0, at);
  return place.substr(0, place.rfind(':')) + ": " + warning.substr(at + severity.size());
}

} // namespace

TEST_CASE("scripts mean exactly these models") {
  std::vector<std::filesystem::path> scripts;
  for (const auto &entry :
       std::filesystem::directory_iterator(source_path("tests/frontend/golden")))
    if (entry.path().extension() == ".py")
      scripts.push_back(entry.path());
  std::sort(scripts.begin(), scripts.end());
  CHECK(scripts.size() >= 4);
  for (const std::filesystem::path &script : scripts) {
    const std::string name = script.filename().string();
    INFO(name);
    const std::string source = read_file(script.string());
    Diagnostics diagnostics;
    const Model model = load_script(name, source, {}, diagnostics);
    verify(model.graph);
    std::vector<std::string> warnings;
    for (const std::string &warning : diagnostics.warnings())
      warnings.push_back(without_column(warning));
    std::sort(warnings.begin(), warnings.end());
    std::vector<std::string> expected = expected_warnings(name, source);
    std::sort(expected.begin(), expected.end());
    CHECK(warnings == expected);
    const std::filesystem::path golden = std::filesystem::path(script).replace_extension(".sir");
    if (std::getenv("UPDATE_GOLDENS"))
      std::ofstream(golden) << print(model);
    CHECK(print(model) == read_file(golden.string()));
  }
}

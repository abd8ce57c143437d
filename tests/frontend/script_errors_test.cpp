// Walks errors/*.py: cases between `# -----`, each with `# error: text` on the line to be blamed.
#include "frontend/source_file.h"
#include "tests/frontend/support.h"
#include "tests/paths.h"

#include <algorithm>
#include <doctest/doctest.h>
#include <filesystem>
#include <sstream>

using namespace sinter;

namespace {

struct ErrorCase {
  std::string text;
  std::string expected; // "line: text"
  int first_line = 1;
};

std::vector<ErrorCase> split_cases(const std::string &text) {
  const std::string marker = "# error: ";
  std::vector<ErrorCase> cases(1);
  std::istringstream lines(text);
  int total = 0;
  int number = 0;
  for (std::string line; std::getline(lines, line);) {
    ++total;
    if (line == "# -----") {
      cases.emplace_back();
      cases.back().first_line = total + 1;
      number = 0;
      continue;
    }
    ++number;
    cases.back().text += line + "\n";
    const size_t at = line.find(marker);
    if (at != std::string::npos)
      cases.back().expected = fmt::format("{}: {}", number, line.substr(at + marker.size()));
  }
  return cases;
}

} // namespace

TEST_CASE("a script's error names its line") {
  int checked = 0;
  std::vector<std::filesystem::path> files;
  for (const auto &entry :
       std::filesystem::directory_iterator(source_path("tests/frontend/errors")))
    files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  for (const std::filesystem::path &file : files)
    for (const ErrorCase &test : split_cases(read_file(file.string()))) {
      INFO(file.filename().string(), ":", test.first_line);
      REQUIRE(!test.expected.empty());
      std::string found = error_of(test.text);
      // What concerns the script as a whole has no line.
      if (found.rfind("0: ", 0) == 0)
        found[0] = '1';
      CHECK(found == test.expected);
      ++checked;
    }
  CHECK(checked > 100);
}

TEST_CASE("the caret stands below the column, tabs and wide characters included") {
  const auto file = std::make_shared<const std::string>("m.py");
  CHECK(caret_excerpt({file, 2, 5}, "a = 1\nb = c(2)\n") == "  2 | b = c(2)\n    |     ^\n");
  CHECK(caret_excerpt({file, 1, 3}, "\t x = 1") == "  1 | \t x = 1\n    | \t ^\n");
  CHECK(caret_excerpt({file, 1, 8}, "a = '모델' + b") ==
        "  1 | a = '모델' + b\n    |          ^\n");
  CHECK(caret_excerpt({file, 9, 1}, "a = 1\n").empty());
  CHECK(caret_excerpt({}, "a = 1\n").empty());
}

#include "tests/generated_parts.h"

#include "tests/paths.h"

#include <cstdlib>
#include <doctest/doctest.h>
#include <fstream>
#include <sstream>

namespace sinter {

namespace {

std::string read(const std::string &path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

void replace_part(std::string &document, const std::string &name, const std::string &text) {
  const std::string begin = "<!-- generated: " + name + " -->";
  const size_t at = document.find(begin);
  REQUIRE_MESSAGE(at != std::string::npos, name);
  const size_t start = at + begin.size();
  const size_t end = document.find("<!-- end -->", start);
  REQUIRE_MESSAGE(end != std::string::npos, name);
  document.replace(start, end - start, text);
}

} // namespace

void check_generated_parts(const std::string &path,
                           const std::vector<std::pair<std::string, std::string>> &texts) {
  const std::string file = source_path(path);
  const std::string document = read(file);
  std::string expected = document;
  for (const auto &[name, text] : texts)
    replace_part(expected, name, text);
  if (std::getenv("UPDATE_GOLDENS"))
    std::ofstream(file) << expected;
  else
    CHECK(document == expected);
}

} // namespace sinter

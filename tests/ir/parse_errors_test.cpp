// Walks errors/*.sir: each case holds `// error: text` on the line that must be blamed.
#include "ir/diagnostics.h"
#include "ir/parse.h"
#include "tests/paths.h"

#include <doctest/doctest.h>
#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>

using namespace sinter;

namespace {

std::string read_file(const std::filesystem::path &path) {
  std::ifstream stream(path);
  std::stringstream text;
  text << stream.rdbuf();
  return text.str();
}

struct ErrorCase {
  std::string text;
  int line = 0; // within the case
  std::string error;
};

std::vector<ErrorCase> split_cases(const std::string &text) {
  std::vector<ErrorCase> cases(1);
  std::istringstream lines(text);
  int number = 0;
  for (std::string line; std::getline(lines, line);) {
    if (line == "// -----") {
      cases.emplace_back();
      number = 0;
      continue;
    }
    ++number;
    cases.back().text += line + "\n";
    const std::string marker = "// error: ";
    const size_t at = line.find(marker);
    if (at != std::string::npos) {
      cases.back().line = number;
      cases.back().error = line.substr(at + marker.size());
    }
  }
  return cases;
}

} // namespace

TEST_CASE("malformed text is blamed on its line") {
  int checked = 0;
  for (const auto &entry : std::filesystem::directory_iterator(source_path("tests/ir/errors")))
    for (const ErrorCase &test : split_cases(read_file(entry.path()))) {
      CAPTURE(entry.path().string());
      CAPTURE(test.text);
      REQUIRE(test.line > 0);
      try {
        parse_graph(test.text, "case.sir");
        FAIL_CHECK("no error");
      } catch (const CompileError &error) {
        CHECK(error.text() == test.error);
        CHECK(error.location().line == test.line);
      }
      ++checked;
    }
  CHECK(checked >= 17);
}

TEST_CASE("a schedule without its numbers is an error on its line") {
  const auto error = [](const std::string &schedule) -> std::string {
    try {
      parse_model("model \"m\" {\n  training epochs=2 batch_size=8 shuffle=true\n  optimizer "
                  "{kind=\"sgd\"}\n"
                  "  schedule {" +
                      schedule + "}\n}\ngraph {\n}\n",
                  "m.sir");
    } catch (const CompileError &refusal) {
      return refusal.what();
    }
    return "";
  };
  CHECK(error("kind=\"linear\"").find("m.sir:4:3: error: unknown schedule \"linear\"") == 0);
  CHECK(error("kind=\"piecewise_constant\", boundaries=[3], factors=[1]")
            .find("a schedule of 1 boundaries has 1 factors") != std::string::npos);
}

TEST_CASE("a model that no program can be made of is refused") {
  const auto refusal = [](const std::string &header, const std::string &outputs) {
    const std::string graph = R"(graph {
  %0 = input {name="x", type=f32[N,4]} : f32[N,4]
  %1 = input {name="t", role="label", type=f32[N,4]} : f32[N,4]
  %2 = mean_squared_error %0, %1 : f32[N]
  %3 = reduce_mean %2 {axes=[0]} : f32[]
  output "prediction" %0
)";
    try {
      parse_model("model \"m\" {\n" + header + "}\n" + graph + outputs + "}\n", "m.sir");
    } catch (const CompileError &error) {
      return error.text();
    }
    return std::string();
  };
  const std::string training = "training epochs=1 batch_size=1 shuffle=true optimizer {}\n";
  CHECK(refusal(training, "output \"loss\" %3\n") == "");
  CHECK(refusal("training epochs=0", "") == "expected epochs of 1 to 2147483647, found 0");
  CHECK(refusal("training epochs=5000000000", "") ==
        "expected epochs of 1 to 2147483647, found 5000000000");
  CHECK(refusal("training epochs=1 batch_size=-8", "") ==
        "expected batch_size of 1 to 2147483647, found -8");
  CHECK(refusal(training + "early_stopping {patience=-1}\n", "") ==
        "expected patience of 0 to 2147483647, found -1");
  CHECK(refusal(training + "plateau {patience=4294967296}\n", "") ==
        "expected patience of 0 to 2147483647, found 4294967296");
  CHECK(refusal(training + "plateau {cooldown=-1}\n", "") ==
        "expected cooldown of 0 to 2147483647, found -1");
  CHECK(refusal("data \"mnist\" one_hot=-4", "") ==
        "expected one_hot of 0 to 2147483647, found -4");
  CHECK(refusal("training epochs=1 batch_size=1 shuffle=true optimizer {kind=\"lion\"}", "") ==
        "unknown optimizer \"lion\"");
  CHECK(refusal("data \"mnist\" one_hot=0 scaling {op=\"log\"}", "") == "unknown scaling \"log\"");
  CHECK(refusal("data \"mnist\" one_hot=0 subset \"train\" \"train\" {op=\"odd\"}", "") ==
        "unknown step of a subset \"odd\"");
  CHECK(refusal("", "output \"loss\" %2\n") == "output \"loss\" is f32[N], not a scalar f32[]");
  CHECK(refusal("", "output \"gradient:w\" %3\n") ==
        "output \"gradient:w\" has a name that gradients have");
}

TEST_CASE("a damaged file is an error of the user's, never a crash") {
  const std::string good = R"(model "m" {
  training epochs=2 batch_size=8 shuffle=true
  optimizer {kind="sgd"}
  layer "dense" "Dense" %2 [%1] []
}
graph {
  %0 = input {name="x", type=f32[N,4]} : f32[N,4]
  %1 = parameter {name="w", type=f32[4,3]} : f32[4,3]
  %2 = matmul %0, %1 : f32[N,3] @"dense" loc("m.py":4:1)
  output "prediction" %2
}
)";
  REQUIRE_NOTHROW(parse_model(good, "m.sir"));
  std::mt19937 random(7);
  int rejected = 0;
  for (int round = 0; round < 2000; ++round) {
    std::string damaged = good.substr(0, round % 2 ? good.size() : random() % good.size());
    for (auto edits = random() % 3 + 1; edits > 0 && !damaged.empty(); --edits)
      damaged[random() % damaged.size()] = static_cast<char>(random() % 127 + 1);
    try {
      parse_model(damaged, "m.sir");
    } catch (const CompileError &) {
      ++rejected;
    }
  }
  CHECK(rejected > 1000);
}

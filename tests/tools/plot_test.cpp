// sinter plot: DOT text by layer and by operation, and what it refuses.
#include "ir/parse.h"
#include "tests/paths.h"
#include "tool_support.h"
#include "tools/plot.h"

#include <doctest/doctest.h>

using namespace sinter;

namespace {

bool contains(const std::string &text, const std::string &part) {
  return text.find(part) != std::string::npos;
}

} // namespace

TEST_CASE("a model with layers is drawn by layer") {
  const ScriptFolder folder;
  const ToolRun run = run_sinter({"plot", folder.net()});
  CHECK(run.code == 0);
  CAPTURE(run.out);
  CHECK(contains(run.out, "digraph \"sequential\" {\n"));
  CHECK(contains(run.out, "\"conv2d\" [label=\"conv2d (Conv2D)\\nf32[N,8,8,9]\""));
  CHECK(contains(run.out, "\"conv2d\" -> \"max_pooling2d\";"));
  const ToolRun operations = run_sinter({"plot", folder.net(), "--ops"});
  CHECK(contains(operations.out, "label=\"bias_add conv2d\\n"));
}

TEST_CASE("an imported graph is drawn by operation, and its names are quoted") {
  Model model;
  model.name = "a \"b\"";
  model.graph = parse_graph(R"(%0 = input {name="x\\y", type=f32[N,4]} : f32[N,4]
%1 = parameter {name="w", type=f32[4]} : f32[4]
%2 = multiply %0, %1 : f32[N,4]
%3 = add %2, %2 : f32[N,4]
output "prediction" %3)",
                            "t");
  CHECK(dot_text(model, false) == R"(digraph "a \"b\"" {
  node [shape=box, fontname="Helvetica"];
  "%0" [label="input x\\y\nf32[N,4]", style=rounded];
  "%2" [label="multiply\nf32[N,4]"];
  "%3" [label="add\nf32[N,4]"];
  "output prediction" [label="prediction\nf32[N,4]", style=rounded];
  "%0" -> "%2";
  "%2" -> "%3";
  "%3" -> "output prediction";
}
)");
}

TEST_CASE("a plot goes to the file that its name's end says") {
  const ScriptFolder folder;
  CHECK(run_sinter({"plot", folder.net(), "-o", folder.path("net.dot")}).code == 0);
  CHECK(contains(read_file(folder.path("net.dot")), "digraph"));
  const ToolRun other = run_sinter({"plot", folder.net(), "-o", folder.path("net.txt")});
  CHECK(other.code == 2);
  CHECK(contains(other.err, "must end in .dot or .gv or .svg or .png or .pdf"));
  const ToolRun drawn = run_sinter({"plot", folder.net(), "-o", folder.path("net.svg")});
  CAPTURE(drawn.err);
  REQUIRE(drawn.code == 0);
  const std::string picture = read_file(folder.path("net.svg"));
  CHECK(contains(picture, "<svg"));
  CHECK(contains(picture, ">conv2d (Conv2D)</text>"));
}

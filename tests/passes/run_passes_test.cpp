#include "ir/parse.h"
#include "passes/make_plan.h"
#include "passes/pipeline.h"
#include "passes/run_passes.h"
#include "tests/paths.h"

#include <doctest/doctest.h>
#include <filesystem>
#include <fstream>
#include <sstream>

using namespace sinter;

namespace {

Graph sample_graph() {
  return parse_graph(R"(%0 = input {name="x", type=f32[N,4]} : f32[N,4]
%1 = relu %0 : f32[N,4]
%2 = relu %1 : f32[N,4]
output "prediction" %2)",
                     "sample.sir");
}

const Pass kIdle{"idle", "", [](Graph &) {}};
const Pass kBroken{"broken", "", [](Graph &graph) { graph.outputs.push_back({"y", {99}}); }};
const Pass kIllTyped{"ill-typed", "", [](Graph &graph) {
                       graph.append(OpKind::reshape, {{0}}, ReshapeAttrs{{kBatch, 5}});
                     }};

std::string failure_of(const std::vector<Pass> &passes, const PassOptions &options) {
  Graph graph = sample_graph();
  try {
    run_passes(graph, passes, options);
  } catch (const InternalError &error) {
    return error.what();
  }
  return "";
}

} // namespace

TEST_CASE("a pass that breaks an invariant is named") {
  CHECK(failure_of({kIdle, kBroken}, {}).find("pass broken: ") == 0);
}

TEST_CASE("an ill-typed node made by a pass is our bug, not the user's") {
  CHECK(failure_of({kIllTyped}, {}).find("pass ill-typed: ") == 0);
}

TEST_CASE("a pass that may reject a model blames the user") {
  Graph graph = sample_graph();
  const Pass rejecting{"rejecting", "", [](Graph &) { throw CompileError({}, "no"); }, true};
  CHECK_THROWS_AS(run_passes(graph, {rejecting}, {}), CompileError);
}

TEST_CASE("the reproducer holds the graph before the failing pass and the remaining names") {
  const std::string path = build_path("run_passes_reproducer.sir");
  PassOptions options;
  options.reproducer = path;
  const std::string message = failure_of({*find_pass("canonicalize"), kBroken, kIdle}, options);
  CHECK(message.find("(reproducer: " + path + ")") != std::string::npos);
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  CHECK(text.str().find("// passes: broken,idle\n") == 0);
  const Graph graph = parse_graph(text.str(), path);
  CHECK(graph.size() == 2); // canonicalize had run: one relu is left
  std::filesystem::remove(path);
}

TEST_CASE("a reproducer that cannot be written does not hide the error") {
  PassOptions options;
  options.reproducer = "/nonexistent/reproducer.sir";
  CHECK(failure_of({kBroken}, options).find("cannot write") != std::string::npos);
}

TEST_CASE("passes are printed on change and timed") {
  Graph graph = sample_graph();
  std::string log;
  PassOptions options;
  options.print_after = "all";
  options.time = true;
  options.log = [&](const std::string &text) { log += text; };
  run_passes(graph, {kIdle, *find_pass("canonicalize")}, options);
  CHECK(log.find("// after idle: no change\n") != std::string::npos);
  CHECK(log.find("// after canonicalize\ngraph {\n") != std::string::npos);
  CHECK(log.find(" ms\n") != std::string::npos);
}

TEST_CASE("a fusion pass that breaks a plan is named, with the graph as reproducer") {
  PassOptions options;
  options.reproducer = build_path("run_passes_plan_reproducer.sir");
  Plan plan = make_plan(sample_graph());
  const PlanPass broken{"fuse-wrongly", "", [](Plan &fused) { fused.kernels.pop_back(); }};
  CHECK_THROWS_WITH_AS(run_passes(plan, {broken}, options), doctest::Contains("fuse-wrongly"),
                       InternalError);
  std::ostringstream text;
  text << std::ifstream(options.reproducer).rdbuf();
  CHECK(text.str().find("// passes: fuse-wrongly\n") == 0);
  std::filesystem::remove(options.reproducer);
}

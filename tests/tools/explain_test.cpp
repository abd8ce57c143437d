#include "passes/pipeline.h"
#include "tests/paths.h"
#include "tool_support.h"
#include "tools/explain.h"

#include <doctest/doctest.h>

using namespace sinter;

TEST_CASE("explain names what fused, what did not and why, and where values lie") {
  const ScriptFolder scripts;
  const std::string cache = "--cache=" + build_path("test_kernels");
  const ToolRun run = run_sinter({"explain", scripts.net(), "--json", cache});
  CAPTURE(run.err);
  REQUIRE(run.code == 0);
  const nlohmann::json explanation = nlohmann::json::parse(run.out);
  REQUIRE(explanation.at("phases").size() == 3);
  const nlohmann::json &infer = explanation.at("phases").at(0);
  CHECK(infer.at("name") == "infer");
  const nlohmann::json &first = infer.at("kernels").at(0);
  CHECK(first.at("ops").get<std::string>().rfind("conv2d+bias_add+relu", 0) == 0);
  CHECK(first.at("layers").get<std::string>().rfind("conv2d", 0) == 0);
  CHECK_FALSE(first.at("algorithm").get<std::string>().empty());
  const auto &refusals = infer.at("not_fused");
  REQUIRE_FALSE(refusals.empty());
  CHECK(refusals.at(0).at("producer") == "max_pool2d (max_pooling2d)");
  CHECK(refusals.at(0).at("consumer") == "matmul (dense)");
  CHECK(refusals.at(0).at("reason") == "each kernel has a loop nest of its own");
  CHECK_FALSE(infer.at("values").empty());

  const std::string text = run_sinter({"explain", scripts.net(), "--memory", cache}).out;
  CHECK(text.find("conv2d+bias_add+relu") != std::string::npos);
  CHECK(text.find("arena") != std::string::npos);
}

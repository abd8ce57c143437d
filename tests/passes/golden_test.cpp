// Every tests/passes/<pass>.sir: cases divided by `// -----`, each a graph, `=>` and exactly what
// the pass named by the file makes of it. UPDATE_GOLDENS=1 writes the results instead.
#include "ir/parse.h"
#include "ir/print.h"
#include "ir/verify.h"
#include "passes/add_optimizer.h"
#include "passes/choose_micro_batches.h"
#include "passes/make_plan.h"
#include "passes/pipeline.h"
#include "passes/plan_memory.h"
#include "tests/paths.h"

#include <algorithm>
#include <cstdlib>
#include <doctest/doctest.h>
#include <filesystem>
#include <fstream>
#include <sstream>

using namespace sinter;

namespace {

const std::string kDivider = "// -----\n";
const std::string kArrow = "=>\n";

std::string read_text(const std::filesystem::path &path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

std::vector<std::string> split(const std::string &text, const std::string &divider) {
  std::vector<std::string> parts;
  size_t begin = 0;
  for (size_t at; (at = text.find(divider, begin)) != std::string::npos;
       begin = at + divider.size())
    parts.push_back(text.substr(begin, at - begin));
  parts.push_back(text.substr(begin));
  return parts;
}

/// `// optimizer: {kind="sgd", momentum=0.9}` in a case's comment.
OptimizerSpec optimizer_of(const std::string &text) {
  const std::string key = "// optimizer: ";
  const size_t at = text.find(key);
  if (at == std::string::npos)
    return {};
  const size_t begin = at + key.size();
  const std::string fields = text.substr(begin, text.find('\n', begin) - begin);
  const Model model = parse_model("model \"m\" {\n  training epochs=1 batch_size=1 shuffle=true\n"
                                  "  optimizer " +
                                      fields + "\n}\ngraph {\n}\n",
                                  "optimizer");
  return model.training->optimizer;
}

/// The plan without its graph, which stands above.
std::string run_plan_pass(const Graph &graph, const PlanPass &pass) {
  Plan plan = make_plan(graph);
  pass.run(plan);
  verify(plan);
  return print(plan).substr(print(graph).size());
}

/// What a file of this name tests; nothing when there is no such pass.
std::optional<PlanPass> plan_pass(const std::string &name) {
  if (name == "plan-memory")
    return PlanPass{"plan-memory", "",
                    [](Plan &plan) { plan_memory(plan, place_parameters({&plan.graph})); }};
  if (name == "choose-micro-batches")
    return PlanPass{"choose-micro-batches", "", choose_micro_batches};
  const PlanPass *found = find_plan_pass(name);
  return found ? std::optional(*found) : std::nullopt;
}

std::string run_case(const std::string &pass_name, const std::string &input,
                     const std::string &file) {
  Graph graph = parse_graph(input, file);
  try {
    if (pass_name == "add-optimizer")
      add_optimizer(graph, optimizer_of(input));
    else if (const std::optional<PlanPass> pass = plan_pass(pass_name))
      return run_plan_pass(graph, *pass);
    else
      find_pass(pass_name)->run(graph);
    verify(graph);
  } catch (const CompileError &error) {
    return std::string("error: ") + error.text() + "\n";
  }
  return print(graph);
}

} // namespace

TEST_CASE("every pass does what its golden file says") {
  const bool update = std::getenv("UPDATE_GOLDENS") != nullptr;
  const std::filesystem::path folder = source_path("tests/passes");
  for (const auto &entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() != ".sir")
      continue;
    std::string pass_name = entry.path().stem().string();
    std::replace(pass_name.begin(), pass_name.end(), '_', '-');
    REQUIRE_MESSAGE((find_pass(pass_name) || plan_pass(pass_name)), "no pass " << pass_name);
    std::string updated;
    int number = 0;
    for (const std::string &text : split(read_text(entry.path()), kDivider)) {
      ++number;
      INFO(entry.path().filename().string(), ", case ", number, ":\n", text);
      const std::vector<std::string> parts = split(text, kArrow);
      REQUIRE((parts.size() == 2 || (update && parts.size() == 1)));
      const std::string result = run_case(pass_name, parts[0], entry.path().filename().string());
      updated += (number > 1 ? kDivider : "") + parts[0] + kArrow + result;
      if (!update)
        CHECK(result == parts[1]);
    }
    if (update)
      std::ofstream(entry.path()) << updated;
  }
}

TEST_CASE("every pass has a golden file") {
  const auto check = [](std::string_view pass) {
    std::string stem(pass);
    std::replace(stem.begin(), stem.end(), '-', '_');
    CHECK_MESSAGE(std::filesystem::exists(source_path("tests/passes/" + stem + ".sir")), stem);
  };
  for (const Pass &pass : all_passes())
    check(pass.name);
  for (const PlanPass &pass : all_plan_passes())
    check(pass.name);
}

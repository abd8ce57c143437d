// ONNX's own backend tests, through the importer and the reference interpreter.
// docs/onnx_support.md is made from what they say; UPDATE_GOLDENS=1 rewrites it.
#include "frontend/onnx/operator_table.h"
#include "tests/generated_parts.h"
#include "tests/onnx/backend_case.h"

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <map>
#include <set>

using namespace sinter;

namespace {

struct Outcome {
  BackendCase which;
  std::string operators;                  // "Add", or "several"
  std::string fed, settings_given, given; // why not, each
  bool passes() const { return given.empty() && (fed.empty() || settings_given.empty()); }
};

std::string operator_of(const BackendCase &which) {
  const LoadedCase loaded = load_case(which);
  std::set<std::string> names;
  for (const onnx::NodeProto &node : loaded.model.graph().node())
    if (node.op_type() != "Constant")
      names.insert(node.op_type());
  return names.size() == 1 ? *names.begin() : "several operators";
}

Outcome outcome_of(const BackendCase &which) {
  Outcome outcome{which, operator_of(which), run_case(which, Feeding::all_fed), "",
                  run_case(which, Feeding::all_given)};
  if (!outcome.fed.empty())
    outcome.settings_given = run_case(which, Feeding::settings_given);
  return outcome;
}

/// Every case, run once for all tests of this file.
const std::vector<Outcome> &outcomes() {
  static const std::vector<Outcome> all = [] {
    std::vector<Outcome> result;
    for (const BackendCase &which : backend_cases())
      result.push_back(outcome_of(which));
    return result;
  }();
  return all;
}

struct Row {
  int cases = 0, fed = 0, shapes = 0, given = 0;
  void add(const Outcome &outcome) {
    ++cases;
    fed += outcome.fed.empty();
    shapes += outcome.fed.empty() || outcome.settings_given.empty();
    given += outcome.given.empty();
  }
  std::string text(const std::string &name) const {
    return fmt::format("| {} | {} | {} | {} | {} |\n", name, cases, fed, shapes, given);
  }
};

std::string table_of_sets() {
  std::map<std::string, Row> rows;
  for (const Outcome &outcome : outcomes())
    rows[outcome.which.suite].add(outcome);
  std::string text = "\n| set | cases | all inputs fed | settings known | all inputs known |\n"
                     "|---|---|---|---|---|\n";
  for (const auto &[name, row] : rows)
    text += row.text(name);
  return text;
}

std::string table_of_operators() {
  std::map<std::string, Row> rows;
  for (const std::string &name : onnx_operator_names())
    rows[name.substr(name.rfind('.') + 1)];
  for (const Outcome &outcome : outcomes())
    if (outcome.operators == "several operators" || rows.count(outcome.operators))
      rows[outcome.operators].add(outcome);
  std::string text = "\n| operator | cases | all inputs fed | settings known | all inputs known |\n"
                     "|---|---|---|---|---|\n";
  for (const auto &[name, row] : rows)
    text += row.text(name == "several operators" ? name : "`" + name + "`");
  return text;
}

std::string list_of_failures() {
  std::string text = "\n| case | why not |\n|---|---|\n";
  for (const Outcome &outcome : outcomes()) {
    if (outcome.passes())
      continue;
    std::string reason = !outcome.given.empty() ? outcome.given : outcome.settings_given;
    for (size_t at = 0; (at = reason.find('|', at)) != std::string::npos; at += 2)
      reason.insert(at, "\\");
    text += fmt::format("| {}/{} | {} |\n", outcome.which.suite, outcome.which.name, reason);
  }
  return text;
}

} // namespace

TEST_CASE("ONNX's backend tests do what docs/onnx_support.md says") {
  REQUIRE_MESSAGE(!backend_cases().empty(), "Debian's libonnx-testdata is not installed");
  check_generated_parts("docs/onnx_support.md", {{"sets", table_of_sets()},
                                                 {"operators", table_of_operators()},
                                                 {"failures", list_of_failures()}});
}

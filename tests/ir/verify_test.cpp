// The verifier must be able to fail: one broken graph an invariant that a caller can break.
#include "ir/diagnostics.h"
#include "ir/parse.h"
#include "ir/verify.h"

#include <doctest/doctest.h>

using namespace sinter;

namespace {

Graph good() {
  return parse_graph(R"(
%0 = input {name="x", type=f32[N,4]} : f32[N,4]
%1 = parameter {name="w", type=f32[4]} : f32[4]
%2 = add %0, %1 : f32[N,4]
%3 = negate %1 : f32[4]
output "y" %2
update %1 %3
)",
                     "t");
}

void check_fails(const Graph &graph, const char *invariant) {
  try {
    verify(graph);
    FAIL_CHECK("no error");
  } catch (const InternalError &error) {
    CAPTURE(error.what());
    CHECK(std::string(error.what()).find(invariant) != std::string::npos);
  }
}

} // namespace

TEST_CASE("a sound graph verifies") { CHECK_NOTHROW(verify(good())); }

TEST_CASE("invariant 5: outputs exist and are named once") {
  Graph graph = good();
  graph.outputs.push_back({"y", {0}});
  check_fails(graph, "invariant 5");
  graph = good();
  graph.outputs.push_back({"z", {9}});
  check_fails(graph, "invariant 5");
  graph = good();
  graph.outputs.push_back({"z", {}});
  check_fails(graph, "invariant 5");
}

TEST_CASE("invariant 6: an update is of a parameter, once, by its own type") {
  Graph graph = good();
  graph.updates.push_back({{1}, {3}});
  check_fails(graph, "invariant 6");
  graph = good();
  graph.updates = {{{0}, {2}}};
  check_fails(graph, "invariant 6");
  graph = good();
  graph.updates = {{{1}, {2}}};
  check_fails(graph, "invariant 6");
}

TEST_CASE("invariant 7: names are unique") {
  Graph graph = good();
  ParameterAttrs twin;
  twin.name = "w";
  twin.type = {ElementType::f32, {4}};
  graph.append(OpKind::parameter, {}, twin);
  check_fails(graph, "invariant 7");
}

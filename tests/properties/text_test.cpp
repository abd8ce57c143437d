// Over the whole op table: printing and parsing are inverse.
#include "ir/op.h"
#include "ir/parse.h"
#include "ir/print.h"
#include "ir/verify.h"
#include "op_cases.h"

#include <doctest/doctest.h>

using namespace sinter;

TEST_CASE("every op prints and parses back to the same graph") {
  for (OpKind kind : all_op_kinds())
    for (const OpCase &c : op_cases(kind, 8, /*seed=*/1)) {
      CAPTURE(c.text);
      verify(c.graph);
      const Graph parsed = parse_graph(c.text, "case.sir");
      CHECK(print(parsed) == c.text);
      REQUIRE(parsed.size() == c.graph.size());
      for (int i = 0; i < parsed.size(); ++i) {
        CHECK(parsed[NodeId{i}].type == c.graph[NodeId{i}].type);
        CHECK((parsed[NodeId{i}].attrs == c.graph[NodeId{i}].attrs));
        CHECK((parsed[NodeId{i}].inputs == c.graph[NodeId{i}].inputs));
      }
    }
}

TEST_CASE("every op's example ends in the op") {
  for (OpKind kind : all_op_kinds()) {
    const Graph graph = parse_graph(std::string(op_def(kind).example), name(kind));
    CHECK(graph[NodeId{graph.size() - 1}].kind == kind);
  }
}

TEST_CASE("most ops can be varied") {
  for (OpKind kind : all_op_kinds()) {
    const bool has_extents = kind != OpKind::adam_rate && kind != OpKind::constant;
    CAPTURE(name(kind));
    CHECK(op_cases(kind, 8, 1).size() >= (has_extents ? 4 : 1));
  }
}

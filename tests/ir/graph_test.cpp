#include "ir/diagnostics.h"
#include "ir/parse.h"
#include "ir/print.h"

#include <doctest/doctest.h>

using namespace sinter;

namespace {

const char *const chain = R"(
%0 = input {name="x", type=f32[N,4]} : f32[N,4]
%1 = relu %0 : f32[N,4] @"a"
%2 = relu %1 : f32[N,4]
%3 = add %2, %2 : f32[N,4]
output "y" %3
)";

} // namespace

TEST_CASE("users lists each user once, in order") {
  const Graph graph = parse_graph(chain, "t");
  const auto users = graph.users();
  CHECK(users[1] == std::vector<NodeId>{{2}});
  CHECK(users[2] == std::vector<NodeId>{{3}}); // x + x uses x once
  CHECK(users[3].empty());
}

TEST_CASE("rewrite replaces a node for all its users and keeps the order") {
  const Graph graph = parse_graph(chain, "t");
  const Graph after = rewrite(graph, [](const RewriteContext &context) -> std::optional<NodeId> {
    if (context.old_id != NodeId{1})
      return std::nullopt;
    const NodeId inner = context.append(OpKind::tanh, context.inputs);
    return context.append(OpKind::negate, {inner});
  });
  CHECK(print(after) == R"(graph {
  %0 = input {name="x", type=f32[N,4]} : f32[N,4]
  %1 = tanh %0 : f32[N,4] @"a"
  %2 = negate %1 : f32[N,4] @"a"
  %3 = relu %2 : f32[N,4]
  %4 = add %3, %3 : f32[N,4]
  output "y" %4
}
)");
}

TEST_CASE("append blames the given location for operands that do not fit") {
  Graph graph = parse_graph(chain, "t");
  const auto file = std::make_shared<const std::string>("net.py");
  const NodeId other =
      graph.append(OpKind::input, {}, InputAttrs{"z", "data", {ElementType::f32, {kBatch, 5}}});
  try {
    graph.append(OpKind::add, {{3}, other}, NoAttrs{}, "add", {file, 12, 5});
    FAIL_CHECK("no error");
  } catch (const CompileError &error) {
    CHECK(std::string(error.what()).rfind("net.py:12:5: error: ", 0) == 0);
  }
}

TEST_CASE("another op's attributes are our own mistake") {
  Graph graph = parse_graph(chain, "t");
  CHECK_THROWS_AS(graph.append(OpKind::relu, {{0}}, AxisAttrs{}), InternalError);
  CHECK_THROWS_AS(graph.append(OpKind::relu, {{9}}), InternalError);
  CHECK_THROWS_AS(graph.append(OpKind::relu, {}), InternalError);
}

TEST_CASE("an output's name says whether it is a prediction") {
  CHECK(is_prediction({"prediction", {}}));
  CHECK(is_prediction({"prediction:boxes", {}}));
  CHECK_FALSE(is_prediction({"loss", {}}));
  CHECK_FALSE(is_prediction({"predictions", {}}));
  for (const std::string name : {"prediction", "boxes", "a:b"})
    CHECK(prediction_name({prediction_output(name), {}}) == name);
}

// print . parse is the identity: on the example of every op and on a whole model.
#include "ir/op.h"
#include "ir/parse.h"
#include "ir/print.h"
#include "ir/verify.h"

#include <doctest/doctest.h>
#include <limits>

using namespace sinter;

namespace {

void check_round_trip(const Graph &graph) {
  const std::string text = print(graph);
  const Graph again = parse_graph(text, "again.sir");
  CHECK(print(again) == text);
  REQUIRE(again.size() == graph.size());
  for (int i = 0; i < graph.size(); ++i) {
    CHECK(again[{i}].attrs == graph[{i}].attrs);
    CHECK(again[{i}].location == graph[{i}].location);
  }
}

} // namespace

TEST_CASE("the example of every op parses, verifies and reads back as printed") {
  for (OpKind kind : all_op_kinds()) {
    CAPTURE(name(kind));
    const std::string example(op_def(kind).example);
    const Graph graph = parse_graph(example, name(kind));
    REQUIRE(graph.size() > 0);
    CHECK(graph[{graph.size() - 1}].kind == kind);
    CHECK_NOTHROW(verify(graph));
    check_round_trip(graph);
  }
}

TEST_CASE("every op says what it does") {
  for (OpKind kind : all_op_kinds()) {
    CAPTURE(name(kind));
    CHECK(op_def(kind).summary.size() > 1);
    CHECK(op_def(kind).summary.back() != '.');
  }
}

TEST_CASE("numbers, strings and locations survive") {
  Graph graph;
  const auto file = std::make_shared<const std::string>("a \"quoted\" \\ name\n.py");
  const TensorType type{ElementType::f32, {7}};
  constexpr float infinity = std::numeric_limits<float>::infinity();
  constexpr float nan = std::numeric_limits<float>::quiet_NaN();
  graph.append(OpKind::constant, {},
               ConstantAttrs{{0.1F, 1e-38F, -16777216.F, -0.0F, -infinity, nan, -nan}, type},
               "l\\1", {file, 3, 14});
  graph.outputs.push_back({"y", {0}});
  check_round_trip(graph);
}

TEST_CASE("a whole model reads back as printed") {
  const std::string text = R"(model "small" {
  training epochs=20 batch_size=32 shuffle=true
  optimizer {kind="sgd", learning_rate=0.05, momentum=0.9, nesterov=true, clip_norm=1}
  schedule {kind="piecewise_constant", boundaries=[10,20], factors=[1,0.5,0.25]}
  early_stopping {patience=2, restore_best_weights=true}
  checkpoint {filepath="best.keras", save_best_only=true}
  plateau {monitor="loss", factor=0.5}
  epoch_rates {values=[0.05,0.025]}
  data "fashion_mnist" one_hot=0
  scaling {value=255}
  subset "train" "train" {op="split_train", test_size=0.2, random_state=42} {stop=100}
  subset "test" "test"
  layer "dense" "Dense" %2 [%1] ["input_layer"] loc("m.py":4:1)
  layer "inner" "Sequential" %2 [%1] ["dense"]
    part "activation" "Activation" []
    part "deep" "Functional" [] {
      part "dense" "Dense" [%1]
    }
}
graph {
  %0 = input {name="x", type=f32[N,4]} : f32[N,4]
  %1 = parameter {name="dense/kernel", initializer="uniform", a=-0.5, b=0.5, type=f32[4,3]} : f32[4,3] @"dense" loc("m.py":4:1)
  %2 = matmul %0, %1 : f32[N,3] @"dense" loc("m.py":4:1)
  output "prediction" %2
}
)";
  const Model model = parse_model(text, "m.sir");
  CHECK(print(model) == text);
  CHECK(model.data->train.steps.size() == 2);
  CHECK(model.data->train.steps[1].stop == 100);
  CHECK(model.training->early_stopping->patience == 2);
}

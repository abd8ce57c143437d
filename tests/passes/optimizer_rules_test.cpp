// Three steps of the rarer optimizers against PyTorch 1.13 in float64, and against Keras's formulas
// evaluated there; for NAdam against those of PyTorch 2, as 1.13 takes a momentum twice.
#include "backends/reference/interpreter.h"
#include "passes/add_optimizer.h"

#include <doctest/doctest.h>

using namespace sinter;

namespace {

Array array_of(const TensorType &type, const std::vector<double> &values) {
  Array array(type, 1);
  for (size_t i = 0; i < values.size(); ++i)
    array[i] = values[i];
  return array;
}

Array initial_state(const ParameterAttrs &attributes) {
  Array state(attributes.type, 1);
  for (double &value : state.values)
    value = attributes.initializer == "ones" ? 1 : static_cast<double>(attributes.a);
  return state;
}

/// Where the weights [1, -2, 0.5] are after three gradients.
std::vector<double> trained(const OptimizerSpec &spec) {
  const TensorType vector{ElementType::f32, {3}, 0};
  const TensorType scalar{ElementType::f32, {}, 0};
  Graph graph;
  ParameterAttrs weight;
  weight.name = "w";
  weight.type = vector;
  graph.append(OpKind::parameter, {}, weight);
  graph.outputs.push_back(
      {"gradient:w", graph.append(OpKind::input, {}, InputAttrs{"g", "data", vector})});
  add_optimizer(graph, spec);

  NamedArrays values;
  for (const NodeId id : graph.all(OpKind::parameter))
    values.emplace(attrs<ParameterAttrs>(graph[id]).name,
                   initial_state(attrs<ParameterAttrs>(graph[id])));
  values.at("w") = array_of(vector, {1, -2, 0.5});
  values.emplace("learning_rate", array_of(scalar, {static_cast<double>(spec.learning_rate)}));
  double step = 0;
  for (const std::vector<double> &gradient :
       std::vector<std::vector<double>>{{0.5, -0.25, 0.0}, {0.1, 0.75, -1.0}, {-2.0, 0.001, 0.3}}) {
    values.insert_or_assign("g", array_of(vector, gradient));
    values.insert_or_assign("step", array_of(scalar, {++step}));
    evaluate_updates(graph, 1, values);
  }
  return values.at("w").values;
}

OptimizerSpec rule(const char *kind, float rate, bool torch) {
  OptimizerSpec spec;
  spec.kind = kind;
  spec.learning_rate = rate;
  spec.epsilon = 0.1F;
  spec.epsilon_after_root = torch;
  return spec;
}

void check(const OptimizerSpec &spec, const std::vector<double> &expected) {
  const std::vector<double> weights = trained(spec);
  for (size_t i = 0; i < 3; ++i)
    CHECK(weights[i] == doctest::Approx(expected[i]).epsilon(1e-7));
}

} // namespace

TEST_CASE("Adadelta, whose formula is one") {
  for (const bool torch : {false, true})
    check(rule("adadelta", 0.5F, torch), {1.20490046, -2.18249641, 0.723323598});
}

TEST_CASE("Adamax adds epsilon after the maximum, and in PyTorch before it") {
  check(rule("adamax", 0.1F, false), {0.894826079, -1.981653, 0.567992678});
  check(rule("adamax", 0.1F, true), {0.894818023, -1.98165542, 0.567994512});
}

TEST_CASE("Nadam's momentum grows, at a pace that PyTorch lets one choose") {
  OptimizerSpec nadam = rule("nadam", 0.1F, false);
  check(nadam, {0.983633885, -2.00916031, 0.570210426});
  nadam = rule("nadam", 0.1F, true);
  nadam.momentum_decay = 0.25;
  check(nadam, {0.988487606, -2.01057329, 0.56986537});
}

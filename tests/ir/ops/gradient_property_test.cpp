// Every gradient rule against central differences, in float64 on the reference interpreter:
// for L = sum(dy * y) with random dy, dL/dx is what the rule's nodes compute.

#include "ir/op.h"
#include "ir/parse.h"
#include "tests/ir/ops/random_operands.h"

#include <cmath>
#include <doctest/doctest.h>

using namespace sinter;

namespace {

constexpr int64_t kBatchSize = 3;
constexpr double kStep = 1e-6;

struct Differentiated {
  Graph graph;
  NodeId y;
  std::vector<std::vector<NodeId>> gradients; // by operand; empty: constant by definition
};

Differentiated differentiate_last(const std::string &text) {
  Differentiated d{parse_graph(text, "test"), {}, {}};
  d.y = {d.graph.size() - 1};
  d.gradients.resize(d.graph[d.y].inputs.size());
  const NodeId dy =
      d.graph.append(OpKind::input, {}, InputAttrs{"test_dy", "data", d.graph.type(d.y)});
  const std::function<void(size_t, NodeId)> accumulate = [&](size_t i, NodeId gradient) {
    d.gradients[i].push_back(gradient);
  };
  GradientBuilder builder(d.graph, d.y, dy, accumulate);
  op_def(d.graph[d.y].kind).gradient(builder);
  return d;
}

/// Adds `values` to `sum`, whose shape they have or broadcast to.
void add_broadcast(const Array &values, Array &sum) {
  const Shape from = values.extents();
  const Shape to = sum.extents();
  const size_t skipped = from.size() - to.size();
  for (int64_t i = 0; i < values.size(); ++i) {
    int64_t rest = i;
    int64_t position = 0;
    int64_t stride = 1;
    for (size_t d = from.size(); d-- > skipped;) {
      const int64_t extent = to[d - skipped];
      position += (extent == 1 ? 0 : rest % from[d]) * stride;
      stride *= extent;
      rest /= from[d];
    }
    sum[position] += values[i];
  }
}

double weighted_sum(const Array &dy, const Array &y) {
  double sum = 0;
  for (int64_t i = 0; i < y.size(); ++i)
    sum += dy[i] * y[i];
  return sum;
}

void check_gradients(const std::string &text, unsigned seed) {
  INFO(text);
  const Differentiated d = differentiate_last(text);
  const Node &node = d.graph[d.y];
  const NamedArrays inputs = random_inputs(d.graph, kBatchSize, 1, seed);
  std::vector<Array> values = evaluate(d.graph, kBatchSize, inputs);
  std::vector<Array> operands;
  std::vector<const Array *> pointers;
  for (NodeId input : node.inputs)
    operands.push_back(values[static_cast<size_t>(input.index)]);
  for (const Array &operand : operands)
    pointers.push_back(&operand);
  const Array &dy = inputs.at("test_dy");

  for (size_t i = 0; i < operands.size(); ++i) {
    if (d.gradients[i].empty())
      continue;
    Array gradient(operands[i].type, kBatchSize);
    for (NodeId id : d.gradients[i])
      add_broadcast(values[static_cast<size_t>(id.index)], gradient);
    for (int64_t e = 0; e < gradient.size(); ++e) {
      double &element = operands[i][e];
      const double before = element;
      element = before + kStep;
      const double above = weighted_sum(dy, evaluate_node(node, kBatchSize, pointers));
      element = before - kStep;
      const double below = weighted_sum(dy, evaluate_node(node, kBatchSize, pointers));
      element = before;
      const double expected = (above - below) / (2 * kStep);
      CHECK_MESSAGE(std::abs(gradient[e] - expected) <= 1e-6 * std::max(1.0, std::abs(expected)),
                    "operand " << i << ", element " << e << ": " << gradient[e] << ", expected "
                               << expected);
    }
  }
}

} // namespace

TEST_CASE("every gradient rule agrees with central differences on its op's example") {
  for (OpKind kind : all_op_kinds())
    if (op_def(kind).gradient)
      for (unsigned seed : {1U, 2U})
        check_gradients(std::string(op_def(kind).example), seed);
}

TEST_CASE("gradients of transposed products") {
  const std::string factors = "%0 = parameter {name=\"a\", type=f32[4,4]} : f32[4,4]\n"
                              "%1 = parameter {name=\"b\", type=f32[4,4]} : f32[4,4]\n";
  for (const char *attributes :
       {"{transpose_a=true}", "{transpose_b=true}", "{transpose_a=true, transpose_b=true}"})
    check_gradients(factors + "%2 = matmul %0, %1 " + attributes + " : f32[4,4]", 1);
}

TEST_CASE("gradients of reductions with and without kept dimensions") {
  const std::string x = "%0 = input {name=\"x\", type=f32[N,4,3]} : f32[N,4,3]\n";
  for (const char *op : {"reduce_sum", "reduce_mean", "reduce_max"}) {
    check_gradients(x + "%1 = " + op + " %0 {axes=[0,2]} : f32[4]", 1);
    check_gradients(x + "%1 = " + op + " %0 {axes=[0,1,2]} : f32[]", 1);
    check_gradients(x + "%1 = " + op + " %0 {axes=[0,2], keep_dims=true} : f32[1,4,1]", 1);
  }
}

TEST_CASE("gradients of operands that broadcast on either side") {
  const std::string operands = "%0 = input {name=\"a\", type=f32[4,1]} : f32[4,1]\n"
                               "%1 = input {name=\"b\", type=f32[N,1,3]} : f32[N,1,3]\n";
  for (const char *op : {"add", "subtract", "multiply", "maximum", "minimum"})
    check_gradients(operands + "%2 = " + op + " %0, %1 : f32[N,4,3]", 1);
}

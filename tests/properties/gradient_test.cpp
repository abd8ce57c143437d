// Over the whole op table: gradients against central differences in float64, with a random
// cotangent, so that no error can hide behind a sum.
#include "backends/reference/interpreter.h"
#include "backends/verify/random_inputs.h"
#include "ir/op.h"
#include "op_cases.h"
#include "passes/differentiate.h"

#include <cmath>
#include <doctest/doctest.h>

using namespace sinter;

namespace {

const std::string kShift = "shift:"; // names the parameter added to an input

/// Targets of losses are data: they have no gradient.
bool is_differentiable_input(const Node &node) {
  return node.kind == OpKind::input && node.type.element == ElementType::f32 &&
         attrs<InputAttrs>(node).role == "data" && attrs<InputAttrs>(node).name != "t";
}

/// The case with a parameter of batch 1 added to every data input, so that gradients by inputs are
/// gradients by parameters (summed over the batch), and the loss sum(result * cotangent).
Graph with_loss(const OpCase &c) {
  Graph graph = rewrite(c.graph, [](const RewriteContext &context) -> std::optional<NodeId> {
    const Node &node = context.node();
    if (!is_differentiable_input(node))
      return std::nullopt;
    ParameterAttrs shift;
    shift.name = kShift + attrs<InputAttrs>(node).name;
    shift.type = node.type;
    if (shift.type.batched())
      shift.type.shape[0] = 1;
    const NodeId x = context.append(OpKind::input, {}, node.attrs);
    return context.append(OpKind::add, {x, context.append(OpKind::parameter, {}, shift)});
  });
  const NodeId result = graph.find_output("result");
  const TensorType type = graph.type(result);
  const NodeId cotangent = graph.append(
      OpKind::input, {}, InputAttrs{"cotangent", "data", {type.element, type.shape, 0}});
  NodeId loss = graph.append(OpKind::multiply, {result, cotangent});
  ReduceAttrs all;
  for (int64_t axis = 0; axis < type.rank(); ++axis)
    all.axes.push_back(axis);
  if (!all.axes.empty())
    loss = graph.append(OpKind::reduce_sum, {loss}, all);
  graph.outputs = {{"loss", loss}};
  return graph;
}

double loss_of(const Graph &graph, int64_t batch, const NamedArrays &inputs) {
  const NodeId loss = graph.find_output("loss");
  return evaluate(graph, batch, inputs, {loss})[static_cast<size_t>(loss.index)][0];
}

/// d loss / d element by a central difference.
double slope(const Graph &graph, int64_t batch, NamedArrays &inputs, const std::string &parameter,
             int64_t element) {
  constexpr double step = 1e-6; // small: a maximum may change hands in between
  double &value = inputs.at(parameter)[element];
  const double here = value;
  value = here + step;
  const double above = loss_of(graph, batch, inputs);
  value = here - step;
  const double below = loss_of(graph, batch, inputs);
  value = here;
  return (above - below) / (2 * step);
}

/// The largest |gradient| that was compared.
double check_parameter(const Graph &graph, int64_t batch, NamedArrays &inputs,
                       const std::string &parameter, const Array &gradient) {
  double largest = 0;
  for (double value : gradient.values)
    largest = std::max(largest, std::fabs(value));
  const int64_t stride = std::max<int64_t>(1, gradient.size() / 40); // some 40 elements
  for (int64_t i = 0; i < gradient.size(); i += stride) {
    CAPTURE(i);
    CHECK(gradient[i] == doctest::Approx(slope(graph, batch, inputs, parameter, i))
                             .scale(std::max(largest, 1e-3))
                             .epsilon(1e-6));
  }
  return largest;
}

/// The largest |gradient| of the case.
double check_case(const OpCase &c) {
  const Graph forward = with_loss(c);
  Graph graph = forward;
  differentiate(graph);
  NamedArrays inputs = random_inputs(forward, c.batch, /*seed=*/7);
  const std::vector<Array> values = evaluate(graph, c.batch, inputs);
  double largest = 0;
  for (NodeId id : forward.all(OpKind::parameter)) {
    const ParameterAttrs &parameter = attrs<ParameterAttrs>(forward[id]);
    CAPTURE(parameter.name);
    const NodeId gradient = graph.find_output(kGradientPrefix + parameter.name);
    if (!gradient.valid()) {
      CHECK(parameter.role != "weight");
      continue;
    }
    CHECK(graph.type(gradient) == parameter.type);
    largest = std::max(largest, check_parameter(forward, c.batch, inputs, parameter.name,
                                                values[static_cast<size_t>(gradient.index)]));
  }
  return largest;
}

} // namespace

TEST_CASE("every op's gradient is the central difference of the op") {
  int checked = 0;
  for (OpKind kind : all_op_kinds()) {
    if (!op_def(kind).gradient)
      continue;
    double largest = 0; // of all cases: softmax over one class has no gradient
    for (const OpCase &c : op_cases(kind, 5, /*seed=*/2)) {
      if (c.graph.type(c.result()).blocked())
        continue; // such a result is a gradient already; a loss never reads one
      CAPTURE(c.text);
      CAPTURE(c.batch);
      largest = std::max(largest, check_case(c));
    }
    CAPTURE(name(kind));
    CHECK(largest > 0);
    ++checked;
  }
  CHECK(checked >= 30);
}

TEST_CASE("an op is either differentiable, or says why not") {
  for (OpKind kind : all_op_kinds()) {
    const OpDef &def = op_def(kind);
    const std::string op(name(kind));
    const bool second_order = op.find("_gradient") != std::string::npos;
    const bool update = op.find("_update") != std::string::npos || op == "momentum_velocity" ||
                        op == "moving_average" || op == "moving_square_average" ||
                        op == "adam_rate";
    const bool inference =
        op.find("winograd_") == 0 || op.find("bf16_") == 0; // chosen after gradients are made
    CAPTURE(op);
    CHECK((def.gradient || def.traits.metric || def.traits.op_class == OpClass::leaf ||
           second_order || update || inference || op == "max_pool2d_argmax"));
  }
}

#include "backends/verify/check_gradients.h"

#include "backends/verify/plan_values.h"
#include "ir/diagnostics.h"

#include <algorithm>
#include <cmath>
#include <random>

namespace sinter {

namespace {

const std::string kPrefix = "gradient:";
constexpr double kStep = 1e-7;
constexpr double kShrink = 1.0 / 16;
constexpr int kSmallerSteps = 2;
constexpr double kFloor = 1e-3; // of the largest gradient: below it errors are absolute
constexpr int kRandomDirections = 2;
constexpr int kRandomElements = 2;

/// Executes the plan kernel by kernel in float32 and returns the graph's outputs, by name.
NamedArrays run_plan(const KernelLibrary &library, size_t plan_index, const Plan &plan,
                     int64_t batch, const NamedArrays &inputs) {
  PlanValues values(plan, batch, inputs);
  for (size_t k = 0; k < plan.kernels.size(); ++k)
    values.run(library, plan_index, k);
  NamedArrays outputs;
  for (const Output &output : plan.graph.outputs)
    outputs.emplace(output.name, values.at(output.value));
  return outputs;
}

double norm(const Array &a) {
  double sum = 0;
  for (double value : a.values)
    sum += value * value;
  return std::sqrt(sum);
}

double largest(const Array &a) {
  double result = 0;
  for (double value : a.values)
    result = std::max(result, std::fabs(value));
  return result;
}

double dot(const Array &a, const Array &b) {
  double sum = 0;
  for (int64_t i = 0; i < a.size(); ++i)
    sum += a[i] * b[i];
  return sum;
}

/// The loss around one point, in float64.
class LossSurface {
public:
  LossSurface(const Graph &graph, int64_t batch, const NamedArrays &inputs)
      : graph_(graph), batch_(batch), loss_(graph.find_output("loss")) {
    std::vector<bool> needed(static_cast<size_t>(loss_.index) + 1, false);
    needed.back() = true;
    std::vector<NodeId> forward;
    for (int i = loss_.index; i >= 0; --i) {
      if (!needed[static_cast<size_t>(i)])
        continue;
      forward.push_back({i});
      for (NodeId input : graph[NodeId{i}].inputs)
        needed[static_cast<size_t>(input.index)] = true;
    }
    values_ = evaluate(graph, batch, inputs, forward);
  }

  /// (loss(p + step * direction) - loss(p - step * direction)) / (2 * step)
  double slope(NodeId parameter, const Array &direction, double step) const {
    return (loss_at(parameter, direction, step) - loss_at(parameter, direction, -step)) /
           (2 * step);
  }

private:
  double loss_at(NodeId parameter, const Array &direction, double step) const {
    Array moved = values_[static_cast<size_t>(parameter.index)];
    for (int64_t i = 0; i < moved.size(); ++i)
      moved[i] += step * direction[i];
    return reevaluate(graph_, batch_, values_, parameter, moved, loss_)[0];
  }

  const Graph &graph_;
  int64_t batch_;
  NodeId loss_;
  std::vector<Array> values_;
};

/// Sizes below which errors are measured absolutely.
struct Floors {
  double norm = 0;
  double element = 0;
};

/// How far the gradient's slope along `direction` is from the loss's, relative to `size`. A kink
/// between the two points of a difference makes it wrong by chance, and a smaller step right; a
/// wrong gradient stays wrong.
double slope_error(const LossSurface &surface, NodeId parameter, const Array &gradient,
                   const Array &direction, double size) {
  const double expected = dot(gradient, direction);
  double step = kStep;
  double error = 0;
  for (int attempt = 0; attempt <= kSmallerSteps; ++attempt, step *= kShrink) {
    error = std::fabs(surface.slope(parameter, direction, step) - expected);
    if (error <= kGradientTolerance * size)
      break;
  }
  return error == 0 ? 0 : error / size;
}

/// Largest error of the probes of one parameter.
double probe(const LossSurface &surface, NodeId parameter, const Array &gradient,
             const Floors &floors, std::mt19937_64 &random) {
  double worst = 0;
  const auto compare = [&](const Array &direction, double size) {
    worst = std::max(worst, slope_error(surface, parameter, gradient, direction, size));
  };
  const double size = norm(gradient);
  Array direction = gradient;
  if (size > 0) {
    for (double &value : direction.values)
      value /= size;
    compare(direction, std::max(size, floors.norm));
  }
  for (int i = 0; i < kRandomDirections; ++i) {
    for (double &value : direction.values)
      value = (random() >> 63) != 0 ? 1 : -1;
    compare(direction, std::max(size, floors.norm));
  }
  const auto compare_element = [&](int64_t element) {
    std::fill(direction.values.begin(), direction.values.end(), 0.0);
    direction[element] = 1;
    compare(direction, std::max(largest(gradient), floors.element));
  };
  const auto by_magnitude = [](double a, double b) { return std::fabs(a) < std::fabs(b); };
  compare_element(std::max_element(gradient.values.begin(), gradient.values.end(), by_magnitude) -
                  gradient.values.begin());
  for (int i = 0; i < kRandomElements; ++i)
    compare_element(static_cast<int64_t>(random() % static_cast<uint64_t>(gradient.values.size())));
  return worst;
}

} // namespace

std::vector<GradientCheck> check_gradients(const KernelLibrary &library, size_t plan_index,
                                           const Plan &plan, int64_t batch,
                                           const NamedArrays &inputs, uint64_t seed) {
  const NamedArrays outputs = run_plan(library, plan_index, plan, batch, inputs);
  Floors floors;
  for (const auto &[name, value] : outputs)
    if (name.compare(0, kPrefix.size(), kPrefix) == 0) {
      floors.norm = std::max(floors.norm, kFloor * norm(value));
      floors.element = std::max(floors.element, kFloor * largest(value));
    }

  const LossSurface surface(plan.graph, batch, inputs);
  std::mt19937_64 random(seed);
  std::vector<GradientCheck> checks;
  for (const Output &output : plan.graph.outputs) {
    if (output.name.compare(0, kPrefix.size(), kPrefix) != 0)
      continue;
    GradientCheck &check = checks.emplace_back();
    check.parameter = output.name.substr(kPrefix.size());
    const NodeId parameter = plan.graph.find_parameter(check.parameter);
    check.max_rel_error = probe(surface, parameter, outputs.at(output.name), floors, random);
    check.ok = floors.norm > 0 && check.max_rel_error <= kGradientTolerance;
  }
  return checks;
}

} // namespace sinter

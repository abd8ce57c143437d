#include "backends/verify/check_kernels.h"

#include "backends/verify/plan_values.h"
#include "ir/diagnostics.h"

#include <algorithm>
#include <cmath>

namespace sinter {

namespace {

/// What the reference makes of one kernel: the values of its nodes, by node.
std::map<NodeId, Array> reference_values(const Plan &plan, const Kernel &kernel, int64_t batch,
                                         PlanValues &values) {
  std::map<NodeId, Array> results;
  for (NodeId id : kernel.nodes) {
    std::vector<const Array *> operands;
    for (NodeId input : plan.graph[id].inputs) {
      const auto inside = results.find(input);
      operands.push_back(inside != results.end() ? &inside->second : &values.at(input));
    }
    results.emplace(id, evaluate_node(plan.graph[id], batch, operands));
  }
  return results;
}

bool rounds_operands(OpKind kind) {
  constexpr OpKind kinds[] = {OpKind::bf16_conv2d, OpKind::bf16_filter_gradient,
                              OpKind::bf16_matmul, OpKind::bf16_matmul_gradient};
  return std::count(std::begin(kinds), std::end(kinds), kind) > 0;
}

/// Whether the kernel rounds a value to bf16 that it has computed: near the middle between two
/// numbers float32's rounding decides which one it becomes.
bool rounds_computed_value(const Graph &graph, const Kernel &kernel) {
  return std::any_of(kernel.nodes.begin(), kernel.nodes.end(), [&](NodeId id) {
    const std::vector<NodeId> &inputs = graph[id].inputs;
    return rounds_operands(graph[id].kind) &&
           std::any_of(inputs.begin(), inputs.end(), [&](NodeId input) {
             return std::count(kernel.nodes.begin(), kernel.nodes.end(), input) > 0;
           });
  });
}

void compare_floats(const Array &actual, const Array &expected, double tolerance,
                    KernelCheck &check) {
  double error = 0;
  double largest = 0;
  for (int64_t i = 0; i < expected.size(); ++i) {
    const bool equal =
        actual[i] == expected[i] || (std::isnan(actual[i]) && std::isnan(expected[i]));
    if (!equal && !(std::isfinite(actual[i]) && std::isfinite(expected[i]))) {
      check.problem = fmt::format("element {} is {}, expected {}", i, actual[i], expected[i]);
      continue;
    }
    if (!std::isfinite(expected[i]))
      continue;
    error = std::max(error, std::fabs(actual[i] - expected[i]));
    largest = std::max(largest, std::fabs(expected[i]));
  }
  check.max_abs_error = std::max(check.max_abs_error, error);
  const double relative = error == 0 ? 0 : error / std::max(largest, 1e-30);
  check.max_rel_error = std::max(check.max_rel_error, relative);
  check.ok =
      check.ok && check.problem.empty() && (relative <= tolerance || error <= kAbsoluteTolerance);
}

void compare_integers(const Array &actual, const Array &expected, KernelCheck &check) {
  int64_t different = 0;
  for (int64_t i = 0; i < expected.size(); ++i) {
    different += actual[i] == expected[i] ? 0 : 1;
    check.max_abs_error = std::max(check.max_abs_error, std::fabs(actual[i] - expected[i]));
  }
  const double share = static_cast<double>(different) / static_cast<double>(expected.size());
  check.max_rel_error = std::max(check.max_rel_error, share);
  check.ok = check.ok && share <= kIndexTolerance;
}

void compare(const std::vector<Array> &actual, const Graph &graph, const Kernel &kernel,
             const std::map<NodeId, Array> &expected, KernelCheck &check) {
  const double tolerance = rounds_computed_value(graph, kernel) ? kBf16Tolerance : kKernelTolerance;
  for (size_t i = 0; i < kernel.outputs.size(); ++i) {
    const Array &reference = expected.at(kernel.outputs[i]);
    if (reference.type.element == ElementType::f32)
      compare_floats(actual[i], reference, tolerance, check);
    else
      compare_integers(actual[i], reference, check);
  }
}

} // namespace

std::vector<KernelCheck> check_kernels(const KernelLibrary &library, size_t plan_index,
                                       const Plan &plan, int64_t batch, const NamedArrays &inputs,
                                       const std::function<bool(size_t kernel)> &wanted) {
  PlanValues values(plan, batch, inputs);
  std::vector<KernelCheck> checks;
  for (size_t k = 0; k < plan.kernels.size(); ++k) {
    const Kernel &kernel = plan.kernels[k];
    if (wanted && !wanted(k)) {
      values.run(library, plan_index, k); // later ones read what it makes
      continue;
    }
    KernelCheck &check = checks.emplace_back();
    check.name = kernel.name;
    check.algorithm = library.object(plan_index, k).algorithm;
    std::map<NodeId, Array> expected = reference_values(plan, kernel, batch, values);
    std::vector<const Array *> arguments;
    for (NodeId input : kernel.inputs)
      arguments.push_back(&values.at(input));
    try {
      compare(library.run(plan_index, k, batch, arguments), plan.graph, kernel, expected, check);
    } catch (const InternalError &error) { // a kernel that fails or damages memory
      check.problem = error.what();
      check.ok = false;
    }
    for (NodeId output : kernel.outputs) {
      Array &value = expected.at(output);
      round_to_storage(value);
      values.set(output, std::move(value));
    }
    values.retire(k);
  }
  return checks;
}

} // namespace sinter

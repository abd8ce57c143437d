#include "tuning/algorithm_search.h"

#include "ir/diagnostics.h"

namespace sinter {

namespace {

/// The convolution that each node belongs to, by node; filters' transforms belong to their users.
std::map<NodeId, std::string> owners(const Graph &graph, bool training) {
  std::map<NodeId, std::string> result;
  for (int i = 0; i < graph.size(); ++i)
    if (const auto found = algorithm_of(graph, {i}, training)) {
      result[{i}] = found->description;
      for (const NodeId operand : graph[{i}].inputs)
        if (graph[operand].kind == OpKind::winograd_filter)
          result[operand] = found->description;
    }
  return result;
}

} // namespace

const Plan &plan_of(const Program &program, int32_t phase) {
  if (phase == SINTER_INFER)
    return program.infer;
  SINTER_ASSERT(phase == SINTER_TRAIN && program.train, "no plan for phase {}", phase);
  return *program.train;
}

std::map<std::string, double> convolution_seconds(const Plan &plan, bool training,
                                                  const StepTime &time) {
  const std::map<NodeId, std::string> owner = owners(plan.graph, training);
  std::map<std::string, double> seconds;
  for (size_t k = 0; k < plan.kernels.size(); ++k)
    for (const NodeId node : plan.kernels[k].nodes)
      if (const auto found = owner.find(node); found != owner.end()) {
        seconds[found->second] += time.kernels.at(k);
        break;
      }
  return seconds;
}

std::map<std::string, int64_t> convolution_tiles(const Plan &plan, bool training) {
  std::map<std::string, int64_t> tiles;
  for (int i = 0; i < plan.graph.size(); ++i)
    if (const auto found = algorithm_of(plan.graph, {i}, training))
      tiles[found->description] = found->tile;
  return tiles;
}

void consider_tile(TimedConvolution &best, int64_t tile, const std::vector<double> &seconds,
                   const std::vector<double> &estimated_seconds) {
  Ratios ratios;
  size_t most = 0;
  for (size_t i = 0; i < seconds.size(); ++i) {
    ratios.push_back(seconds[i] / estimated_seconds[i]);
    if (ratios[i] < ratios[most])
      most = i;
  }
  if (best.ratios.empty())
    best.ratios = Ratios(ratios.size(), 1);
  if (ratios.empty() || !is_faster(ratios, best.ratios))
    return;
  best = {tile, ratios, seconds[most], estimated_seconds[most]};
}

} // namespace sinter

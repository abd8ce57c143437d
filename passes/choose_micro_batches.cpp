#include "passes/choose_micro_batches.h"

#include <algorithm>
#include <array>
#include <limits>
#include <set>

namespace sinter {

namespace {

// Of one core; their ratios matter.
constexpr double kNearRate = 60e9;     // bytes a second, from the second cache
constexpr double kFarRate = 20e9;      // from the last one
constexpr double kMemoryRate = 12.5e9; // from memory
constexpr double kNearBytes = 1.5e6;
constexpr double kFarBytes = 16e6;
/// What of the filters' way from memory is not hidden behind the products.
constexpr double kNoOverlap = 0.5;
/// Of a kernel, at whose end threads wait for each other.
constexpr double kCallSeconds = 10e-6;
/// Samples at a time. The last stands for the whole batch, which kernels that mix samples need. No
/// fewer than the first: they are what threads share first.
constexpr std::array<int64_t, 6> kSamples{4, 8, 16, 32, 64, 128};
constexpr size_t kWhole = kSamples.size() - 1;

using Costs = std::array<double, kSamples.size()>;

class Chooser {
public:
  explicit Chooser(const Plan &plan) : plan_(plan), locations_(plan.locations()) {}

  std::vector<MicroBatch> run() const {
    const size_t kernels = plan_.kernels.size();
    const std::vector<double> cuts = cut_costs();
    std::vector<std::array<size_t, kSamples.size()>> before(kernels); // the choice of the previous
    Costs least{};
    for (size_t k = 0; k < kernels; ++k) {
      const size_t cheapest = index_of_least(least);
      const double changed = least[cheapest] + cuts[k];
      const Costs own = costs(plan_.kernels[k]);
      for (size_t i = 0; i < least.size(); ++i) {
        before[k][i] = changed < least[i] ? cheapest : i;
        least[i] = std::min(changed, least[i]) + own[i];
      }
    }
    return assemble(before, least);
  }

private:
  /// The bytes of what a kernel reads and writes.
  struct Bytes {
    double by_sample = 0, fixed = 0;
  };

  Bytes bytes(const Kernel &kernel) const {
    Bytes sum;
    const auto add = [&](NodeId id) {
      const TensorType &type = plan_.graph.type(id);
      (type.batched() ? sum.by_sample : sum.fixed) += static_cast<double>(type.storage_bytes());
    };
    std::for_each(kernel.inputs.begin(), kernel.inputs.end(), add);
    std::for_each(kernel.outputs.begin(), kernel.outputs.end(), add);
    return sum;
  }

  /// Seconds a sample, by number of samples at a time.
  Costs costs(const Kernel &kernel) const {
    Costs result{};
    const bool whole_only = !is_sample_by_sample(plan_.graph, kernel);
    const Bytes moved = bytes(kernel);
    for (size_t i = 0; i < result.size(); ++i) {
      const auto samples = static_cast<double>(kSamples[i]);
      const double held = moved.by_sample * samples;
      const double rate = held <= kNearBytes  ? kNearRate
                          : held <= kFarBytes ? kFarRate
                                              : kMemoryRate;
      result[i] = kNoOverlap * moved.fixed / kMemoryRate / samples + moved.by_sample / rate +
                  kCallSeconds / samples;
      if (whole_only && i != kWhole)
        result[i] = std::numeric_limits<double>::infinity();
    }
    return result;
  }

  /// By kernel: seconds a sample of what is written before and read from there on.
  std::vector<double> cut_costs() const {
    const size_t kernels = plan_.kernels.size();
    std::vector<size_t> last_use(plan_.graph.nodes().size(), 0);
    for (size_t k = 0; k < kernels; ++k)
      for (NodeId input : plan_.kernels[k].inputs)
        last_use[index(owner(input))] = k;
    std::vector<double> result(kernels + 1, 0);
    std::set<NodeId> written;
    for (size_t k = 0; k < kernels; ++k)
      for (NodeId output : plan_.kernels[k].outputs) {
        const NodeId value = owner(output);
        const TensorType &type = plan_.graph.type(value);
        if (!type.batched() || !written.insert(value).second)
          continue;
        for (size_t cut = k + 1; cut <= last_use[index(value)]; ++cut)
          result[cut] += 2 * static_cast<double>(type.storage_bytes()) / kMemoryRate;
      }
    return result;
  }

  std::vector<MicroBatch> assemble(const std::vector<std::array<size_t, kSamples.size()>> &before,
                                   const Costs &least) const {
    std::vector<MicroBatch> parts; // those of the whole batch, too; last first
    size_t choice = index_of_least(least);
    for (size_t k = before.size(); k-- > 0; choice = before[k][choice]) {
      const int kernel = static_cast<int>(k);
      if (parts.empty() || parts.back().samples != kSamples[choice])
        parts.push_back({kernel, kernel + 1, kSamples[choice]});
      parts.back().first = kernel;
    }
    parts.erase(
        std::remove_if(parts.begin(), parts.end(),
                       [](const MicroBatch &part) { return part.samples == kSamples[kWhole]; }),
        parts.end());
    std::reverse(parts.begin(), parts.end());
    return parts;
  }

  static size_t index_of_least(const Costs &costs) {
    return static_cast<size_t>(std::min_element(costs.begin(), costs.end()) - costs.begin());
  }

  static size_t index(NodeId id) { return static_cast<size_t>(id.index); }
  NodeId owner(NodeId id) const { return locations_[index(id)].owner; }

  const Plan &plan_;
  const std::vector<Location> locations_; // by node
};

} // namespace

void choose_micro_batches(Plan &plan) { plan.micro_batches = Chooser(plan).run(); }

} // namespace sinter

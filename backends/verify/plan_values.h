// The values that flow between the kernels of a plan while it is executed one kernel at a time.
#pragma once

#include "backends/reference/interpreter.h"
#include "backends/verify/kernel_library.h"
#include "ir/plan.h"

#include <map>
#include <set>

namespace sinter {

/// Holds what kernels read: given inputs and parameters, constants, and what earlier kernels
/// left. A view reads the memory of the value that it is a view of; a free node is evaluated.
class PlanValues {
public:
  PlanValues(const Plan &plan, int64_t batch, const NamedArrays &inputs)
      : plan_(plan), locations_(plan.locations()), batch_(batch), inputs_(inputs) {}

  /// The value of a node, under the node's own type.
  const Array &at(NodeId);
  void set(NodeId id, Array value) { values_[id] = std::move(value); }
  /// Has a compiled kernel of the plan, number `plan_index` in the library, make its outputs, then
  /// retires it.
  void run(const KernelLibrary &, size_t plan_index, size_t kernel);
  /// Forgets what no kernel after `kernel` reads and the graph does not return.
  void retire(size_t kernel);

private:
  std::set<NodeId> needed_after(size_t kernel) const;

  const Plan &plan_;
  const std::vector<Location> locations_; // by node
  int64_t batch_;
  const NamedArrays &inputs_;
  std::map<NodeId, Array> values_;
};

/// Every value rounded to the type that it has in memory.
void round_to_storage(Array &);

} // namespace sinter

// The plan: the graph partitioned into ordered kernels, with every value's place in memory.
#pragma once

#include "ir/graph.h"

#include <string>
#include <vector>

namespace sinter {

/// A fused group: nodes of the graph in topological order, computed by one call. Views (reshape)
/// belong to no kernel: they are the same memory as their operand under another type.
struct Kernel {
  std::string name; // "conv2d_relu_max_pool2d.0": unique in the plan
  std::vector<NodeId> nodes;
  std::vector<NodeId> inputs;  // values read from memory, in argument order
  std::vector<NodeId> outputs; // values written to memory, in argument order
};

/// Where a value lives. Bytes and offsets are per sample in `arena_batch`: its address is
/// arena + arena_fixed + n * offset, with n the run-time batch.
enum class Region {
  none,       // inside a kernel only
  data,       // the caller's x
  label,      // the caller's labels
  prediction, // the caller's y (infer)
  rng,        // context fields
  learning_rate,
  step,
  parameter, // offset into the parameter region
  arena_fixed,
  arena_batch
};
const char *name(Region);

struct Placement {
  Region region = Region::none;
  int64_t offset = 0;
  int64_t bytes = 0;
  bool in_place = false; // shares its memory with an input of its kernel
  friend bool operator==(const Placement &a, const Placement &b) {
    return a.region == b.region && a.offset == b.offset && a.bytes == b.bytes &&
           a.in_place == b.in_place;
  }
};

/// Why two neighbouring nodes did not fuse: the name of the predicate that refused.
struct Refusal {
  NodeId producer;
  NodeId consumer;
  std::string reason; // "the value has other users"
};

struct Plan {
  Graph graph;                       // no node is added once there is a plan
  std::vector<Kernel> kernels;       // in the order of execution
  std::vector<Placement> placements; // by node index
  std::vector<Refusal> refusals;
  int64_t arena_fixed = 0;      // bytes
  int64_t arena_per_sample = 0; // bytes

  /// The value whose memory a view shares (itself when no view).
  NodeId storage_root(NodeId) const;
};

/// Text form: the graph, then `kernel name { nodes } inputs -> outputs` and placements.
std::string print(const Plan &);

/// Checks: every non-leaf non-view node is in exactly one kernel or dead-free; kernels run in
/// dependency order, and after every reader of a parameter that they overwrite; no two live values
/// overlap; every input is placed. Throws InternalError.
void verify(const Plan &);

} // namespace sinter

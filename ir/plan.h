// The plan: the graph partitioned into ordered kernels, with every value's place in memory.
#pragma once

#include "ir/graph.h"

#include <string>
#include <vector>

namespace sinter {

/// A fused group: nodes of the graph in topological order, computed by one call. Views (reshape)
/// belong to no kernel: they are the same memory as their operand under another type. Constants
/// belong to none either, nor are they arguments: the backend writes them into the code. A
/// concatenation that its operands' kernels write (see Slice) belongs to none, nor does a slice
/// that its readers find in its operand.
///
/// A node that is cheap to compute (a random mask, a gradient's way back through a pooling window)
/// may be a node of several kernels; it is an output of one of them at most.
struct Kernel {
  std::string name; // "conv2d_relu_max_pool2d.0": unique in the plan
  std::vector<NodeId> nodes;
  std::vector<NodeId> inputs;  // values read from memory, in argument order; views by their own id
  std::vector<NodeId> outputs; // values written to memory, in argument order
};

/// Kernels [first, last) that run for at most `samples` samples of the batch at a time, one
/// micro-batch after another: what one writes, the next finds in a cache. A sample's values depend
/// on that sample alone.
struct MicroBatch {
  int first = 0, last = 0;
  int64_t samples = 0;
  bool contains(int kernel) const { return first <= kernel && kernel < last; }
};

/// Where a value lives. Bytes and offsets are per sample in `arena_batch`: its address is
/// arena + arena_fixed + n * offset, with n the run-time batch; and in `arena_micro_batch`, behind
/// that: arena + arena_fixed + n * arena_per_sample + min(n, samples) * offset.
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
  arena_batch,
  arena_micro_batch // of values that only one MicroBatch's kernels write and read
};
const char *name(Region);

struct Placement {
  Region region = Region::none;
  int64_t offset = 0;
  int64_t bytes = 0;
  /// Shares its memory with an input of its kernel: an update over its parameter, or an
  /// elementwise result over an operand that nobody reads again. Every element must then be
  /// computed exactly once, after all elements of equal index were read.
  bool in_place = false;
  friend bool operator==(const Placement &a, const Placement &b) {
    return a.region == b.region && a.offset == b.offset && a.bytes == b.bytes &&
           a.in_place == b.in_place;
  }
};

/// A value that lies in another one's memory, as elements [begin, begin + its last extent) of each
/// row of that one. (A row is what lies along the last dimension: an image's pixel.)
struct Slice {
  NodeId base; // invalid: the value has memory of its own
  int64_t begin = 0;
};

/// Where a value's elements are in the memory of the value that it shares.
struct Location {
  NodeId owner; // has memory of its own: itself, what a view shows, or what a slice is part of
  int64_t begin = 0;
  int64_t pitch = 0; // elements from one row to the next; 0: rows follow each other
};

/// Why two neighbouring nodes did not fuse: the name of the predicate that refused.
struct Refusal {
  NodeId producer;
  NodeId consumer;
  std::string reason; // "the value has other users"
};

/// Whether a sample of what the kernel computes depends on that sample of what it reads alone, and
/// not on its number: whatever has a batch, but what is reduced over it and random numbers.
bool is_sample_by_sample(const Graph &, const Kernel &);

/// The value whose memory a view shares (itself when it is no view).
NodeId storage_root(const Graph &, NodeId);

struct Plan {
  Graph graph;                       // no node is added once there is a plan
  std::vector<Kernel> kernels;       // in the order of execution
  std::vector<Slice> slices;         // by node index; empty when there is none
  std::vector<Placement> placements; // by node index: the owner's
  std::vector<Refusal> refusals;
  std::vector<MicroBatch> micro_batches; // in order; other kernels run for the whole batch
  int64_t arena_fixed = 0;               // bytes
  int64_t arena_per_sample = 0;          // bytes
  int64_t micro_batch_per_sample = 0;    // bytes of the micro-batch that needs the most a sample
  int64_t micro_batch_most = 0; // bytes of the one that needs the most with all its samples

  NodeId storage_root(NodeId id) const { return sinter::storage_root(graph, id); }
  /// Its slice, or one with an invalid base.
  Slice slice(NodeId id) const {
    return slices.empty() ? Slice{} : slices[static_cast<size_t>(id.index)];
  }
  /// Bytes for the values of a batch of n.
  int64_t arena_bytes(int64_t n) const;
  /// The number of the micro-batch that the kernel is in, or -1.
  int micro_batch_number(int kernel) const;
  /// That micro-batch; one without samples, of the kernel alone, if it is in none.
  MicroBatch micro_batch_of(int kernel) const;
  Location locate(NodeId) const;
  /// By node: the same of all, in one go.
  std::vector<Location> locations() const;
  /// Whether the node is made by being somewhere: a concatenation of its own slices, or a slice of
  /// its operand. No kernel has it.
  bool is_free(NodeId) const;
};

/// Text form: the graph, then `kernel "name" { nodes } (inputs) -> (outputs)`, placements and
/// refusals, one a line.
std::string print(const Plan &);

/// The plan's invariants. Those of memory (6 to 9) hold once placements are there.
///
///  1. Every node but leaves, views and free ones is in a kernel, and an output of one at most.
///  2. A kernel's nodes are in topological order, without leaves, views and free nodes; its inputs
///     are exactly the values that its nodes read from elsewhere, each once; it has an output.
///  3. Whatever a kernel reads from memory is a leaf or made of outputs of earlier kernels.
///  4. Graph outputs and updates are made of outputs of kernels.
///  5. No kernel reads a parameter after the kernel that overwrites it; that one reads it
///     elementwise only.
///  6. Every value in memory has a place of its size; offsets are aligned to 64 bytes and inside
///     their region.
///  7. Two values of one arena that are alive at a time do not overlap, but for in-place results.
///     What a micro-batch's kernels read from elsewhere is alive until the last of them.
///  8. An in-place result shares the memory of an input of its kernel that is read elementwise.
///  9. An update's value lies where its parameter lies.
/// 10. A slice is of a concatenation along the last dimension, at the place of the only
///     operand that it is there, as all its operands are; or it is one by its op, of its
///     operand's last dimension. It is no view, nor does a view show it, and neither result
///     nor leaf.
/// 11. Micro-batches follow each other. What their kernels compute has a batch, and a sample of it
///     depends on that sample alone. A value in `arena_micro_batch` is no result, and one
///     micro-batch's kernels are all that write and read it.
///
/// Throws InternalError quoting the number.
void verify(const Plan &);

} // namespace sinter

// One kernel by itself: what of it decides the machine code, and nothing else.
#pragma once

#include "ir/plan.h"

#include <string>
#include <vector>

namespace sinter {

/// A kernel's nodes as a graph of their own, free of names, layers and locations; its inputs are
/// leaves "a0", "a1", ... Equal kernels, of one plan or of several, have equal text().
struct KernelGraph {
  Graph graph;
  std::vector<NodeId> inputs;  // in argument order
  std::vector<NodeId> outputs; // in argument order
  /// By node: how many elements of memory lie between the beginnings of an argument's rows, or 0
  /// where rows follow each other. Empty when all arguments are dense.
  std::vector<int64_t> pitches;

  int64_t pitch(NodeId id) const {
    return pitches.empty() ? 0 : pitches[static_cast<size_t>(id.index)];
  }
  /// From the argument's first element to its last one in memory, per sample for a batched one.
  int64_t extent_in_memory(NodeId) const;

  std::string text() const;
};

/// Cuts the kernel out of the plan. Where every node is elementwise, neighbouring dimensions that
/// no operand tells apart are merged: long rows make long vector loops.
KernelGraph extract_kernel(const Plan &, const Kernel &);

} // namespace sinter

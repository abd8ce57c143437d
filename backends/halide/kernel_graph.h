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

  std::string text() const;
};

/// Cuts the kernel out of the plan. Where every node is elementwise, neighbouring dimensions that
/// no operand tells apart are merged: long rows make long vector loops.
KernelGraph extract_kernel(const Plan &, const Kernel &);

} // namespace sinter

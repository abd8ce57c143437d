// Cases for the op table's property tests: every op's own example, and random variations of it.
#pragma once

#include "ir/graph.h"

#include <cstdint>
#include <string>
#include <vector>

namespace sinter {

/// A small graph whose last node is the op under test and its only output, "result".
struct OpCase {
  Graph graph;
  int64_t batch = 1;
  std::string text; // for messages

  NodeId result() const { return graph.outputs.front().value; }
};

/// The example, then variations: other extents (among them sizes that are no multiple of a vector's
/// width, and 1), other geometries, axes and blocks, batches from 1 to 13. `count` in all, fewer
/// for an op that cannot be varied (an op without extents). A pure function of the arguments.
std::vector<OpCase> op_cases(OpKind, int count, uint64_t seed);

} // namespace sinter

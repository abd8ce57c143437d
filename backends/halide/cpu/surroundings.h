// What stands around a kernel's contraction, and whether a template can take it in.
#pragma once

#include "backends/halide/lower_kernel.h"

#include <optional>
#include <string>

namespace sinter {

struct Surroundings {
  /// The nodes that the contraction reads have no stages: they can be computed inside its copies.
  bool plain_before = true;
  /// What follows is elementwise over the same storage, or over the pooled one, without stages, and
  /// ends in one group of outputs: it can be computed from a register tile.
  bool plain_after = true;
  /// The poolings behind the contraction, all of one node's value; empty when there are none.
  std::vector<const LoweredNode *> pools;
  /// The node that they pool; null when there are none.
  const LoweredNode *pooled = nullptr;
};

Surroundings find_surroundings(const LoweredKernel &, const LoweredNode &contraction);

/// The type in which the contraction reads its second operand: that of its copy, if it makes one.
const TensorType &second_operand_type(const LoweredKernel &, const LoweredNode &contraction,
                                      const Stage *copy);

/// The name of the second operand's buffer where a tile of `lanes` lanes reads one contiguous panel
/// of it: it is an argument of the kernel, blocked so, and read without a copy.
std::optional<std::string> contiguous_operand(const LoweredKernel &, const LoweredNode &contraction,
                                              const Stage *copy, int64_t lanes);

} // namespace sinter

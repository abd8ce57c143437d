// Concatenations and slices of channels that nobody copies, for values that lie in other ones:
//
//   %3 = concat %1, %2 {axis=3}        the kernels of %1 and %2 write their part of %3's rows
//   %4 = concat %3, %5 {axis=3}        %3 is the first part of %4's rows, %1 and %2 with it
//   %7 = slice %6 {begin=[0,0,0,32]}   the readers of %7 read a part of %6's rows
//
// A concatenation is free when each of its operands can lie in it; one that is copied is copied
// whole. Chains of them (DenseNet) are one buffer, whose slices grow.
#pragma once

#include "passes/partition.h"

namespace sinter {

/// Why the operand cannot lie in the concatenation, by itself, or nullptr.
const char *refuse_part(const Partition &, NodeId operand, NodeId concat);

/// Why the concatenation is copied, as far as it and not an operand is the reason, or nullptr.
const char *refuse_assembly(const Partition &, NodeId concat);

/// Why the result of a slice is copied out of its operand, or nullptr.
const char *refuse_extraction(const Partition &, NodeId slice);

/// By node. The partition is that of a plan without slices.
std::vector<Slice> find_slices(const Partition &);

} // namespace sinter

// Joins what is left: chains of elementwise nodes over one shape, with a concatenation, transpose
// or padding at their head (refuse_pointwise).
//
//   kernel "subtract.0" {%4}   kernel "multiply.0" {%5}   ->   kernel "subtract_multiply.0" {%4,
//   %5}
//
// Then notes for every value that still passes from kernel to kernel through memory why it does.
//
// Requires: to be the last fusion pass. Guarantees: verify(Plan).
#pragma once

#include "ir/plan.h"

namespace sinter {

void fuse_elementwise(Plan &);

} // namespace sinter

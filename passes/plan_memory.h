// Gives every value that is written to memory its place.
//
//   parameters         their slot in the parameter region, which all plans of a program share
//   inputs             the caller's buffers and the context's fields
//   predictions        the caller's buffers
//   updates            over their parameter
//   slices             in the value that they are part of, which is there from the first kernel
//   that
//                      writes any part of it to the last one that reads any
//   the rest           two arenas, by liveness: a value's memory is free again after the last
//   kernel
//                      that reads it. Values without the batch lie at fixed offsets; for the others
//                      bytes and offsets are per sample, to be multiplied by the run-time batch, so
//                      that no maximum batch is planned for. All are multiples of 64 bytes.
//
// An elementwise kernel with one output writes over an operand that nobody reads again, when type
// and indexing agree. Offsets are chosen largest value first, each in the smallest gap that it fits
// (best fit), which stays within a few per cent of the peak of live bytes on such networks.
//
// Requires: make_plan and the fusion passes; a slot for every parameter. Guarantees: verify(Plan).
#pragma once

#include "ir/program.h"

namespace sinter {

/// One slot for every parameter of the graphs, in order, each name once. The model's own graph goes
/// first: what it places is then where it would be without the others.
std::vector<ParameterSlot> place_parameters(const std::vector<const Graph *> &);
/// The size of the parameter region.
int64_t region_bytes(const std::vector<ParameterSlot> &);

void plan_memory(Plan &, const std::vector<ParameterSlot> &);

} // namespace sinter

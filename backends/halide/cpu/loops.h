// The loops that strategies share: stores of outputs, plain reductions, copies, accumulators.
#pragma once

#include "backends/halide/kernels.h"
#include "backends/halide/lower_kernel.h"

namespace sinter {

/// Elements that make a parallel task worth its start.
constexpr int64_t kElementsPerTask = 16384;

/// Storage extents, Halide's dimension 0 first; kBatch is the run-time batch.
std::vector<int64_t> halide_extents(const TensorType &);

/// Product of all extents but the batch.
int64_t elements_per_sample(const TensorType &);

/// Lanes for a vector loop over `extent`: the full width, or less when the extent is short.
int lanes_for(int64_t extent, const Variant &);

/// Makes room in a buffer of the kernel's own, of this type, for what vectors have beyond its end.
/// Of a vector's guarded access that lies outside altogether Halide 14's simplifier concludes that
/// it is never reached, and drops what it stands beside or in. Two kinds lie there: the odd lanes
/// (Halide makes them of every vector that an expression uses twice) of a tail of one element; and
/// the last ones of a register tile of `lanes`. So rows are stored as a multiple of `lanes`, and
/// their number, when it is constant, as an even one.
void pad_buffer(Halide::Func buffer, const TensorType &, int lanes = 2);

/// A plain vector loop over the outputs of a group, in parallel when they are many. Returns the
/// loop over rows of dimension 0, or over vectors when that is the only dimension.
Halide::Var schedule_stores(const OutputGroup &, const Variant &);

/// Computes a reduction or a copy whole, before what needs it.
void schedule_at_root(const Stage &, const Variant &);

/// Computes every stage but that node's at the root.
void schedule_other_stages(const LoweredKernel &, const LoweredNode &, const Variant &);

/// The same, and the outputs: what is left of a kernel around a node that is computed by itself.
void schedule_rest(const LoweredKernel &, const LoweredNode &, const Variant &);

/// Vectorizes a copy of an image [N,h,w,c] along its channels, or along x when there is one.
void vectorize_copy(const Stage &, const Variant &);

/// Keeps the sums of a register tile in registers: the first dimensions of `sums`, as long as
/// `extents` says, are unrolled, the first of all in vectors of `lanes`; around them stand the
/// loops over the sum's `terms`, then those over the other dimensions. Returns the update, whose
/// terms may be unrolled, too.
Halide::Stage keep_in_registers(Halide::Func sums, const std::vector<Halide::Expr> &extents,
                                int lanes, const std::vector<Halide::RVar> &terms);

} // namespace sinter

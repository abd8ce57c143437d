// Functions that Halide lacks or makes scalar calls of, as expressions that vectorise, and index
// arithmetic that several families share. Private to ir/ops/ and kernel_builder.cpp.
//
// Kernels are compiled with fast-math flags that assume values to be finite: what tells NaNs and
// infinities apart goes by `exactly` or by their bits. A NaN stays one: functions keep it, and in
// every search for an extreme it wins, the first of several.
#pragma once

#include "ir/kernel_builder.h"

namespace sinter {

/// The expression without those flags, operands inlined into it included: NaNs and infinities
/// compare as IEEE 754 says, and nothing is reassociated.
Halide::Expr exactly(const Halide::Expr &);
/// Whether a float is a NaN; false for other types. By its bits: a value that was computed in the
/// same kernel carries the promise that it is none, and a comparison would be folded by that.
Halide::Expr holds_nan(const Halide::Expr &x);
/// a >= b, a NaN being larger than all numbers and equal to any other NaN.
Halide::Expr at_least(const Halide::Expr &a, const Halide::Expr &b);
/// The larger or the smaller of a and b, a at a tie; a NaN if either is one.
Halide::Expr larger_of(const Halide::Expr &a, const Halide::Expr &b);
Halide::Expr smaller_of(const Halide::Expr &a, const Halide::Expr &b);
/// The same of x and a number, which is no NaN: one instruction.
Halide::Expr at_least_number(const Halide::Expr &x, float number);
Halide::Expr at_most_number(const Halide::Expr &x, float number);
/// Whether x is the extreme that was found among values with it: equal, or a NaN.
Halide::Expr is_extreme(const Halide::Expr &x, const Halide::Expr &extreme);
/// x where the condition holds, else y: as bits, so that no flags promise what they are.
Halide::Expr choose_bits(const Halide::Expr &condition, const Halide::Expr &x,
                         const Halide::Expr &y);
/// 1 where the condition holds, else 0, as a u8; exactly so.
Halide::Expr mask_of(const Halide::Expr &condition);
/// A float function of the C library; not vectorised.
Halide::Expr call_libm(const char *function, const std::vector<Halide::Expr> &arguments);

/// Extents and positions are ints in Halide.
inline int as_int(int64_t value) { return static_cast<int>(value); }

/// Lanes that copies are padded to: whole vectors of every variant.
constexpr int64_t kLanes = 16;
/// The operand when its last dimension is stored in whole vectors, else a copy that is.
Tensor packed(KernelBuilder &, const Tensor &operand, const std::string &role);

/// Element [n, y, x, c] of an image, or `outside` where y or x lies beside it.
Halide::Expr pixel_or(const Tensor &image, const Index &index, const Halide::Expr &outside);
/// The same with 0, for loops that read the image where it is: they are cut into those over its
/// borders and one without a comparison.
Halide::Expr pixel_or_zero_beside(const Tensor &image, const Index &index);
/// result(index) = the sum of term(index, {tap}) over the taps: few of them as one expression,
/// which a schedule can fuse like any elementwise one.
void define_sum_of_taps(KernelBuilder &, int taps, const KernelBuilder::Term &term);

/// result = f(x), element by element.
void define_unary(KernelBuilder &, const std::function<Halide::Expr(const Halide::Expr &)> &f);
/// result = f(a, b), element by element, operands broadcast.
void define_binary(
    KernelBuilder &,
    const std::function<Halide::Expr(const Halide::Expr &, const Halide::Expr &)> &f);

/// Relative error below 3e-7.
Halide::Expr tanh_of(const Halide::Expr &x);
/// 1 / (1 + exp(-x)); relative error below 5e-7 for |x| < 80.
Halide::Expr sigmoid_of(const Halide::Expr &x);
/// log(1 + exp(x)) without overflow; absolute error below 2e-7 * max(1, x).
Halide::Expr softplus_of(const Halide::Expr &x);
/// log(1 + x); relative error below 5e-7.
Halide::Expr log1p_of(const Halide::Expr &x);
/// exp(x) - 1; relative error below 5e-7.
Halide::Expr expm1_of(const Halide::Expr &x);
/// Halide's exp and log, which vectorise but make numbers of NaNs and infinities, put right there.
Halide::Expr exp_of(const Halide::Expr &x);
Halide::Expr log_of(const Halide::Expr &x);
/// The error function; likewise.
Halide::Expr erf_of(const Halide::Expr &x);
/// exp(x) for x <= 0, as in a softmax.
Halide::Expr exp_of_negative(const Halide::Expr &x);

/// The extents of dimensions [begin, rank).
std::vector<Halide::Expr> extents_from(const Tensor &, int begin);
/// [a..., b...]
Index joined(const Index &a, const Index &b);
/// `index` with another position along the axis.
Index moved(Index index, size_t axis, const Halide::Expr &position);
/// The product of the extents as a float; the batch may be among them.
Halide::Expr element_count(const std::vector<Halide::Expr> &extents);

/// Reductions over the last dimension: one value a row, of the shape without it.
Tensor reduce_rows(KernelBuilder &, Reduction, const Tensor &, const KernelBuilder::Term &term);
/// The maximum of each row.
Tensor row_maximum(KernelBuilder &, const Tensor &);
/// Where each row's first maximum stands: an i32 a row. A NaN is the largest.
Tensor row_argmax(KernelBuilder &, const Tensor &);

} // namespace sinter

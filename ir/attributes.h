// The attributes of every operation: small structs that name their fields once more, in
// SINTER_FIELDS. Printing, parsing and equality are generic over that.
#pragma once

#include "ir/fields.h"
#include "ir/type.h"

#include <array>
#include <cstdint>
#include <cstring>
#include <string>
#include <type_traits>
#include <variant>
#include <vector>

namespace sinter {

struct NoAttrs {
  template <typename F> static void fields(F &&) {}
};

/// What the program feeds: role is "data", "label", "rng" (i32[4]: seed low, seed high, step low,
/// step high), "learning_rate" (f32[]) or "step" (f32[], 1-based). `channels_first`: pictures for
/// this input are fed as [N,C,H,W], not [N,H,W,C].
struct InputAttrs {
  std::string name;
  std::string role = "data";
  TensorType type;
  bool channels_first = false;
  SINTER_FIELDS(InputAttrs, name, role, type, channels_first)
};

/// A persistent tensor. `role` is "weight", "statistic" (not trained), "optimizer", or "prepared":
/// made from the others by the program, in no file.
/// `initializer` is "zeros", "ones", "constant" (a), "uniform" (in [a, b)), "normal" or
/// "truncated_normal" (mean a, standard deviation b), "identity" (of a matrix, times a) or
/// "orthogonal" (all dimensions but the last as rows, times a): Keras's families are resolved to
/// these by the frontend, which knows the fans. `constraint` is what training keeps it to: ""
/// nothing, "non_neg", "unit_norm", "max_norm" or "min_max_norm", the norms over `norm_axes`; see
/// passes/add_optimizer.h.
struct ParameterAttrs {
  std::string name;
  std::string role = "weight";
  std::string initializer = "zeros";
  float a = 0;
  float b = 0;
  std::string constraint;
  std::vector<int64_t> norm_axes;
  float min_norm = 0;
  float max_norm = 1;
  float norm_rate = 1;
  TensorType type;
  SINTER_FIELDS(ParameterAttrs, name, role, initializer, a, b, constraint, norm_axes, min_norm,
                max_norm, norm_rate, type)
};

/// Row-major values of a static type; a single value fills the whole tensor.
struct ConstantAttrs {
  std::vector<float> values;
  TensorType type;
  SINTER_FIELDS(ConstantAttrs, values, type)
};

/// NHWC input, HWIO filter of shape [kh, kw, ci/groups, co]. padding is {top, left, bottom, right};
/// "same" and "valid" were resolved by same_padding (ir/ops/window.h) when the node was built.
struct Conv2dAttrs {
  std::array<int64_t, 2> strides{1, 1};
  std::array<int64_t, 2> dilations{1, 1};
  std::array<int64_t, 4> padding{0, 0, 0, 0};
  int64_t groups = 1;
  SINTER_FIELDS(Conv2dAttrs, strides, dilations, padding, groups)
};

/// The filter of F(tile, 3) in both directions: `tile` x `tile` results from (tile + 2)^2 products
/// a pair of channels. tile is 2, with the points 0, 1, -1, infinity, or 4, with 0, +-1/sqrt(2),
/// +-sqrt(2), infinity. `block` is the result's storage block. Turned, it is the filter of the
/// convolution's input gradient: by half a turn, input and output channels exchanged.
struct WinogradFilterAttrs {
  int64_t tile = 4;
  int64_t block = 0;
  bool turned = false;
  SINTER_FIELDS(WinogradFilterAttrs, tile, block, turned)
};

/// padding as in Conv2dAttrs; tile as the filter was transformed.
struct WinogradAttrs {
  int64_t tile = 4;
  std::array<int64_t, 4> padding{0, 0, 0, 0};
  SINTER_FIELDS(WinogradAttrs, tile, padding)
};

/// The convolution's own attributes and the filter gradient's storage block.
struct WinogradGradientAttrs : WinogradAttrs {
  int64_t block = 0;
  SINTER_MORE_FIELDS(WinogradGradientAttrs, WinogradAttrs, block)
};

/// Turned, it is the filter of the convolution's input gradient: by half a turn, input and output
/// channels exchanged; a matrix is transposed.
struct Bf16FilterAttrs {
  bool turned = false;
  SINTER_FIELDS(Bf16FilterAttrs, turned)
};

/// The storage block of a matrix product's result.
struct Bf16MatmulGradientAttrs {
  int64_t block = 0;
  SINTER_FIELDS(Bf16MatmulGradientAttrs, block)
};

/// The convolution's own attributes and the extents that its gradients cannot infer:
/// {height, width} of the input, or of the filter, and the filter gradient's storage block.
struct Conv2dGradientAttrs : Conv2dAttrs {
  std::array<int64_t, 2> size{0, 0};
  int64_t block = 0;
  SINTER_MORE_FIELDS(Conv2dGradientAttrs, Conv2dAttrs, size, block)
};

/// A pooling window over NHWC. Padded positions never win a maximum; an average divides by the
/// number of real positions (Keras) unless count_include_pad.
struct Pool2dAttrs {
  std::array<int64_t, 2> size{2, 2};
  std::array<int64_t, 2> strides{2, 2};
  std::array<int64_t, 4> padding{0, 0, 0, 0};
  bool count_include_pad = false;
  std::array<int64_t, 2> dilations{1, 1};
  SINTER_FIELDS(Pool2dAttrs, size, strides, padding, count_include_pad, dilations)
};

/// Pool2dAttrs and the {height, width} of the pooled input.
struct Pool2dGradientAttrs : Pool2dAttrs {
  std::array<int64_t, 2> input_size{0, 0};
  SINTER_MORE_FIELDS(Pool2dGradientAttrs, Pool2dAttrs, input_size)
};

/// op(a) . op(b) over two-dimensional operands; `block` is the result's storage block.
struct MatmulAttrs {
  bool transpose_a = false;
  bool transpose_b = false;
  int64_t block = 0;
  SINTER_FIELDS(MatmulAttrs, transpose_a, transpose_b, block)
};

struct ReduceAttrs {
  std::vector<int64_t> axes; // ascending, non-negative
  bool keep_dims = false;
  SINTER_FIELDS(ReduceAttrs, axes, keep_dims)
};

/// The reverse of a reduction without keep_dims: repeats along `axes` of the result `shape` (which
/// may start with the batch). With `mean` the value is divided by the number of repetitions, the
/// run-time batch included.
struct BroadcastAttrs {
  Shape shape;
  std::vector<int64_t> axes;
  bool mean = false;
  SINTER_FIELDS(BroadcastAttrs, shape, axes, mean)
};

struct ReshapeAttrs {
  Shape shape;
  SINTER_FIELDS(ReshapeAttrs, shape)
};

struct TransposeAttrs {
  std::vector<int64_t> permutation; // result dimension i is operand dimension permutation[i]
  SINTER_FIELDS(TransposeAttrs, permutation)
};

/// Values before, after and, unless `interior` is empty, between the elements of each dimension.
struct PadAttrs {
  std::vector<int64_t> low, high; // one a dimension; zero for the batch
  float value = 0;
  std::vector<int64_t> interior = {}; // one a dimension, or empty: none
  SINTER_FIELDS(PadAttrs, low, high, value, interior)
};

/// Every step-th element of [begin, end) in each dimension; the batch is never sliced (0, kBatch).
struct SliceAttrs {
  std::vector<int64_t> begin, end;
  std::vector<int64_t> step = {}; // one a dimension, positive, or empty: ones
  SINTER_FIELDS(SliceAttrs, begin, end, step)
};

struct ReverseAttrs {
  std::vector<int64_t> axes; // ascending
  SINTER_FIELDS(ReverseAttrs, axes)
};

/// `last`: of equal maxima the last one's index, else the first one's.
struct ArgmaxAttrs {
  int64_t axis = 0;
  bool last = false;
  SINTER_FIELDS(ArgmaxAttrs, axis, last)
};

/// Sums of the elements up to each one, or of those after it with `reverse`; without the element
/// itself when `exclusive`.
struct CumulativeSumAttrs {
  int64_t axis = 0;
  bool exclusive = false;
  bool reverse = false;
  SINTER_FIELDS(CumulativeSumAttrs, axis, exclusive, reverse)
};

struct TopKAttrs {
  int64_t axis = 0;
  int64_t k = 1;
  bool smallest = false;
  SINTER_FIELDS(TopKAttrs, axis, k, smallest)
};

/// The axis along which x was gathered, and x's extent there.
struct GatherGradientAttrs {
  int64_t axis = 0;
  int64_t extent = 0;
  SINTER_FIELDS(GatherGradientAttrs, axis, extent)
};

/// For each result position along the axis, `taps` indices into x in a row, and as many weights;
/// no weights are all ones.
struct ResampleAttrs {
  int64_t axis = 0;
  int64_t taps = 1;
  std::vector<int64_t> indices;
  std::vector<float> weights;
  SINTER_FIELDS(ResampleAttrs, axis, taps, indices, weights)
};

struct AxisAttrs {
  int64_t axis = 0;
  SINTER_FIELDS(AxisAttrs, axis)
};

struct AffineAttrs {
  float scale = 1;
  float offset = 0;
  SINTER_FIELDS(AffineAttrs, scale, offset)
};

/// How many channels before and after each one are summed with it.
struct ChannelSumAttrs {
  int64_t before = 0;
  int64_t after = 0;
  SINTER_FIELDS(ChannelSumAttrs, before, after)
};

struct BatchNormAttrs {
  float epsilon = 1e-3F;
  double momentum = 0.99; // of the moving statistics, in training
  bool frozen = false;    // training uses the moving statistics, too, and leaves them as they are
  bool sample_variance = false; // what moves the variance is divided by count - 1, not by count
  SINTER_FIELDS(BatchNormAttrs, epsilon, momentum, frozen, sample_variance)
};

/// `stream` separates the random numbers of the layers of one model.
struct DropoutAttrs {
  float rate = 0.5F;
  int64_t stream = 0;
  std::vector<int64_t> shared; // dimensions along which values are dropped together
  SINTER_FIELDS(DropoutAttrs, rate, stream, shared)
};

struct DropoutMaskAttrs {
  float rate = 0.5F;
  int64_t stream = 0;
  Shape shape;
  SINTER_FIELDS(DropoutMaskAttrs, rate, stream, shape)
};

struct RandomUniformAttrs {
  int64_t stream = 0;
  Shape shape;
  SINTER_FIELDS(RandomUniformAttrs, stream, shape)
};

struct OneHotAttrs {
  int64_t depth = 0;
  SINTER_FIELDS(OneHotAttrs, depth)
};

struct CastAttrs {
  ElementType to = ElementType::f32;
  SINTER_FIELDS(CastAttrs, to)
};

/// momentum of SGD; decay of a moving average (Adam's beta, RMSprop's rho). In double, as scripts
/// give it: 1 - 0.999F is 1.3e-5 (relative) off 0.001.
struct DecayAttrs {
  double decay = 0;
  SINTER_FIELDS(DecayAttrs, decay)
};

struct EpsilonAttrs {
  float epsilon = 1e-7F;
  SINTER_FIELDS(EpsilonAttrs, epsilon)
};

struct AdamRateAttrs {
  double beta_1 = 0.9;
  double beta_2 = 0.999;
  SINTER_FIELDS(AdamRateAttrs, beta_1, beta_2)
};

using Attrs =
    std::variant<NoAttrs, InputAttrs, ParameterAttrs, ConstantAttrs, Conv2dAttrs,
                 WinogradFilterAttrs, WinogradAttrs, WinogradGradientAttrs, Bf16FilterAttrs,
                 Bf16MatmulGradientAttrs, Conv2dGradientAttrs, Pool2dAttrs, Pool2dGradientAttrs,
                 MatmulAttrs, ReduceAttrs, BroadcastAttrs, ReshapeAttrs, TransposeAttrs, PadAttrs,
                 SliceAttrs, ReverseAttrs, AxisAttrs, ArgmaxAttrs, CumulativeSumAttrs, TopKAttrs,
                 GatherGradientAttrs, ResampleAttrs, AffineAttrs, ChannelSumAttrs, BatchNormAttrs,
                 DropoutAttrs, DropoutMaskAttrs, RandomUniformAttrs, OneHotAttrs, CastAttrs,
                 DecayAttrs, EpsilonAttrs, AdamRateAttrs>;

/// Equality of field values. Floats are equal when their bits are: 0 and -0 mean different
/// constants, and a NaN is itself.
template <typename T> bool equal_values(const T &a, const T &b) {
  if constexpr (std::is_floating_point_v<T>)
    return std::memcmp(&a, &b, sizeof a) == 0;
  else
    return a == b;
}
inline bool equal_values(const std::vector<float> &a, const std::vector<float> &b) {
  return a.size() == b.size() &&
         (a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0);
}

/// Field-by-field equality of two attribute structs of one type.
template <typename A> bool equal_fields(const A &a, const A &b) {
  bool equal = true;
  A::fields(
      [&](const char *, auto member) { equal = equal && equal_values(a.*member, b.*member); });
  return equal;
}

bool operator==(const Attrs &, const Attrs &);

} // namespace sinter

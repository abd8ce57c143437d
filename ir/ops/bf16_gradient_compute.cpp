// The algorithms of gradients by filters, which sum over positions of images (or over samples):
//
//   pairs           copy   [image, phase, pair, channel]: the input, rounded, with zeros around
//   turned          call   [image, phase, channel, pair]: sinter_bf16_transpose
//   channels        copy   the same, where threads share images
//   gradient_pairs  copy   [image, pair, filter] in panels: dy, rounded
//   products        call   [chunk, row, column, channel, filter]: sinter_bf16_gradient
//   reduction              the sum over chunks of images
//
// A pair are the pixels at two positions side by side, that is, two columns of a row. Positions are
// those of the copies in bf16_compute.cpp: a tap's pixels lie at one distance from all of them, so
// that they are read where they lie for any tap. dy is zero where no window begins.

#include "ir/kernel_builder.h"
#include "ir/ops/bf16.h"
#include "ir/ops/bf16_windows.h"
#include "ir/ops/compute.h"
#include "ir/ops/compute_math.h"

#include <algorithm>
#include <numeric>

namespace sinter {

using Halide::Expr;

namespace {

/// Bytes of copies that a chunk of images makes: they stay in the second cache.
constexpr int64_t kChunkBytes = int64_t{1} << 19;
constexpr int64_t kMostImages = 64;

int64_t round_up(int64_t value, int64_t multiple) {
  return (value + multiple - 1) / multiple * multiple;
}

/// Filters as the result stores them, in whole panels.
int64_t stored_filters(const TensorType &result) {
  return round_up(result.shape.back(), std::lcm(std::max<int64_t>(result.block, 1), kBf16Panel));
}

/// How images lie in their copies, and how many make a chunk.
struct Grid {
  Bf16Windows windows;
  int width = 0;     // columns, an even number
  int positions = 0; // that are summed over
  int pairs = 0;     // that the taps of those reach
  int phases = 0;
  int images = 0;
};

Grid grid_of(const Conv2dGradientAttrs &attrs, const TensorType &filter, const Shape &dy) {
  Grid g;
  g.windows = bf16_windows(attrs, filter.shape, dy);
  const int64_t width = round_up(g.windows.extents[1], 2);
  const int64_t reach =
      (g.windows.extents[0] - dy[1]) * width + (g.windows.extents[1] - dy[2]); // of the last tap
  const int64_t positions = round_up(dy[1] * width, kBf16Depth);
  const int64_t pairs = round_up((positions + reach + 1) / 2, kLanes);
  const int64_t phases = int64_t{g.windows.phases[0]} * g.windows.phases[1];
  g.width = as_int(width);
  g.positions = as_int(positions);
  g.pairs = as_int(pairs);
  g.phases = as_int(phases);
  const int64_t bytes =
      phases * pairs * filter.shape[2] * 4 + positions * stored_filters(filter) * 2;
  g.images = as_int(std::clamp<int64_t>(kChunkBytes / bytes, 1, kMostImages));
  return g;
}

/// The input of a convolution.
Tensor input_pairs(KernelBuilder &k, const Conv2dGradientAttrs &attrs, const Grid &g) {
  const Tensor &x = k.operand(0);
  const Shape &shape = x.type().shape;
  const Bf16Windows &w = g.windows;
  const int top = as_int(attrs.padding[0]), left = as_int(attrs.padding[1]);
  return k.copy({ElementType::i32, {shape[0], g.phases, g.pairs, shape[3]}, 0}, "pairs",
                [&](const Index &i) {
                  const Expr image = Halide::clamp(i[0], 0, x.extent(0) - 1);
                  const Expr row = i[2] / (g.width / 2), column = i[2] % (g.width / 2) * 2;
                  const auto pixel = [&](int which) {
                    const Expr y = row * w.strides[0] + i[1] / w.phases[1] - top;
                    const Expr at = (column + which) * w.strides[1] + i[1] % w.phases[1] - left;
                    return pixel_or(x, {image, y, at, i[3]}, 0.0F);
                  };
                  return bf16_pair(pixel(0), pixel(1));
                });
}

Tensor transposed(KernelBuilder &k, const Tensor &pairs) {
  Shape shape = pairs.type().shape;
  std::swap(shape[2], shape[3]);
  return k.call({ElementType::i32, shape, 0}, "turned", "sinter_bf16_transpose", {pairs}, {});
}

/// dy at the positions where a window begins.
Tensor gradient_pairs(KernelBuilder &k, const Grid &g) {
  const Tensor &dy = k.operand(1);
  const Shape &shape = dy.type().shape;
  const int filters = as_int(shape[3]);
  const TensorType type{
      ElementType::i32, {shape[0], g.positions / 2, stored_filters(k.type())}, kBf16Panel};
  return k.copy(type, "gradient_pairs", [&](const Index &i) {
    const Expr image = Halide::clamp(i[0], 0, dy.extent(0) - 1);
    const Expr row = i[1] / (g.width / 2), column = i[1] % (g.width / 2) * 2;
    const bool whole = type.shape[2] == filters;
    const Expr filter = whole ? i[2] : Halide::min(i[2], filters - 1);
    const auto number = [&](int which) {
      const Expr value = pixel_or(dy, {image, row, column + which, filter}, 0.0F);
      return whole ? value : Halide::select(i[2] < filters, value, 0.0F);
    };
    return bf16_pair(number(0), number(1));
  });
}

} // namespace

void compute_bf16_filter_gradient(KernelBuilder &k) {
  const auto &attrs = k.attrs<Conv2dGradientAttrs>();
  const TensorType &result = k.type();
  const Shape &dy = k.operand(1).type().shape;
  const Grid g = grid_of(attrs, result, dy);
  const Bf16Windows &w = g.windows;
  const Tensor turned = transposed(k, input_pairs(k, attrs, g));
  const Tensor channels =
      k.copy(turned.type(), "channels", [&](const Index &i) { return turned(i); });
  const Tensor gradient = gradient_pairs(k, g);
  const Expr batch = k.operand(1).extent(0);
  const int64_t chunks = dy[0] == kBatch ? kBatch : (dy[0] + g.images - 1) / g.images;
  const Tensor products =
      k.call({ElementType::f32,
              {chunks, result.shape[0], result.shape[1], result.shape[2], stored_filters(result)},
              0},
             "products", "sinter_bf16_gradient", {channels, gradient},
             {g.images, batch, g.positions, g.pairs, g.phases, w.phases[1], g.width, w.dilations[0],
              w.dilations[1], w.strides[0], w.strides[1]});
  const Tensor total =
      k.reduce(Reduction::sum, result.storage_shape(), {(batch + (g.images - 1)) / g.images},
               [&](const Index &i, const Index &r) {
                 if (!result.blocked())
                   return products({r[0], i[0], i[1], i[2], i[3]});
                 return products({r[0], i[1], i[2], i[3], i[0] * as_int(result.block) + i[4]});
               });
  k.define_storage([&](const Index &i) { return total(i); });
}

// A single image whose positions are the samples.
void compute_bf16_matmul_gradient(KernelBuilder &k) {
  const TensorType &result = k.type();
  const Tensor &x = k.operand(0), &dy = k.operand(1);
  const Expr batch = x.extent(0);
  const Expr positions = (batch + as_int(kBf16Depth - 1)) / as_int(kBf16Depth) * as_int(kBf16Depth);
  const int64_t rows = x.type().shape[0];
  const int64_t count = rows == kBatch ? kBatch : round_up(rows, kBf16Depth) / 2;
  const int filters = as_int(dy.type().shape[1]);
  const auto pair = [&](const Tensor &from, const Expr &index, const Expr &column,
                        const Expr &exists) {
    const auto number = [&](int which) {
      const Expr sample = index * 2 + which;
      return Halide::select(sample < batch && exists,
                            from({Halide::min(sample, batch - 1), column}), 0.0F);
    };
    return bf16_pair(number(0), number(1));
  };
  const Tensor pairs =
      k.copy({ElementType::i32, {1, 1, count, result.shape[0]}, 0}, "pairs",
             [&](const Index &i) { return pair(x, i[2], i[3], Halide::Internal::const_true()); });
  const Tensor channels = transposed(k, pairs);
  const Tensor gradient =
      k.copy({ElementType::i32, {1, count, stored_filters(result)}, kBf16Panel}, "gradient_pairs",
             [&](const Index &i) {
               return pair(dy, i[1], Halide::min(i[2], filters - 1), i[2] < filters);
             });
  const Tensor products =
      k.call({ElementType::f32, {1, 1, 1, result.shape[0], stored_filters(result)}, 0}, "products",
             "sinter_bf16_gradient", {channels, gradient},
             {1, 1, positions, positions / 2, 1, 1, positions, 1, 1, 1, 1});
  k.define_storage([&](const Index &i) {
    if (!result.blocked())
      return products({0, 0, 0, i[0], i[1]});
    return products({0, 0, 0, i[1], i[0] * as_int(result.block) + i[2]});
  });
}

} // namespace sinter

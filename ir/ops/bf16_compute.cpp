// The algorithms of products of bf16 numbers, in stages:
//
//   pixels    copy   [rows, columns, phases, channels]: the input, rounded, with zeros around
//   filter    copy   only of a filter that is not an argument of the kernel
//   products  call   [positions, filters]: sinter_bf16_products of runtime/bf16.h
//
// Rows are those of all images, one below the other, and a position is a place in all rows: where a
// window begins. Every window's pixels lie at the same distances from its first one, so a tile of
// products takes 16 positions in a row, whatever image row they are of; the positions at the right
// edge where no window begins are computed, too, and not read. With strides, a pixel of the copy is
// a rectangle of the input's, each in a phase of its own.

#include "ir/kernel_builder.h"
#include "ir/ops/bf16.h"
#include "ir/ops/bf16_windows.h"
#include "ir/ops/compute.h"
#include "ir/ops/compute_math.h"

namespace sinter {

using Halide::Expr;

Expr bf16_bits(const Expr &x) {
  const Expr bits = Halide::reinterpret<uint32_t>(x);
  const Expr rounded = (bits + Expr(uint32_t{0x7fff}) + ((bits >> 16) & Expr(uint32_t{1}))) >> 16;
  const Expr is_nan = (bits & Expr(uint32_t{0x7fffffff})) > Expr(uint32_t{0x7f800000});
  const Expr quiet = (bits >> 16) | Expr(uint32_t{0x40});
  return Halide::cast<uint16_t>(Halide::select(is_nan, quiet, rounded));
}

Expr bf16_pair(const Expr &first, const Expr &second) {
  const auto bits = [](const Expr &x) { return Halide::cast<uint32_t>(bf16_bits(x)); };
  return Halide::reinterpret<int32_t>(bits(first) | (bits(second) << 16));
}

Bf16Windows bf16_windows(const Conv2dAttrs &attrs, const Shape &filter, const Shape &result) {
  Bf16Windows w;
  for (size_t d = 0; d < 2; ++d) {
    w.taps[d] = as_int(filter[d]);
    w.dilations[d] = as_int(attrs.dilations[d]);
    w.strides[d] = as_int(attrs.strides[d]);
    w.phases[d] = w.taps[d] == 1 ? 1 : w.strides[d];
    const int64_t reach = (filter[d] - 1) * attrs.dilations[d] / attrs.strides[d];
    w.extents[d] = as_int(result[d + 1] + reach);
  }
  return w;
}

namespace {

/// The pixels of all images: at [row, column, phase, channel], with `pixel(n, y, x, c)` for a place
/// in the input, which may lie beside it, and a channel of it.
Tensor stage_pixels(KernelBuilder &k, const Bf16Windows &w, int64_t channels,
                    const std::function<Expr(const Index &)> &pixel) {
  const int64_t copied = bf16_channels(channels);
  const int64_t images = k.operand(0).type().shape[0];
  const TensorType type{ElementType::f32,
                        {images == kBatch ? kBatch : images * w.extents[0], w.extents[1],
                         w.phases[0] * w.phases[1], copied},
                        0};
  return k.copy(type, "pixels", [&](const Index &i) {
    const Expr last_image = k.operand(0).extent(0) - 1;
    const Expr image = Halide::clamp(i[0] / w.extents[0], 0, last_image);
    const Expr y = i[0] % w.extents[0] * w.strides[0] + i[2] / w.phases[1];
    const Expr x = i[1] * w.strides[1] + i[2] % w.phases[1];
    if (channels == copied)
      return bf16_bits(pixel({image, y, x, i[3]}));
    const Expr value = pixel({image, y, x, Halide::min(i[3], as_int(channels - 1))});
    return bf16_bits(Halide::select(i[3] < as_int(channels), value, 0.0F));
  });
}

/// The sums at [position, filter].
Tensor products(KernelBuilder &k, const Bf16Windows &w, const Tensor &pixels) {
  const Shape &rows = pixels.type().shape;
  const int64_t filters = k.operand(1).type().shape.back();
  const TensorType type{
      ElementType::f32, {rows[0] == kBatch ? kBatch : rows[0] * w.extents[1], filters}, 0};
  return k.call(type, "products", "sinter_bf16_products", {pixels, k.argument(1, "filter")},
                {w.taps[0], w.taps[1], w.dilations[0], w.dilations[1], w.strides[0], w.strides[1],
                 w.phases[0], w.phases[1], w.extents[1], as_int(rows[3])});
}

} // namespace

namespace {

/// As it is: neighbouring channels are rows of the filter.
void define_pairs(KernelBuilder &k) {
  const Tensor &filter = k.operand(0);
  const Shape &shape = filter.type().shape;
  const size_t at = shape.size() - 2;
  const int channels = as_int(shape[at]);
  k.define([&](const Index &index) {
    const auto number = [&](int which) {
      Index i = index;
      i[at] = Halide::min(index[at] * 2 + which, channels - 1);
      return Halide::select(index[at] * 2 + which < channels, filter(i), 0.0F);
    };
    return bf16_pair(number(0), number(1));
  });
}

/// The first or second number of a pair in a row of a matrix, and zero beyond the row's end. In
/// blocks the place is found by block, so that vectors of half a block are read in one go.
Expr row_element(const Tensor &matrix, Index row, const Expr &pair, int which) {
  const int columns = as_int(matrix.type().shape.back());
  const int half = as_int(matrix.type().block / 2);
  const Expr column = pair * 2 + which;
  if (matrix.type().block % 2 != 0 || half == 0) {
    row.push_back(columns % kBf16Depth == 0 ? column : Halide::min(column, columns - 1));
    return Halide::select(column < columns, matrix(row), 0.0F);
  }
  const int last_block = as_int(matrix.type().storage_shape()[0] - 1);
  row.insert(row.begin(), Halide::min(pair / half, last_block));
  row.push_back(pair % half * 2 + which);
  return Halide::select(column < columns, matrix.at_storage(row), 0.0F);
}

/// Turned: its pairs lie side by side in a row of the filter, and go across 16 rows in a panel. So
/// they are made row by row, as [panel, taps, 16, pairs], and then transposed.
void define_turned_pairs(KernelBuilder &k) {
  const Tensor &filter = k.operand(0);
  const Shape &shape = filter.type().shape;
  const size_t taps = shape.size() - 2;
  const int rows = as_int(shape[taps]);
  const Shape storage = k.type().storage_shape();
  Shape by_rows = storage;
  std::swap(by_rows[taps + 1], by_rows[taps + 2]);
  const Tensor pairs = k.copy({ElementType::i32, by_rows, 0}, "rounded", [&](const Index &index) {
    const Expr row = index[0] * as_int(kBf16Panel) + index[taps + 1];
    Index place;
    for (size_t d = 0; d < taps; ++d)
      place.push_back(as_int(shape[d] - 1) - index[d + 1]);
    place.push_back(Halide::clamp(row, 0, rows - 1));
    return bf16_pair(Halide::select(row < rows, row_element(filter, place, index.back(), 0), 0.0F),
                     Halide::select(row < rows, row_element(filter, place, index.back(), 1), 0.0F));
  });
  const Tensor turned =
      k.call({ElementType::i32, storage, 0}, "turned", "sinter_bf16_transpose", {pairs}, {});
  k.define_storage([&](const Index &i) { return turned(i); });
}

} // namespace

void compute_bf16_filter(KernelBuilder &k) {
  if (k.attrs<Bf16FilterAttrs>().turned)
    define_turned_pairs(k);
  else
    define_pairs(k);
}

void compute_bf16_conv2d(KernelBuilder &k) {
  const auto &attrs = k.attrs<Conv2dAttrs>();
  const Tensor &x = k.operand(0);
  const Shape &shape = x.type().shape;
  const Bf16Windows w = bf16_windows(attrs, k.operand(1).type().shape, k.type().shape);
  const int top = as_int(attrs.padding[0]), left = as_int(attrs.padding[1]);
  const Tensor pixels = stage_pixels(k, w, shape[3], [&](const Index &i) {
    return pixel_or(x, {i[0], i[1] - top, i[2] - left, i[3]}, 0.0F);
  });
  const Tensor sums = products(k, w, pixels);
  k.define([&](const Index &i) {
    return sums({(i[0] * w.extents[0] + i[1]) * w.extents[1] + i[2], i[3]});
  });
}

void compute_bf16_matmul(KernelBuilder &k) {
  const Tensor &x = k.operand(0);
  const int64_t channels = x.type().shape[1];
  const Bf16Windows w;
  const Tensor pixels = stage_pixels(k, w, channels, [&](const Index &i) {
    return x({i[0], i[3]});
  });
  const Tensor sums = products(k, w, pixels);
  k.define([&](const Index &i) { return sums(i); });
}

} // namespace sinter

// The algorithms of Winograd convolution, in stages over tiles t = ty * columns + tx:
//
//   padded    copy       x with zeros around, defined for any index
//   columns   copy       [N, y, i, t, c]: the rows of a tile, each transformed: B^T d
//   tiles     copy       [N, j, i, t, c]: B^T d B
//   sum       reduction  [N, j, i, t, o]: a matrix product over c for each point (j, i)
//   folded    copy       [N, j, x, t, o]: half of the way back, A^T m
//   filter    copy       only of a filter that is not stored in whole vectors
//
// and of the filter's gradient G^T (sum over tiles of (B^T d B) * (A dy A^T)) G, the transpose of
// the convolution as a function of the filter; its sums are over chunks of samples:
//
//   padded, columns, tiles      as above
//   gradient      copy          dy with zeros beyond its edges
//   spread        copy          [N, y, i, t, o]: the rows of a tile of dy: A dy
//   spread_tiles  copy          [N, j, i, t, o]: A dy A^T
//   chunk         reduction     [chunk, j, i, c, o]: a matrix product over its samples and tiles
//   total         reduction     [j, i, c, o]: over the chunks
//   gathered      copy          [ky, i, c, o]: half of the way back, G^T m
//
// The result picks its element of A^T m A by its place in the tile; where a schedule unrolls the
// tile, the choices below (mux) are made by the compiler.

#include "ir/kernel_builder.h"
#include "ir/ops/compute.h"
#include "ir/ops/compute_math.h"
#include "ir/ops/winograd_matrices.h"

#include <algorithm>
#include <cmath>

namespace sinter {

using Halide::Expr;

namespace {

/// Coefficients below this are zeros that were rounded.
constexpr double kZero = 1e-9;

/// a + b * scale, leaving out what is not there.
Expr plus(const Expr &a, const Expr &b, double scale) {
  const Expr term =
      std::abs(std::abs(scale) - 1) < kZero ? b : b * static_cast<float>(std::abs(scale));
  if (!a.defined())
    return scale < 0 ? -term : term;
  return scale < 0 ? a - term : a + term;
}

/// Sum of row[k] * terms[k] over k = first, first + 2, ..., undefined when all are zero.
Expr every_other(const std::vector<double> &row, const std::vector<Expr> &terms, size_t first) {
  Expr sum;
  for (size_t k = row.size(); k-- > 0;)
    if (k % 2 == first && std::abs(row[k]) > kZero)
      sum = plus(sum, terms[k], row[k]);
  return sum;
}

/// A row of B^T times a vector. The rows of points a and -a differ in the sign of the odd terms:
/// even and odd terms are summed apart so that both rows share them.
Expr input_row(const std::vector<double> &row, const std::vector<Expr> &terms) {
  std::vector<double> positive = row;
  bool negate = false;
  for (size_t k = row.size(); k-- > 0;)
    if (k % 2 == 1 && std::abs(row[k]) > kZero) {
      negate = row[k] < 0;
      break;
    }
  for (size_t k = 1; k < row.size(); k += 2)
    positive[k] = negate ? -row[k] : row[k];
  const Expr even = every_other(positive, terms, 0);
  const Expr odd = every_other(positive, terms, 1);
  if (!even.defined() || !odd.defined())
    return even.defined() ? even : odd;
  return negate ? even - odd : even + odd;
}

/// A row of A^T times a vector: points 1 and 2, 3 and 4 are a pair a, -a, whose sum or difference
/// several rows share.
Expr output_row(const std::vector<double> &row, const std::vector<Expr> &terms) {
  Expr sum;
  if (std::abs(row.front()) > kZero)
    sum = plus(sum, terms.front(), row.front());
  for (size_t k = 1; k + 2 < row.size(); k += 2) {
    const bool opposite = row[k] * row[k + 1] < 0;
    sum = plus(sum, opposite ? terms[k] - terms[k + 1] : terms[k] + terms[k + 1], row[k]);
  }
  if (std::abs(row.back()) > kZero)
    sum = plus(sum, terms.back(), row.back());
  return sum;
}

/// A row of any other matrix times a vector.
Expr plain_row(const std::vector<double> &row, const std::vector<Expr> &terms) {
  Expr sum;
  for (size_t k = 0; k < row.size(); ++k)
    if (std::abs(row[k]) > kZero)
      sum = plus(sum, terms[k], row[k]);
  return sum;
}

using RowRule = Expr (*)(const std::vector<double> &, const std::vector<Expr> &);

/// Row number `which` of the matrix times term(0), term(1), ...
Expr transformed(const Matrix &matrix, RowRule rule, const Expr &which,
                 const std::function<Expr(int)> &term) {
  std::vector<Expr> terms, rows;
  for (size_t k = 0; k < matrix.front().size(); ++k)
    terms.push_back(term(static_cast<int>(k)));
  for (const std::vector<double> &row : matrix)
    rows.push_back(rule(row, terms));
  return Halide::mux(which, rows);
}

/// x between zeros; any index beyond is a zero, too.
Tensor surrounded(KernelBuilder &k, const Tensor &x, const WinogradAttrs &attrs, int64_t rows,
                  int64_t columns) {
  const Shape &shape = x.type().shape;
  const int top = as_int(attrs.padding[0]), left = as_int(attrs.padding[1]);
  const int channels = as_int(shape[3]);
  const int64_t tile = attrs.tile, overlap = kWinogradTaps - 1;
  const TensorType type{
      ElementType::f32, {shape[0], rows * tile + overlap, columns * tile + overlap, shape[3]}, 0};
  return k.copy(type, "padded", [&](const Index &i) {
    const Expr c = channels % kLanes == 0 ? i[3] : Halide::min(i[3], channels - 1);
    return pixel_or(x, {i[0], i[1] - top, i[2] - left, c}, 0.0F);
  });
}

} // namespace

// u[j,i] = sum over ky, kx of G[j][ky] * G[i][kx] * w[ky,kx], rounded once
void compute_winograd_filter(KernelBuilder &k) {
  const auto &attrs = k.attrs<WinogradFilterAttrs>();
  const Matrix g = winograd_matrices(attrs.tile).filter;
  k.define([&](const Index &i) {
    std::vector<Expr> taps;
    for (int ky = 0; ky < 3; ++ky)
      for (int kx = 0; kx < 3; ++kx)
        taps.push_back(Halide::cast<double>(attrs.turned
                                                ? k.operand(0)({2 - ky, 2 - kx, i[3], i[2]})
                                                : k.operand(0)({ky, kx, i[2], i[3]})));
    const auto point = [&](const std::vector<double> &down, const std::vector<double> &across) {
      Expr sum = Halide::cast<double>(0);
      for (size_t ky = 0; ky < 3; ++ky)
        for (size_t kx = 0; kx < 3; ++kx)
          if (const double factor = down[ky] * across[kx]; std::abs(factor) > kZero)
            sum += Expr(factor) * taps[3 * ky + kx];
      return Halide::cast<float>(sum);
    };
    std::vector<Expr> rows;
    for (const std::vector<double> &down : g) {
      std::vector<Expr> row;
      for (const std::vector<double> &across : g)
        row.push_back(point(down, across));
      rows.push_back(Halide::mux(i[1], row));
    }
    return Halide::mux(i[0], rows);
  });
}

namespace {

/// How the results [N,h,w,o] of a convolution fall into tiles.
struct Tiling {
  Tiling(const WinogradAttrs &attrs, const Shape &results)
      : tile(as_int(attrs.tile)), points(attrs.tile + 2), samples(results[0]),
        rows((results[1] + tile - 1) / tile), columns((results[2] + tile - 1) / tile) {}

  /// Of a stage over tiles.
  TensorType type(int64_t j, int64_t i, int64_t channels) const {
    return {ElementType::f32, {samples, j, i, rows * columns, channels}, 0};
  }

  int tile;
  int64_t points, samples, rows, columns;
};

/// Square tiles of an image, from `step * t` on, multiplied by the matrix from both sides.
Tensor transformed_tiles(KernelBuilder &k, const Tensor &image, const Tiling &tiling,
                         const Matrix &matrix, const std::array<const char *, 2> &roles) {
  const auto points = static_cast<int64_t>(matrix.size());
  const auto size = static_cast<int64_t>(matrix.front().size());
  const int64_t channels = image.type().shape[3];
  const int across = as_int(tiling.columns);
  const Tensor rows = k.copy(tiling.type(size, points, channels), roles[0], [&](const Index &i) {
    const Expr y = i[3] / across * tiling.tile + i[1], x = i[3] % across * tiling.tile;
    return transformed(matrix, input_row, i[2], [&](int tap) {
      return image({i[0], y, x + tap, i[4]});
    });
  });
  return k.copy(tiling.type(points, points, channels), roles[1], [&](const Index &i) {
    return transformed(matrix, input_row, i[1], [&](int tap) {
      return rows({i[0], tap, i[2], i[3], i[4]});
    });
  });
}

Tensor input_tiles(KernelBuilder &k, const WinogradAttrs &attrs, const Tiling &tiling,
                   const Matrix &matrix) {
  const Tensor padded = surrounded(k, k.operand(0), attrs, tiling.rows, tiling.columns);
  return transformed_tiles(k, padded, tiling, matrix, {"columns", "tiles"});
}

} // namespace

void compute_winograd_conv2d(KernelBuilder &k) {
  const auto &attrs = k.attrs<WinogradAttrs>();
  const WinogradMatrices m = winograd_matrices(attrs.tile);
  const Shape &result = k.type().shape;
  const Tiling tiling(attrs, result);
  const int tile = tiling.tile, across = as_int(tiling.columns);
  const int64_t points = tiling.points;
  const int64_t channels = k.operand(0).type().shape[3];
  const Tensor tiles = input_tiles(k, attrs, tiling, m.input);
  const Tensor filter = packed(k, k.operand(1), "filter");
  const Tensor sum =
      k.reduce(Reduction::sum, tiling.type(points, points, result[3]).shape, {as_int(channels)},
               [&](const Index &i, const Index &r) {
                 return tiles({i[0], i[1], i[2], i[3], r[0]}) * filter({i[1], i[2], r[0], i[4]});
               });
  const Tensor folded = k.copy(tiling.type(points, tile, result[3]), "folded", [&](const Index &i) {
    return transformed(m.output, output_row, i[2], [&](int point) {
      return sum({i[0], i[1], point, i[3], i[4]});
    });
  });
  k.define([&](const Index &i) {
    const Expr t = i[1] / tile * across + i[2] / tile;
    return transformed(m.output, output_row, i[1] % tile, [&](int point) {
      return folded({i[0], point, i[2] % tile, t, i[3]});
    });
  });
}

namespace {

/// Products that a chunk's sum has about: enough that the sums' way to memory costs little. A
/// constant, so that the order of summation depends on the shapes and the batch alone.
constexpr int64_t kProductsPerChunk = 192;

Matrix transposed(const Matrix &matrix) {
  Matrix result(matrix.front().size(), std::vector<double>(matrix.size()));
  for (size_t i = 0; i < matrix.size(); ++i)
    for (size_t j = 0; j < matrix[i].size(); ++j)
      result[j][i] = matrix[i][j];
  return result;
}

/// dy with zeros beyond its edges, and behind its last filter up to whole blocks and vectors.
Tensor surrounded_gradient(KernelBuilder &k, const Tensor &dy, const Tiling &tiling) {
  const Shape &shape = dy.type().shape;
  const int64_t block = std::max<int64_t>(k.type().block, 1);
  const int64_t stored = (shape[3] + block - 1) / block * block;
  const int filters = as_int(shape[3]);
  const TensorType type{ElementType::f32,
                        {shape[0], tiling.rows * tiling.tile, tiling.columns * tiling.tile,
                         (stored + kLanes - 1) / kLanes * kLanes},
                        0};
  return k.copy(type, "gradient", [&](const Index &i) {
    const bool whole = stored == filters && filters % kLanes == 0;
    const Expr o = whole ? i[3] : Halide::min(i[3], filters - 1);
    const Expr value = pixel_or(dy, {i[0], i[1], i[2], o}, 0.0F);
    return whole ? value : Halide::select(i[3] < filters, value, 0.0F);
  });
}

/// The sums [j,i,c,o] over all samples and tiles.
Tensor summed_products(KernelBuilder &k, const Tensor &tiles, const Tensor &gradients) {
  const Shape &x = tiles.type().shape;
  const Expr batch = tiles.extent(0);
  const int samples = as_int((kProductsPerChunk + x[3] - 1) / x[3]);
  const Shape total{x[1], x[2], x[4], gradients.type().shape[4]};
  Shape chunked{x[0] == kBatch ? kBatch : (x[0] + samples - 1) / samples};
  chunked.insert(chunked.end(), total.begin(), total.end());
  const Tensor chunk = k.reduce(
      Reduction::sum, chunked, {samples, as_int(x[3])},
      [&](const Index &i, const Index &r) {
        const Expr sample = Halide::min(i[0] * samples + r[0], batch - 1);
        return tiles({sample, i[1], i[2], r[1], i[3]}) *
               gradients({sample, i[1], i[2], r[1], i[4]});
      },
      [&](const Index &i, const Index &r) { return i[0] * samples + r[0] < batch; });
  return k.reduce(Reduction::sum, total, {(batch + samples - 1) / samples},
                  [&](const Index &i, const Index &r) {
                    return chunk({r[0], i[0], i[1], i[2], i[3]});
                  });
}

} // namespace

void compute_winograd_filter_gradient(KernelBuilder &k) {
  const auto &attrs = k.attrs<WinogradGradientAttrs>();
  const WinogradMatrices m = winograd_matrices(attrs.tile);
  const Tensor &dy = k.operand(1);
  const Tiling tiling(attrs, dy.type().shape);
  const Tensor tiles = input_tiles(k, attrs, tiling, m.input);
  const Tensor gradient = surrounded_gradient(k, dy, tiling);
  const Tensor gradients =
      transformed_tiles(k, gradient, tiling, transposed(m.output), {"spread", "spread_tiles"});
  const Tensor total = summed_products(k, tiles, gradients);
  const Shape &sums = total.type().shape;
  const Matrix back = transposed(m.filter);
  const Tensor gathered = k.copy({ElementType::f32, {3, sums[1], sums[2], sums[3]}, 0}, "gathered",
                                 [&](const Index &i) {
                                   return transformed(back, plain_row, i[0], [&](int point) {
                                     return total({point, i[1], i[2], i[3]});
                                   });
                                 });
  k.define([&](const Index &i) {
    return transformed(back, plain_row, i[1], [&](int point) {
      return gathered({i[0], point, i[2], i[3]});
    });
  });
}

} // namespace sinter

// F(2,3) and F(4,3) in both directions, by matrices written out.
#include "backends/reference/reference_ops.h"

#include <algorithm>

namespace sinter::reference {

namespace {

constexpr double kRoot = 1.41421356237309504880;

struct Matrices {
  std::vector<std::vector<double>> input, filter, output; // B^T, G, A^T
};

const Matrices &matrices(int64_t tile) {
  static const Matrices two = {{{-1, 0, 1, 0}, {0, 1, 1, 0}, {0, -1, 1, 0}, {0, -1, 0, 1}},
                               {{-1, 0, 0}, {0.5, 0.5, 0.5}, {0.5, -0.5, 0.5}, {0, 0, 1}},
                               {{1, 1, 1, 0}, {0, 1, -1, 1}}};
  constexpr double s = kRoot;
  static const Matrices four = {{{1, 0, -2.5, 0, 1, 0},
                                 {0, -s, -2, s / 2, 1, 0},
                                 {0, s, -2, -s / 2, 1, 0},
                                 {0, -s / 2, -0.5, s, 1, 0},
                                 {0, s / 2, -0.5, -s, 1, 0},
                                 {0, 1, 0, -2.5, 0, 1}},
                                {{1, 0, 0},
                                 {-2.0 / 3, -s / 3, -1.0 / 3},
                                 {-2.0 / 3, s / 3, -1.0 / 3},
                                 {1.0 / 6, s / 6, 1.0 / 3},
                                 {1.0 / 6, -s / 6, 1.0 / 3},
                                 {0, 0, 1}},
                                {{1, 1, 1, 1, 1, 0},
                                 {0, s / 2, -s / 2, s, -s, 0},
                                 {0, 0.5, 0.5, 2, 2, 0},
                                 {0, s / 4, -s / 4, 2 * s, -2 * s, 1}}};
  return tile == 2 ? two : four;
}

/// Position of element [a,b,c,d] in an array of four dimensions.
int64_t at(const Shape &e, int64_t a, int64_t b, int64_t c, int64_t d) {
  return ((a * e[1] + b) * e[2] + c) * e[3] + d;
}

/// One tile of the input, transformed: [points][points][channels].
std::vector<double> transformed_tile(const Array &x, const WinogradAttrs &attrs, int64_t n,
                                     int64_t top, int64_t left) {
  const Matrices &m = matrices(attrs.tile);
  const auto points = static_cast<int64_t>(m.input.size());
  const Shape e = x.extents();
  std::vector<double> result(static_cast<size_t>(points * points * e[3]));
  for (int64_t dy = 0; dy < points; ++dy)
    for (int64_t dx = 0; dx < points; ++dx) {
      const int64_t y = top + dy - attrs.padding[0], column = left + dx - attrs.padding[1];
      if (y < 0 || y >= e[1] || column < 0 || column >= e[2])
        continue;
      for (int64_t j = 0; j < points; ++j)
        for (int64_t i = 0; i < points; ++i) {
          const double factor = m.input[static_cast<size_t>(j)][static_cast<size_t>(dy)] *
                                m.input[static_cast<size_t>(i)][static_cast<size_t>(dx)];
          for (int64_t c = 0; c < e[3] && factor != 0; ++c)
            result[static_cast<size_t>((j * points + i) * e[3] + c)] +=
                factor * x[at(e, n, y, column, c)];
        }
    }
  return result;
}

/// Adds the tile's products at point (j, i), taken back to the result.
void add_point(const Evaluation &e, const std::vector<double> &products, size_t j, size_t i,
               int64_t n, int64_t top, int64_t left) {
  const Matrices &m = matrices(e.attrs<WinogradAttrs>().tile);
  const Shape result = e.result.extents();
  const auto tile = static_cast<int64_t>(m.output.size());
  for (int64_t y = 0; y < std::min(tile, result[1] - top); ++y)
    for (int64_t x = 0; x < std::min(tile, result[2] - left); ++x) {
      const double factor =
          m.output[static_cast<size_t>(y)][j] * m.output[static_cast<size_t>(x)][i];
      for (int64_t o = 0; o < result[3] && factor != 0; ++o)
        e.result[at(result, n, top + y, left + x, o)] += factor * products[static_cast<size_t>(o)];
    }
}

void filter_tile(const Evaluation &e, int64_t n, int64_t top, int64_t left) {
  const Array &u = e.operand(1);
  const Shape filter = u.extents();
  const std::vector<double> tile =
      transformed_tile(e.operand(0), e.attrs<WinogradAttrs>(), n, top, left);
  for (int64_t j = 0; j < filter[0]; ++j)
    for (int64_t i = 0; i < filter[1]; ++i) {
      std::vector<double> products(static_cast<size_t>(filter[3]));
      for (int64_t c = 0; c < filter[2]; ++c) {
        const double value = tile[static_cast<size_t>((j * filter[1] + i) * filter[2] + c)];
        for (int64_t o = 0; o < filter[3]; ++o)
          products[static_cast<size_t>(o)] += value * u[at(filter, j, i, c, o)];
      }
      add_point(e, products, static_cast<size_t>(j), static_cast<size_t>(i), n, top, left);
    }
}

} // namespace

// u = G w G^T for each pair of channels
void winograd_filter(const Evaluation &e) {
  const auto &attrs = e.attrs<WinogradFilterAttrs>();
  const Matrices &m = matrices(attrs.tile);
  const Array &w = e.operand(0);
  const Shape taps = w.extents(), result = e.result.extents();
  for (int64_t j = 0; j < result[0]; ++j)
    for (int64_t i = 0; i < result[1]; ++i)
      for (int64_t c = 0; c < result[2]; ++c)
        for (int64_t o = 0; o < result[3]; ++o)
          for (int64_t ky = 0; ky < taps[0]; ++ky)
            for (int64_t kx = 0; kx < taps[1]; ++kx)
              e.result[at(result, j, i, c, o)] +=
                  m.filter[static_cast<size_t>(j)][static_cast<size_t>(ky)] *
                  m.filter[static_cast<size_t>(i)][static_cast<size_t>(kx)] *
                  (attrs.turned ? w[at(taps, 2 - ky, 2 - kx, o, c)] : w[at(taps, ky, kx, c, o)]);
}

// y = A^T (sum over c of u * (B^T d B)) A for each tile d of the padded input
void winograd_conv2d(const Evaluation &e) {
  const int64_t tile = e.attrs<WinogradAttrs>().tile;
  const Shape result = e.result.extents();
  for (int64_t n = 0; n < result[0]; ++n)
    for (int64_t top = 0; top < result[1]; top += tile)
      for (int64_t left = 0; left < result[2]; left += tile)
        filter_tile(e, n, top, left);
}

namespace {

/// One tile of dy, taken to the points: A dy A^T, [points][points][filters].
std::vector<double> spread_tile(const Array &dy, int64_t tile, int64_t n, int64_t top,
                                int64_t left) {
  const Matrices &m = matrices(tile);
  const Shape e = dy.extents();
  const auto points = static_cast<int64_t>(m.input.size());
  std::vector<double> result(static_cast<size_t>(points * points * e[3]));
  for (int64_t y = 0; y < std::min(tile, e[1] - top); ++y)
    for (int64_t x = 0; x < std::min(tile, e[2] - left); ++x)
      for (int64_t j = 0; j < points; ++j)
        for (int64_t i = 0; i < points; ++i) {
          const double factor = m.output[static_cast<size_t>(y)][static_cast<size_t>(j)] *
                                m.output[static_cast<size_t>(x)][static_cast<size_t>(i)];
          for (int64_t o = 0; o < e[3] && factor != 0; ++o)
            result[static_cast<size_t>((j * points + i) * e[3] + o)] +=
                factor * dy[at(e, n, top + y, left + x, o)];
        }
  return result;
}

/// dw += G^T (d * dy) G for one tile, both at the points.
void add_tile(const Evaluation &e, const std::vector<double> &d, const std::vector<double> &dy) {
  const Matrices &m = matrices(e.attrs<WinogradGradientAttrs>().tile);
  const Shape dw = e.result.extents();
  const size_t points = m.input.size();
  for (int64_t ky = 0; ky < 3; ++ky)
    for (int64_t kx = 0; kx < 3; ++kx)
      for (size_t j = 0; j < points; ++j)
        for (size_t i = 0; i < points; ++i) {
          const double factor =
              m.filter[j][static_cast<size_t>(ky)] * m.filter[i][static_cast<size_t>(kx)];
          const auto point = static_cast<int64_t>(j * points + i);
          for (int64_t c = 0; c < dw[2] && factor != 0; ++c)
            for (int64_t o = 0; o < dw[3]; ++o)
              e.result[at(dw, ky, kx, c, o)] += factor * d[static_cast<size_t>(point * dw[2] + c)] *
                                                dy[static_cast<size_t>(point * dw[3] + o)];
        }
}

} // namespace

// dw = G^T (sum over tiles of (B^T d B) * (A dy A^T)) G
void winograd_filter_gradient(const Evaluation &e) {
  const auto &attrs = e.attrs<WinogradGradientAttrs>();
  const Array &dy = e.operand(1);
  const Shape extents = dy.extents();
  for (int64_t n = 0; n < extents[0]; ++n)
    for (int64_t top = 0; top < extents[1]; top += attrs.tile)
      for (int64_t left = 0; left < extents[2]; left += attrs.tile)
        add_tile(e, transformed_tile(e.operand(0), attrs, n, top, left),
                 spread_tile(dy, attrs.tile, n, top, left));
}

} // namespace sinter::reference

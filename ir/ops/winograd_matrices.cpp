// By Toom and Cook: a product of polynomials is its values at n - 1 points and at infinity,
// multiplied point by point; filtering is the transpose of that product. With points a_j,
//
//   A^T[i][j] = a_j^i                  and 1 in the last row's last column
//   G[j][i]   = a_j^i / N_j            N_j = product over k != j of (a_j - a_k)
//   B^T[j]    = coefficients of the product over k != j of (x - a_k), of all k in the last row
//
// (Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks", 2016; with the points
// +-1/sqrt(2), +-sqrt(2) rounding errors are a quarter of those with +-1, +-2: 3e-6 of the largest
// result at 512 channels instead of 1.2e-5.)
#include "ir/ops/winograd_matrices.h"

#include "ir/diagnostics.h"

#include <cmath>

namespace sinter {

namespace {

constexpr auto kTaps = static_cast<size_t>(kWinogradTaps);

std::vector<double> finite_points(int64_t tile) {
  const double root = std::sqrt(2.0);
  SINTER_ASSERT(tile == 2 || tile == 4, "Winograd tile {}", tile);
  return tile == 2 ? std::vector<double>{0, 1, -1}
                   : std::vector<double>{0, root / 2, -root / 2, root, -root};
}

/// The coefficients of the product of (x - point), constant term first, without points[skip].
std::vector<double> product_of_roots(const std::vector<double> &points, size_t skip) {
  std::vector<double> coefficients{1};
  for (size_t k = 0; k < points.size(); ++k) {
    if (k == skip)
      continue;
    std::vector<double> next(coefficients.size() + 1);
    for (size_t i = 0; i < coefficients.size(); ++i) {
      next[i + 1] += coefficients[i];
      next[i] -= coefficients[i] * points[k];
    }
    coefficients = next;
  }
  return coefficients;
}

} // namespace

WinogradMatrices winograd_matrices(int64_t tile) {
  const std::vector<double> points = finite_points(tile);
  const auto results = static_cast<size_t>(tile);
  const size_t n = results + kTaps - 1;
  WinogradMatrices m{Matrix(n, std::vector<double>(n)), Matrix(n, std::vector<double>(kTaps)),
                     Matrix(results, std::vector<double>(n))};
  for (size_t j = 0; j < n; ++j) {
    const std::vector<double> roots = product_of_roots(points, j);
    std::copy(roots.begin(), roots.end(), m.input[j].begin());
  }
  for (size_t j = 0; j + 1 < n; ++j) {
    double norm = 1;
    for (size_t k = 0; k + 1 < n; ++k)
      norm *= k == j ? 1 : points[j] - points[k];
    for (size_t i = 0; i < kTaps; ++i)
      m.filter[j][i] = std::pow(points[j], i) / norm;
    for (size_t i = 0; i < results; ++i)
      m.output[i][j] = std::pow(points[j], i);
  }
  m.filter[n - 1][kTaps - 1] = 1;
  m.output[results - 1][n - 1] = 1;
  return m;
}

} // namespace sinter

// The matrices of Winograd's minimal filtering F(m, 3): y = A^T ((G g) * (B^T d)) for m results y
// of a filter g with 3 taps over m + 2 inputs d.
#pragma once

#include <cstdint>
#include <vector>

namespace sinter {

/// A filter's, in each direction.
constexpr int64_t kWinogradTaps = 3;

using Matrix = std::vector<std::vector<double>>; // [row][column]

struct WinogradMatrices {
  Matrix input;  // B^T, (m + 2) x (m + 2)
  Matrix filter; // G, (m + 2) x 3
  Matrix output; // A^T, m x (m + 2)
};

/// `tile` is m: 2 or 4.
WinogradMatrices winograd_matrices(int64_t tile);

} // namespace sinter

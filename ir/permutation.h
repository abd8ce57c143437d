// Orders of dimensions, as a transpose has one: result dimension i is operand dimension order[i].
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <vector>

namespace sinter {

using Permutation = std::vector<int64_t>;

/// Result element i is x[order[i]]. Of another permutation: the order of two transposes in a row.
template <typename T> std::vector<T> permuted(const std::vector<T> &x, const Permutation &order) {
  std::vector<T> result;
  for (int64_t i : order)
    result.push_back(x[static_cast<size_t>(i)]);
  return result;
}

/// What undoes the permutation.
inline Permutation inverse(const Permutation &permutation) {
  Permutation result(permutation.size());
  for (size_t i = 0; i < permutation.size(); ++i)
    result[static_cast<size_t>(permutation[i])] = static_cast<int64_t>(i);
  return result;
}

inline bool is_identity(const Permutation &permutation) {
  return std::is_sorted(permutation.begin(), permutation.end());
}

inline Permutation identity_order(int rank) {
  Permutation order(static_cast<size_t>(rank));
  std::iota(order.begin(), order.end(), 0);
  return order;
}

/// The last dimension behind the first: from [n, ..., c] to [n, c, ...].
inline Permutation channels_first_order(int rank) {
  Permutation order = identity_order(rank);
  if (rank > 2)
    std::rotate(order.begin() + 1, order.end() - 1, order.end());
  return order;
}

/// From [n, c, ...] to [n, ..., c].
inline Permutation channels_last_order(int rank) { return inverse(channels_first_order(rank)); }

} // namespace sinter

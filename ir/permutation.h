// Orders of dimensions, as a transpose has one: result dimension i is operand dimension order[i].
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
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

} // namespace sinter

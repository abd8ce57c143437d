// Elements of a dense array in another order: slices, permutations and repetitions.
#pragma once

#include "ir/permutation.h"
#include "ir/type.h"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace sinter {

/// How far apart neighbours of each dimension lie, in elements.
inline std::vector<int64_t> row_major_strides(const Shape &shape) {
  std::vector<int64_t> strides(shape.size(), 1);
  for (size_t d = shape.size(); d-- > 1;)
    strides[d - 1] = strides[d] * shape[d];
  return strides;
}

/// stored[offset + sum of index[d] * strides[d]] for every index below `shape`, in row-major order.
/// The view must lie inside of `stored`, and have no more elements than a tensor may.
template <typename T>
std::vector<T> strided_view(const std::vector<T> &stored, const Shape &shape,
                            const std::vector<int64_t> &strides, int64_t offset = 0) {
  int64_t count = 1;
  for (const int64_t extent : shape)
    count *= extent;
  std::vector<T> values;
  values.reserve(static_cast<size_t>(count));
  std::vector<int64_t> index(shape.size(), 0);
  while (static_cast<int64_t>(values.size()) < count) {
    values.push_back(stored[static_cast<size_t>(offset)]);
    for (size_t d = shape.size(); d-- > 0;) { // carry
      offset += strides[d];
      if (++index[d] < shape[d])
        break;
      offset -= strides[d] * shape[d];
      index[d] = 0;
    }
  }
  return values;
}

/// The elements with the dimensions in another order.
template <typename T>
std::vector<T> transposed(const std::vector<T> &stored, const Shape &shape,
                          const Permutation &order) {
  return strided_view(stored, permuted(shape, order), permuted(row_major_strides(shape), order));
}

} // namespace sinter

// A value of the reference interpreter: a tensor of doubles in logical row-major order.
#pragma once

#include "ir/type.h"

#include <cstdint>
#include <vector>

namespace sinter {

/// `values` holds the logical elements, row-major, whatever storage block the type names; i32 and
/// u8 elements are exact in a double.
struct Array {
  TensorType type;
  int64_t batch = 1; // what kBatch stands for
  std::vector<double> values;

  Array() = default;
  /// All zeros.
  Array(TensorType array_type, int64_t batch_extent);

  /// The logical extents with the batch filled in.
  Shape extents() const;
  int64_t size() const { return static_cast<int64_t>(values.size()); }
  double &operator[](int64_t i) { return values[static_cast<size_t>(i)]; }
  double operator[](int64_t i) const { return values[static_cast<size_t>(i)]; }
};

/// `shape` with the batch filled in.
Shape with_batch(Shape shape, int64_t batch);
int64_t element_count(const Shape &extents);
/// Row-major strides, in elements.
std::vector<int64_t> row_major_strides(const Shape &extents);

/// Calls visit(offset) for every index of `extents` in row-major order, where
/// offset = sum of index[i] * strides[i]. The innermost dimension is a plain loop.
template <typename F>
void for_each_offset(const Shape &extents, const std::vector<int64_t> &strides, F &&visit) {
  if (extents.empty()) {
    visit(int64_t{0});
    return;
  }
  const size_t last = extents.size() - 1;
  std::vector<int64_t> index(extents.size(), 0);
  int64_t base = 0;
  while (true) {
    for (int64_t i = 0; i < extents[last]; ++i)
      visit(base + i * strides[last]);
    size_t dimension = last;
    while (dimension > 0) { // carry
      --dimension;
      base += strides[dimension];
      if (++index[dimension] < extents[dimension])
        break;
      base -= extents[dimension] * strides[dimension];
      index[dimension] = 0;
      if (dimension == 0)
        return;
    }
    if (last == 0)
      return;
  }
}

} // namespace sinter

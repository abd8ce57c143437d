// A tensor in the storage that kernels use: packed blocks, float32, guarded on both sides.
#pragma once

#include "backends/reference/array.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

namespace sinter {

/// Memory for one tensor of a type at a batch, aligned to a cache line. A fresh one holds a
/// pattern of signalling bytes, so that elements a kernel forgets show as NaN, and carries guard
/// bytes before and after that writes out of bounds would change.
///
/// With a pitch, rows (along the last dimension) lie that many elements apart, as part of the rows
/// of a larger value, whose other elements hold the pattern, too, and are guarded as well.
class PackedBuffer {
public:
  PackedBuffer(const TensorType &, int64_t batch, int64_t pitch = 0);

  void *data() const;
  /// From logical row-major doubles, rounded to the element type; padding lanes become zero.
  void pack(const Array &);
  /// Back to logical row-major.
  Array unpack() const;

  /// What is wrong with the memory beyond the logical elements: a write outside the tensor, or a
  /// padding lane that is not zero. "" when nothing is.
  std::string damage() const;

  /// Elements as stored, padding lanes included, those between the rows left out.
  int64_t storage_count() const;

private:
  int64_t row() const { return type_.shape.empty() ? 1 : type_.shape.back(); }
  int64_t elements_in_memory() const;
  unsigned char *address(int64_t i) const; // of the i-th element as stored
  double load(int64_t i) const;
  void store(int64_t i, double value);
  std::string damage_between_rows() const;

  TensorType type_;
  int64_t batch_;
  int64_t pitch_; // 0: rows follow each other
  size_t bytes_;
  std::unique_ptr<unsigned char[]> memory_;
  size_t offset_; // of the tensor in memory_
};

/// Calls visit(logical index, storage index) for every logical element. Storage of a blocked type
/// is [ceil(last/block)][...][block].
template <typename F> void for_each_stored(const TensorType &type, int64_t batch, F &&visit) {
  const Shape extents = with_batch(type.shape, batch);
  const int64_t last = extents.empty() ? 1 : extents.back();
  const int64_t rows = element_count(extents) / last;
  for (int64_t row = 0; row < rows; ++row)
    for (int64_t i = 0; i < last; ++i)
      visit(row * last + i, type.block == 0
                                ? row * last + i
                                : (i / type.block * rows + row) * type.block + i % type.block);
}

} // namespace sinter

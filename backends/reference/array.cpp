#include "backends/reference/array.h"

namespace sinter {

Array::Array(TensorType array_type, int64_t batch_extent)
    : type(std::move(array_type)), batch(batch_extent),
      values(static_cast<size_t>(element_count(with_batch(type.shape, batch_extent))), 0.0) {}

Shape Array::extents() const { return with_batch(type.shape, batch); }

Shape with_batch(Shape shape, int64_t batch) {
  if (!shape.empty() && shape[0] == kBatch)
    shape[0] = batch;
  return shape;
}

int64_t element_count(const Shape &extents) {
  int64_t count = 1;
  for (int64_t extent : extents)
    count *= extent;
  return count;
}

std::vector<int64_t> row_major_strides(const Shape &extents) {
  std::vector<int64_t> strides(extents.size(), 1);
  for (size_t i = extents.size(); i > 1; --i)
    strides[i - 2] = strides[i - 1] * extents[i - 1];
  return strides;
}

} // namespace sinter

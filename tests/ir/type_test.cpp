#include "ir/type.h"

#include <doctest/doctest.h>

using namespace sinter;

TEST_CASE("a blocked type stores its last dimension in padded blocks, outermost") {
  const TensorType filter{ElementType::f32, {3, 3, 8, 20}, 16};
  CHECK(filter.str() == "f32[3,3,8,20; block=16]");
  CHECK(filter.elements() == 3 * 3 * 8 * 20);
  CHECK(filter.storage_shape() == Shape{2, 3, 3, 8, 16});
  CHECK(filter.storage_bytes() == 2 * 3 * 3 * 8 * 16 * 4);
}

TEST_CASE("a batched type counts per sample") {
  const TensorType image{ElementType::u8, {kBatch, 28, 28, 1}};
  CHECK(image.str() == "u8[N,28,28,1]");
  CHECK(image.batched());
  CHECK(image.elements() == 784);
  CHECK(image.storage_bytes() == 784);
}

TEST_CASE("a scalar has one element") {
  const TensorType scalar{ElementType::f32, {}};
  CHECK(scalar.str() == "f32[]");
  CHECK(scalar.elements() == 1);
  CHECK_FALSE(scalar.batched());
}

TEST_CASE("element counts beyond the limit, and empty extents, are refused") {
  CHECK(checked_element_count({65536, 32767}) == 65536LL * 32767);
  CHECK_FALSE(checked_element_count({65536, 32768}));
  CHECK_FALSE(checked_element_count({int64_t{1} << 62, 4}));
  CHECK_FALSE(checked_element_count({3, 0}));
  CHECK_FALSE(checked_element_count({3, -2}));
  CHECK_FALSE(checked_element_count({3, kBatch})); // only dimension 0 may be the batch
  CHECK(checked_element_count({kBatch, 7}) == 7);
}

TEST_CASE("broadcasting follows NumPy") {
  CHECK(broadcast_shapes({kBatch, 4, 4, 8}, {8}) == Shape{kBatch, 4, 4, 8});
  CHECK(broadcast_shapes({kBatch, 1, 1, 8}, {kBatch, 4, 5, 8}) == Shape{kBatch, 4, 5, 8});
  CHECK(broadcast_shapes({}, {3}) == Shape{3});
  CHECK_FALSE(broadcast_shapes({3}, {4}));
  CHECK_FALSE(broadcast_shapes({kBatch, 3}, {5, 3}));
}

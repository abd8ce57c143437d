#include "backends/verify/packed_buffer.h"

#include <cstring>
#include <doctest/doctest.h>

using namespace sinter;

namespace {

const TensorType kBlocked{ElementType::f32, {2, 3}, 2}; // stored as [2][2][2], one lane of padding

Array counted() {
  Array array(kBlocked, 1);
  for (int64_t i = 0; i < array.size(); ++i)
    array[i] = static_cast<double>(i + 1);
  return array;
}

float *floats(PackedBuffer &buffer) { return static_cast<float *>(buffer.data()); }

} // namespace

TEST_CASE("a blocked tensor is packed block by block and comes back") {
  PackedBuffer buffer(kBlocked, 1);
  buffer.pack(counted());
  const float expected[] = {1, 2, 4, 5, 3, 0, 6, 0};
  CHECK(std::memcmp(buffer.data(), expected, sizeof expected) == 0);
  CHECK(buffer.unpack().values == counted().values);
  CHECK(buffer.damage().empty());
}

TEST_CASE("what a kernel forgot to write is not a number") {
  const PackedBuffer buffer({ElementType::f32, {kBatch, 3}, 0}, 2);
  for (double value : buffer.unpack().values)
    CHECK(value != value);
}

TEST_CASE("damage is found on both sides and in the padding lanes") {
  PackedBuffer past(kBlocked, 1);
  past.pack(counted());
  floats(past)[8] = 1;
  CHECK(past.damage() == "wrote 1 bytes past the tensor");
  PackedBuffer before(kBlocked, 1);
  before.pack(counted());
  floats(before)[-1] = 1;
  CHECK(before.damage().find("before the tensor") != std::string::npos);
  PackedBuffer lane(kBlocked, 1);
  lane.pack(counted());
  floats(lane)[5] = 0.5F;
  CHECK(lane.damage() == "padding lane at storage element 5 is 0.5, not 0");
}

TEST_CASE("rows that lie apart are packed, come back, and what is between them is guarded") {
  PackedBuffer buffer({ElementType::f32, {kBatch, 3}, 0}, 2, 5);
  Array array({ElementType::f32, {kBatch, 3}, 0}, 2);
  for (int64_t i = 0; i < array.size(); ++i)
    array[i] = static_cast<double>(i + 1);
  buffer.pack(array);
  CHECK(buffer.unpack().values == array.values);
  CHECK(floats(buffer)[2] == 3);
  CHECK(floats(buffer)[5] == 4);
  CHECK(buffer.damage().empty());
  float *between = floats(buffer) + 4;
  *between = 0;
  CHECK(buffer.damage() == "wrote 8 bytes past row 0 of 12 bytes");
}

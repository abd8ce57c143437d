#include "backends/verify/packed_buffer.h"

#include "ir/diagnostics.h"
#include "runtime/sinter_runtime.h"

#include <cstring>
#include <vector>

namespace sinter {

namespace {

constexpr size_t kGuard = 256; // bytes on each side, also what keeps the tensor aligned
constexpr size_t kAlignment = SINTER_ALIGNMENT; // as in programs
constexpr unsigned char kPattern = 0xFF;        // float32: a NaN

template <typename T> double load_as(const unsigned char *at) {
  T value;
  std::memcpy(&value, at, sizeof value);
  return static_cast<double>(value);
}

template <typename T> void store_as(unsigned char *at, double value) {
  const T converted = static_cast<T>(value);
  std::memcpy(at, &converted, sizeof converted);
}

} // namespace

PackedBuffer::PackedBuffer(const TensorType &type, int64_t batch, int64_t pitch)
    : type_(type), batch_(batch), pitch_(pitch),
      bytes_(static_cast<size_t>(elements_in_memory() * byte_size(type.element))),
      memory_(new unsigned char[bytes_ + 2 * kGuard + kAlignment]) {
  std::memset(memory_.get(), kPattern, bytes_ + 2 * kGuard + kAlignment);
  const auto address = reinterpret_cast<uintptr_t>(memory_.get()) + kGuard;
  offset_ = kGuard + (kAlignment - address % kAlignment) % kAlignment;
}

int64_t PackedBuffer::storage_count() const {
  return type_.storage_elements() * (type_.batched() ? batch_ : 1);
}

/// A row ends the buffer: what follows it in a larger value, the guard behind it stands for.
int64_t PackedBuffer::elements_in_memory() const {
  return pitch_ == 0 ? storage_count() : (storage_count() / row() - 1) * pitch_ + row();
}

void *PackedBuffer::data() const { return memory_.get() + offset_; }

unsigned char *PackedBuffer::address(int64_t i) const {
  const int64_t element = pitch_ == 0 ? i : i / row() * pitch_ + i % row();
  return memory_.get() + offset_ + element * byte_size(type_.element);
}

double PackedBuffer::load(int64_t i) const {
  const unsigned char *at = address(i);
  switch (type_.element) {
  case ElementType::f32:
    return load_as<float>(at);
  case ElementType::i32:
    return load_as<int32_t>(at);
  case ElementType::u8:
    return load_as<uint8_t>(at);
  }
  SINTER_UNREACHABLE("element type {}", static_cast<int>(type_.element));
}

void PackedBuffer::store(int64_t i, double value) {
  unsigned char *at = address(i);
  switch (type_.element) {
  case ElementType::f32:
    return store_as<float>(at, value);
  case ElementType::i32:
    return store_as<int32_t>(at, value);
  case ElementType::u8:
    return store_as<uint8_t>(at, value);
  }
}

void PackedBuffer::pack(const Array &array) {
  SINTER_ASSERT(array.extents() == with_batch(type_.shape, batch_), "{} packed as {}",
                str(array.extents()), type_.str());
  if (pitch_ == 0)
    std::memset(data(), 0, bytes_);
  for_each_stored(type_, batch_,
                  [&](int64_t logical, int64_t stored) { store(stored, array[logical]); });
}

Array PackedBuffer::unpack() const {
  Array array(type_, batch_);
  for_each_stored(type_, batch_,
                  [&](int64_t logical, int64_t stored) { array[logical] = load(stored); });
  return array;
}

std::string PackedBuffer::damage() const {
  for (size_t i = 0; i < kGuard; ++i) {
    if (memory_[offset_ - 1 - i] != kPattern)
      return fmt::format("wrote {} bytes before the tensor", i + 1);
    if (memory_[offset_ + bytes_ + i] != kPattern)
      return fmt::format("wrote {} bytes past the tensor", i + 1);
  }
  if (pitch_ > 0)
    return damage_between_rows();
  std::vector<bool> logical(static_cast<size_t>(storage_count()), false);
  for_each_stored(type_, batch_,
                  [&](int64_t, int64_t stored) { logical[static_cast<size_t>(stored)] = true; });
  for (int64_t i = 0; i < storage_count(); ++i)
    if (!logical[static_cast<size_t>(i)] && load(i) != 0)
      return fmt::format("padding lane at storage element {} is {}, not 0", i, load(i));
  return "";
}

std::string PackedBuffer::damage_between_rows() const {
  const int64_t row_bytes = row() * byte_size(type_.element);
  const int64_t gap = (pitch_ - row()) * byte_size(type_.element);
  for (int64_t i = row(); i < storage_count(); i += row())
    for (int64_t byte = 1; byte <= gap; ++byte)
      if (*(address(i) - byte) != kPattern)
        return fmt::format("wrote {} bytes past row {} of {} bytes", gap - byte + 1, i / row() - 1,
                           row_bytes);
  return "";
}

} // namespace sinter

// How numbers are stored in files of weights.
#include "frontend/weight_file.h"
#include "ir/diagnostics.h"
#include "ir/strided_view.h"

#include <cstring>
#include <map>

namespace sinter {

namespace {

template <typename Stored, typename Convert>
std::vector<float> convert(std::string_view bytes, Convert to_float) {
  std::vector<float> values(bytes.size() / sizeof(Stored));
  for (size_t i = 0; i < values.size(); ++i) {
    Stored stored;
    std::memcpy(&stored, bytes.data() + i * sizeof(Stored), sizeof(Stored));
    values[i] = to_float(stored);
  }
  return values;
}

template <typename Stored> std::vector<float> convert(std::string_view bytes) {
  return convert<Stored>(bytes, [](Stored value) { return static_cast<float>(value); });
}

/// IEEE 754 binary16: 1 sign, 5 exponent and 10 fraction bits.
float from_f16(uint16_t half) {
  const uint32_t sign = (half & 0x8000U) << 16U;
  const uint32_t exponent = (half >> 10U) & 0x1FU;
  const uint32_t fraction = half & 0x3FFU;
  if (exponent == 0) { // zero and subnormal numbers: fraction * 2^-24
    const float value = static_cast<float>(fraction) * 0x1p-24F;
    return sign != 0 ? -value : value;
  }
  const uint32_t bits =
      sign | (exponent == 0x1F ? 0x7F800000U : (exponent + 112) << 23U) | fraction << 13U;
  float value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

/// The upper half of a binary32.
float from_bf16(uint16_t half) {
  const uint32_t bits = static_cast<uint32_t>(half) << 16U;
  float value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

} // namespace

std::optional<NumberFormat> numpy_format(std::string_view code) {
  static const std::map<std::string_view, NumberFormat> formats = {
      {"f2", NumberFormat::f16}, {"f4", NumberFormat::f32}, {"f8", NumberFormat::f64},
      {"i1", NumberFormat::i8},  {"u1", NumberFormat::u8},  {"i2", NumberFormat::i16},
      {"u2", NumberFormat::u16}, {"i4", NumberFormat::i32}, {"u4", NumberFormat::u32},
      {"i8", NumberFormat::i64}, {"u8", NumberFormat::u64}};
  const auto found = formats.find(code);
  return found == formats.end() ? std::nullopt : std::optional(found->second);
}

int64_t byte_size(NumberFormat format) {
  static constexpr int64_t kSizes[] = {2, 2, 4, 8, 1, 1, 2, 2, 4, 4, 8, 8};
  return kSizes[static_cast<size_t>(format)];
}

const char *name(NumberFormat format) {
  static constexpr const char *kNames[] = {"f16", "bf16", "f32", "f64", "i8",  "u8",
                                           "i16", "u16",  "i32", "u32", "i64", "u64"};
  return kNames[static_cast<size_t>(format)];
}

std::vector<float> to_floats(std::string_view bytes, NumberFormat format) {
  switch (format) {
  case NumberFormat::f16:
    return convert<uint16_t>(bytes, from_f16);
  case NumberFormat::bf16:
    return convert<uint16_t>(bytes, from_bf16);
  case NumberFormat::f32:
    return convert<float>(bytes);
  case NumberFormat::f64:
    return convert<double>(bytes);
  case NumberFormat::i8:
    return convert<int8_t>(bytes);
  case NumberFormat::u8:
    return convert<uint8_t>(bytes);
  case NumberFormat::i16:
    return convert<int16_t>(bytes);
  case NumberFormat::u16:
    return convert<uint16_t>(bytes);
  case NumberFormat::i32:
    return convert<int32_t>(bytes);
  case NumberFormat::u32:
    return convert<uint32_t>(bytes);
  case NumberFormat::i64:
    return convert<int64_t>(bytes);
  case NumberFormat::u64:
    return convert<uint64_t>(bytes);
  }
  SINTER_UNREACHABLE("number format {}", static_cast<int>(format));
}

std::optional<int64_t> extent_product(const Shape &shape) {
  int64_t count = 1;
  for (const int64_t extent : shape)
    if (extent < 0 || __builtin_mul_overflow(count, extent, &count) || count > kMaxElements)
      return std::nullopt;
  return count;
}

std::vector<float> from_column_major(const std::vector<float> &stored, const Shape &shape) {
  std::vector<int64_t> strides;
  int64_t stride = 1;
  for (const int64_t extent : shape) {
    strides.push_back(stride);
    stride *= extent;
  }
  return strided_view(stored, shape, strides);
}

} // namespace sinter

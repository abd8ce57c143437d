#include "backends/reference/bf16.h"

#include "backends/reference/reference_ops.h"

#include <algorithm>
#include <cstring>

namespace sinter {

namespace {

uint32_t bits_of(double number) {
  const auto single = static_cast<float>(number);
  uint32_t bits = 0;
  std::memcpy(&bits, &single, sizeof bits);
  return bits;
}

double number_of(uint32_t bits) {
  float single = 0;
  std::memcpy(&single, &bits, sizeof single);
  return static_cast<double>(single);
}

} // namespace

// Scaled so that the last significant bit is worth 1. Below 2^-126 that bit keeps its place.
double round_to_bf16(double x) {
  constexpr int kSignificant = 8, kLeastExponent = -126;
  if (x == 0 || !std::isfinite(x))
    return x;
  const int last = std::max(std::ilogb(x), kLeastExponent) - (kSignificant - 1);
  const double rounded = std::ldexp(std::nearbyint(std::ldexp(x, -last)), last);
  return static_cast<double>(static_cast<float>(rounded)); // infinite where it is too large
}

int32_t bf16_pair(double first, double second) {
  const uint32_t bits = bits_of(first) >> 16U | (bits_of(second) & 0xffff0000U);
  return static_cast<int32_t>(bits);
}

double first_of_pair(int32_t pair) { return number_of(static_cast<uint32_t>(pair) << 16U); }

double second_of_pair(int32_t pair) { return number_of(static_cast<uint32_t>(pair) & 0xffff0000U); }

} // namespace sinter

namespace sinter::reference {

namespace {

/// The number of a channel in the column of pairs that begins at `first`.
double channel_of_pairs(const Array &pairs, int64_t first, int64_t columns, int64_t channel) {
  const auto pair = static_cast<int32_t>(pairs[first + channel / 2 * columns]);
  return channel % 2 == 0 ? first_of_pair(pair) : second_of_pair(pair);
}

} // namespace

// Pairs of channels, those beyond the last one zero.
void bf16_filter(const Evaluation &e) {
  const Array &w = e.operand(0);
  const Shape from = w.extents(), to = e.result.extents();
  const bool turned = e.attrs<Bf16FilterAttrs>().turned;
  const int64_t columns = to.back(), channels = from[from.size() - (turned ? 1 : 2)];
  const int64_t pairs = to[to.size() - 2], taps = w.size() / (channels * columns);
  for (int64_t tap = 0; tap < taps; ++tap)
    for (int64_t pair = 0; pair < pairs; ++pair)
      for (int64_t o = 0; o < columns; ++o) {
        const auto number = [&](int64_t channel) {
          const int64_t place = turned ? ((taps - 1 - tap) * columns + o) * channels + channel
                                       : (tap * channels + channel) * columns + o;
          return channel < channels ? round_to_bf16(w[place]) : 0.0;
        };
        e.result[(tap * pairs + pair) * columns + o] =
            bf16_pair(number(2 * pair), number(2 * pair + 1));
      }
}

namespace {

Array rounded(const Array &x) {
  Array result = x;
  for (double &value : result.values)
    value = round_to_bf16(value);
  return result;
}

} // namespace

// As conv2d of the rounded input and the numbers of the pairs.
void bf16_conv2d(const Evaluation &e) {
  const Array &x = e.operand(0), &pairs = e.operand(1);
  const Shape image = x.extents(), packed = pairs.extents();
  Array filter({ElementType::f32, {packed[0], packed[1], image[3], packed[3]}}, 1);
  for (int64_t tap = 0; tap < packed[0] * packed[1]; ++tap)
    for (int64_t c = 0; c < image[3]; ++c)
      for (int64_t o = 0; o < packed[3]; ++o)
        filter[(tap * image[3] + c) * packed[3] + o] =
            channel_of_pairs(pairs, tap * packed[2] * packed[3] + o, packed[3], c);
  const Array image_numbers = rounded(x);
  const std::vector<const Array *> operands{&image_numbers, &filter};
  conv2d({e.node, operands, e.result});
}

// As matmul of the same.
void bf16_matmul(const Evaluation &e) {
  const Array &x = e.operand(0), &pairs = e.operand(1);
  const Shape rows = x.extents(), result = e.result.extents();
  for (int64_t i = 0; i < rows[0]; ++i)
    for (int64_t c = 0; c < rows[1]; ++c) {
      const double value = round_to_bf16(x[i * rows[1] + c]);
      for (int64_t o = 0; o < result[1]; ++o)
        e.result[i * result[1] + o] += value * channel_of_pairs(pairs, o, result[1], c);
    }
}

// As conv2d_filter_gradient of the rounded operands.
void bf16_filter_gradient(const Evaluation &e) {
  const Array x = rounded(e.operand(0)), dy = rounded(e.operand(1));
  const std::vector<const Array *> operands{&x, &dy};
  conv2d_filter_gradient({e.node, operands, e.result});
}

// dw[i, o] = sum over the rows of x[row, i] * dy[row, o].
void bf16_matmul_gradient(const Evaluation &e) {
  const Array x = rounded(e.operand(0)), dy = rounded(e.operand(1));
  const Shape rows = x.extents(), result = e.result.extents();
  for (int64_t row = 0; row < rows[0]; ++row)
    for (int64_t i = 0; i < result[0]; ++i)
      for (int64_t o = 0; o < result[1]; ++o)
        e.result[i * result[1] + o] += x[row * result[0] + i] * dy[row * result[1] + o];
}

} // namespace sinter::reference

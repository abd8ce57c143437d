// Softmax, batch normalisation and dropout.
#include "backends/reference/reference_ops.h"

#include <array>
#include <cmath>

namespace sinter::reference {

namespace {

/// Philox4x32-10, after Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as
/// 1, 2, 3" (SC 2011).
std::array<uint32_t, 4> philox(std::array<uint32_t, 4> counter, std::array<uint32_t, 2> key) {
  constexpr uint64_t kMultiplier0 = 0xD2511F53;
  constexpr uint64_t kMultiplier1 = 0xCD9E8D57;
  constexpr uint32_t kWeyl0 = 0x9E3779B9;
  constexpr uint32_t kWeyl1 = 0xBB67AE85;
  for (int round = 0; round < 10; ++round) {
    const uint64_t product0 = kMultiplier0 * counter[0];
    const uint64_t product1 = kMultiplier1 * counter[2];
    counter = {static_cast<uint32_t>(product1 >> 32) ^ counter[1] ^ key[0],
               static_cast<uint32_t>(product1),
               static_cast<uint32_t>(product0 >> 32) ^ counter[3] ^ key[1],
               static_cast<uint32_t>(product0)};
    key = {key[0] + kWeyl0, key[1] + kWeyl1};
  }
  return counter;
}

/// The bits of an i32 element.
uint32_t word(double value) { return static_cast<uint32_t>(static_cast<int64_t>(value)); }

void draw(const Evaluation &e, int64_t stream) {
  const Array &key = e.operand(0);
  for (int64_t i = 0; i < e.result.size(); ++i) {
    const uint32_t bits = philox(
        {static_cast<uint32_t>(i), static_cast<uint32_t>(stream), word(key[2]), word(key[3])},
        {word(key[0]), word(key[1])})[0];
    e.result[i] = static_cast<double>(bits >> 8) / (1 << 24);
  }
}

} // namespace

// The channels [c - before, c + after] that exist.
void channel_sum(const Evaluation &e) {
  const ChannelSumAttrs &attrs = e.attrs<ChannelSumAttrs>();
  const Array &x = e.operand(0);
  const int64_t channels = x.extents().back();
  for (int64_t i = 0; i < x.size(); ++i) {
    const int64_t row = i - i % channels;
    for (int64_t c = 0; c < channels; ++c)
      if (c >= i % channels - attrs.before && c <= i % channels + attrs.after)
        e.result[i] += x[row + c];
  }
}

// Along the last dimension: exp(x - max) / sum of exp(x - max).
void softmax(const Evaluation &e) {
  const Array &x = e.operand(0);
  const int64_t width = x.extents().back();
  for (int64_t first = 0; first < x.size(); first += width) {
    double largest = x[first];
    for (int64_t i = 1; i < width; ++i)
      largest = x[first + i] > largest ? x[first + i] : largest;
    double sum = 0;
    for (int64_t i = 0; i < width; ++i) {
      e.result[first + i] = std::exp(x[first + i] - largest);
      sum += e.result[first + i];
    }
    for (int64_t i = 0; i < width; ++i)
      e.result[first + i] /= sum;
  }
}

// Operands (dy, y): dx = y * (dy - sum(dy * y)).
void softmax_gradient(const Evaluation &e) {
  const Array &dy = e.operand(0);
  const Array &y = e.operand(1);
  const int64_t width = y.extents().back();
  for (int64_t first = 0; first < y.size(); first += width) {
    double sum = 0;
    for (int64_t i = first; i < first + width; ++i)
      sum += dy[i] * y[i];
    for (int64_t i = first; i < first + width; ++i)
      e.result[i] = y[i] * (dy[i] - sum);
  }
}

// Operands (x, gamma, beta, mean, variance), the last four over the channels:
// y = gamma * (x - mean) / sqrt(variance + epsilon) + beta.
void batch_norm(const Evaluation &e) {
  const double epsilon = static_cast<double>(e.attrs<BatchNormAttrs>().epsilon);
  const Array &x = e.operand(0);
  const int64_t channels = e.operand(1).size();
  for (int64_t i = 0; i < x.size(); ++i) {
    const int64_t c = i % channels;
    e.result[i] =
        e.operand(1)[c] * (x[i] - e.operand(3)[c]) / std::sqrt(e.operand(4)[c] + epsilon) +
        e.operand(2)[c];
  }
}

// Outside training dropout is the identity; in training it is a multiplication by a mask.
void dropout(const Evaluation &e) { e.result.values = e.operand(0).values; }

void in_training(const Evaluation &e) { e.result.values = e.operand(0).values; }

// Operand: the key {seed low, seed high, step low, step high}. Element i of a batch draws the first
// word of Philox(counter {i, stream, step low, step high}, key {seed low, seed high}), as a 24-bit
// fraction.
void random_uniform(const Evaluation &e) { draw(e, e.attrs<RandomUniformAttrs>().stream); }

// An element keeps its value, scaled by 1 / (1 - rate), when what it draws reaches the rate.
void dropout_mask(const Evaluation &e) {
  const DropoutMaskAttrs &attrs = e.attrs<DropoutMaskAttrs>();
  const double rate = static_cast<double>(attrs.rate);
  draw(e, attrs.stream);
  for (double &value : e.result.values)
    value = value >= rate ? 1 / (1 - rate) : 0.0;
}

} // namespace sinter::reference

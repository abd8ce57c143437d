// The algorithms of batch normalisation, softmax and dropout.

#include "ir/ops/compute.h"
#include "ir/ops/compute_math.h"

#include <algorithm>

namespace sinter {

using Halide::Expr;

namespace {

/// Halves of a 32 x 32 bit product.
struct Product {
  Expr high, low;
};

Product product(const Expr &a, uint32_t b) {
  const Expr wide = Halide::cast<uint64_t>(a) * Halide::cast<uint64_t>(Expr(b));
  return {Halide::cast<uint32_t>(wide >> 32), Halide::cast<uint32_t>(wide)};
}

/// Word 0 of Philox4x32-10 (Salmon et al., SC 2011): ten rounds over a counter of four words,
/// the key growing by Weyl constants in between.
Expr philox_word(std::array<Expr, 4> counter, std::array<Expr, 2> key) {
  constexpr int rounds = 10;
  for (int round = 0; round < rounds; ++round) {
    if (round > 0)
      key = {key[0] + Expr(uint32_t{0x9E3779B9}), key[1] + Expr(uint32_t{0xBB67AE85})};
    const Product even = product(counter[0], 0xD2511F53);
    const Product odd = product(counter[2], 0xCD9E8D57);
    counter = {odd.high ^ counter[1] ^ key[0], odd.low, even.high ^ counter[3] ^ key[1], even.low};
  }
  return counter[0];
}

/// The row-major index of an element, modulo 2^32.
Expr linear_index(const KernelBuilder &k, const Index &index) {
  Expr linear = Expr(uint32_t{0});
  for (size_t i = 0; i < index.size(); ++i)
    linear = linear * Halide::cast<uint32_t>(k.extent(static_cast<int>(i))) +
             Halide::cast<uint32_t>(index[i]);
  return linear;
}

/// The random number in [0, 1) of an element, with the key that operand 0 holds.
Expr drawn(const KernelBuilder &k, int64_t stream, const Index &index) {
  const auto key_word = [&](int i) { return Halide::cast<uint32_t>(k.operand(0)({i})); };
  const Expr word = philox_word(
      {linear_index(k, index), Expr(static_cast<uint32_t>(stream)), key_word(2), key_word(3)},
      {key_word(0), key_word(1)});
  return Halide::cast<float>(word >> 8) * 0x1p-24F;
}

} // namespace

// (x - mean) / sqrt(variance + epsilon) * gamma + beta
void compute_batch_norm(KernelBuilder &k) {
  const float epsilon = k.attrs<BatchNormAttrs>().epsilon;
  k.define_elementwise([&](const std::vector<Expr> &v) {
    return (v[0] - v[3]) * (v[1] / Halide::sqrt(v[4] + epsilon)) + v[2];
  });
}

// Over a copy with zeros around the channels, which is read without conditions. A reach beyond all
// of the channels is cut to them.
void compute_channel_sum(KernelBuilder &k) {
  const auto &attrs = k.attrs<ChannelSumAttrs>();
  const Tensor &x = k.operand(0);
  const auto channels = static_cast<int>(x.type().shape.back());
  const int before = static_cast<int>(std::min<int64_t>(attrs.before, channels - 1));
  const int after = static_cast<int>(std::min<int64_t>(attrs.after, channels - 1));
  TensorType type = x.type();
  type.shape.back() += before + after;
  const Tensor padded = k.copy(type, "padded", [&](const Index &index) {
    const Expr channel = index.back() - before;
    Index at = index;
    at.back() = Halide::clamp(Halide::likely(channel), 0, channels - 1);
    return Halide::select(Halide::likely(channel >= 0 && channel < channels), x(at), 0.0F);
  });
  define_sum_of_taps(k, before + after + 1, [&](const Index &index, const Index &r) {
    return padded(moved(index, index.size() - 1, index.back() + r[0]));
  });
}

// exp(x - max) / sum(exp(x - max)): the maximum keeps the exponentials finite
void compute_softmax(KernelBuilder &k) {
  const Tensor &x = k.operand(0);
  const Tensor maximum = row_maximum(k, x);
  const Tensor sum = reduce_rows(k, Reduction::sum, x, [&](const Index &i, const Index &r) {
    return exp_of_negative(x(joined(i, r)) - maximum(i));
  });
  k.define([&](const Index &index) {
    const Index row(index.begin(), index.end() - 1);
    return exp_of_negative(x(index) - maximum(row)) / sum(row);
  });
}

// y * (dy - sum(dy * y))
void compute_softmax_gradient(KernelBuilder &k) {
  const Tensor &dy = k.operand(0);
  const Tensor &y = k.operand(1);
  const Tensor sum = reduce_rows(k, Reduction::sum, y, [&](const Index &i, const Index &r) {
    return dy(joined(i, r)) * y(joined(i, r));
  });
  k.define([&](const Index &index) {
    const Index row(index.begin(), index.end() - 1);
    return y(index) * (dy(index) - sum(row));
  });
}

void compute_dropout(KernelBuilder &k) {
  k.define_elementwise([](const std::vector<Expr> &v) { return v[0]; });
}

void compute_in_training(KernelBuilder &k) {
  k.define_elementwise([](const std::vector<Expr> &v) { return v[0]; });
}

// The formulas stand with the records ops::dropout_mask and ops::random_uniform.
void compute_dropout_mask(KernelBuilder &k) {
  const auto &attrs = k.attrs<DropoutMaskAttrs>();
  k.define([&](const Index &index) {
    return Halide::select(drawn(k, attrs.stream, index) >= attrs.rate, 1.0F / (1.0F - attrs.rate),
                          0.0F);
  });
}

void compute_random_uniform(KernelBuilder &k) {
  const int64_t stream = k.attrs<RandomUniformAttrs>().stream;
  k.define([&](const Index &index) { return drawn(k, stream, index); });
}

} // namespace sinter

// Sums and products of numbers of bytes: a model from a stranger, for a batch from a command line,
// may need more than 64 bits count.
#pragma once

#include <cstdint>
#include <limits>

namespace sinter {

/// The largest number where the true one has no room; operands are not negative.
inline int64_t saturating_add(int64_t a, int64_t b) {
  int64_t sum = 0;
  return __builtin_add_overflow(a, b, &sum) ? std::numeric_limits<int64_t>::max() : sum;
}
inline int64_t saturating_multiply(int64_t a, int64_t b) {
  int64_t product = 0;
  return __builtin_mul_overflow(a, b, &product) ? std::numeric_limits<int64_t>::max() : product;
}

} // namespace sinter

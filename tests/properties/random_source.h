// Seeded choices that are the same on every machine.
#pragma once

#include <cstdint>
#include <random>
#include <vector>

namespace sinter {

class RandomSource {
public:
  explicit RandomSource(uint64_t seed) : engine_(seed) {}

  /// In [low, high], both included.
  int64_t between(int64_t low, int64_t high) {
    return low + static_cast<int64_t>(engine_() % static_cast<uint64_t>(high - low + 1));
  }
  bool coin() { return between(0, 1) == 1; }
  template <typename T> T pick(const std::vector<T> &choices) {
    return choices[static_cast<size_t>(between(0, static_cast<int64_t>(choices.size()) - 1))];
  }

private:
  std::mt19937_64 engine_;
};

} // namespace sinter

#include "backends/halide/cpu/tile.h"

#include "ir/type.h"

#include <algorithm>

namespace sinter {

namespace {

/// Multiply-adds in flight that hide their latency: two units of four cycles.
constexpr int64_t kLatency = 8;
/// Vectors that a tile is wide at most.
constexpr int kMostVectors = 8;

} // namespace

int64_t half_cycles(const RegisterTile &tile) {
  return std::max({int64_t{tile.rows} * tile.vectors, int64_t{tile.rows} + tile.vectors, kLatency});
}

int64_t direct_half_cycles(const RegisterTile &tile, const Variant &variant) {
  const int64_t loads = int64_t{tile.rows} + tile.vectors;
  const bool many = variant.registers < 32 && variant.vector_width >= 8; // SSE multiplies and adds
  return std::max(half_cycles(tile), many ? (3 * loads + 1) / 2 : loads);
}

bool fits_registers(const RegisterTile &tile, const Variant &variant) {
  // The broadcast, unless AVX-512 makes it part of its only multiply-add; without FMA the product.
  const bool embedded = variant.registers >= 32 && tile.vectors == 1;
  const int temporaries = embedded ? 0 : variant.vector_width >= 8 ? 1 : 2;
  return tile.rows * tile.vectors + tile.vectors + temporaries <= variant.registers;
}

RegisterTile decide_tile(Decisions &decisions, std::vector<Alternative> alternatives) {
  if (alternatives.empty())
    return {};
  const std::vector<int64_t> tile =
      decisions.decide({"tile_rows", "tile_vectors"}, std::move(alternatives));
  return {static_cast<int>(tile[0]), static_cast<int>(tile[1])};
}

RegisterTile choose_tile(int64_t rows, int64_t lanes, const Variant &variant, int longest,
                         Decisions &decisions) {
  const int64_t many_rows = 64; // stands for the batch
  const int64_t count = rows == kBatch ? many_rows : rows;
  std::vector<Alternative> alternatives;
  // Of equal tiles the first is taken: with 32 registers the narrowest, which reads the fewest
  // weights. With 16 the widest: one vector under many rows is a run of multiply-adds so dense that
  // valgrind 3.19 fails to translate it, and users check their programs with valgrind.
  const bool narrow_first = variant.registers >= 32;
  for (int i = 1; i <= kMostVectors; ++i) {
    const int vectors = narrow_first ? i : kMostVectors + 1 - i;
    if (lanes % (int64_t{vectors} * variant.vector_width) != 0)
      continue;
    for (int height = static_cast<int>(std::min<int64_t>(longest, count)); height >= 1; --height) {
      const RegisterTile tile{height, vectors};
      if (!fits_registers(tile, variant))
        continue;
      const int64_t tiles = (count + height - 1) / height * (lanes / vectors);
      const int64_t work = tiles * (direct_half_cycles(tile, variant) + kLoopOverhead);
      alternatives.push_back({static_cast<double>(work), {height, vectors}});
    }
  }
  return decide_tile(decisions, std::move(alternatives));
}

} // namespace sinter

// Register tiles: how many accumulators of which shape a contraction keeps in registers.
#pragma once

#include "backends/halide/kernel_choice.h"
#include "backends/halide/kernels.h"

#include <cstdint>

namespace sinter {

/// `rows` scalars times `vectors` vectors: rows * vectors accumulators, each step of the sum
/// loading `vectors` vectors and broadcasting `rows` scalars.
struct RegisterTile {
  int rows = 1;
  int vectors = 1;
};

/// Half cycles of a step that are not multiply-adds: among full tiles the largest is best.
constexpr int64_t kLoopOverhead = 2;

/// Half cycles of one step: two loads and two multiply-adds start a cycle, the slower kind decides.
int64_t half_cycles(const RegisterTile &);
/// The same of a direct sum, whose scalars lie far apart: with AVX2, which has no multiply-add that
/// broadcasts, loads take half as long again (of a peak of 131 GFLOP/s, tiles of 14x8 reach 60%,
/// those of 6x16 88%).
int64_t direct_half_cycles(const RegisterTile &, const Variant &);

/// Whether accumulators, loaded vectors and temporaries fit.
bool fits_registers(const RegisterTile &, const Variant &);

/// The tile with the least estimated work for a result of `rows` by `lanes` elements. Tiles may
/// overhang the rows (the batch counts as many rows) but divide the lanes, which are whole vectors.
/// `longest` limits the rows. The decision's names are tile_rows and tile_vectors.
RegisterTile choose_tile(int64_t rows, int64_t lanes, const Variant &, int longest, Decisions &);

/// The decision between tiles whose alternatives were made elsewhere.
RegisterTile decide_tile(Decisions &, std::vector<Alternative> alternatives);

} // namespace sinter

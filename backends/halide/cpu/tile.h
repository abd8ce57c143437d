// Register tiles: how many accumulators of which shape a contraction keeps in registers.
#pragma once

#include "backends/halide/kernels.h"

namespace sinter {

/// `rows` scalars times `vectors` vectors: rows * vectors accumulators, each step of the sum
/// loading `vectors` vectors and broadcasting `rows` scalars.
struct RegisterTile {
  int rows = 1;
  int vectors = 1;
};

/// The tile with the least estimated work for a result of `rows` by `lanes` elements. Tiles may
/// overhang the rows (the batch counts as many rows) but divide the lanes, which are whole vectors.
/// `longest` limits the rows.
RegisterTile choose_tile(int64_t rows, int64_t lanes, const Variant &, int longest);

} // namespace sinter

// The weights that a library starts from, as a file beside it.
#pragma once

#include "backends/program/weights_object.h"

namespace sinter {

/// Writes every weight and statistic of the program to a safetensors file: the given values, and
/// for the others their initializers' with seed 0. The runtime writes it, so that it is what the
/// library's own PREFIX_save would write. A failure is told of `destination`, where the file is to
/// go in the end.
void write_initial_weights(const Program &, const PackedWeights &given, const std::string &path,
                           const std::string &destination);

} // namespace sinter

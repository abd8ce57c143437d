// Random values for everything that a graph is fed.
#pragma once

#include "backends/reference/interpreter.h"

#include <cstdint>

namespace sinter {

/// A value for every input and parameter of the graph, a pure function of the seed, exact in
/// float32. Parameters are drawn as their initializers say, but never all zero (a bias that is
/// zero hides what is done with it); second moments and variances are positive; labels are classes
/// that the graph's one_hot knows, or one-hot rows.
NamedArrays random_inputs(const Graph &, int64_t batch, uint64_t seed);

} // namespace sinter

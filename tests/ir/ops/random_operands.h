// Random values for the graphs of the op tests.
#pragma once

#include "backends/reference/interpreter.h"

namespace sinter {

/// Values of all inputs and parameters, exact in a float: data uniform in [-scale, scale), a
/// parameter in the range of its uniform initializer or [-1, 1), and what suits the other roles.
NamedArrays random_inputs(const Graph &, int64_t batch, double scale, unsigned seed);

} // namespace sinter

// Random networks and random values for them: what the semantic tests of all passes run on.
#pragma once

#include "backends/reference/interpreter.h"
#include "ir/model.h"

#include <random>

namespace sinter {

/// A forward model with weights, a prediction, a loss and a metric. It is rich in what passes look
/// for: chains of reshapes, transposes and activations, identities, constants, shared values.
Model random_model(uint32_t seed);

/// Values for every input and parameter of the graph; statistics are positive.
NamedArrays random_values(const Graph &, int64_t batch, uint32_t seed);

/// Outputs by name, and new parameter values by "update:" and the parameter's name.
NamedArrays results(const Graph &, int64_t batch, const NamedArrays &values);

/// The largest difference between results of the same name, relative to the larger one of 1 and
/// the largest value. Infinite when a name of `expected` is missing.
double difference(const NamedArrays &expected, const NamedArrays &actual);

} // namespace sinter

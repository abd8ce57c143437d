// Random geometries for the ops whose operands' extents follow from each other: convolutions,
// pooling, matrix products, and the gradients of these.
#pragma once

#include "ir/graph.h"
#include "random_source.h"

#include <optional>

namespace sinter {

/// A graph that ends in the op, or nothing when the kind has no geometry of its own.
std::optional<Graph> random_geometry(OpKind, RandomSource &);

/// The attributes of a weight with values in [-0.5, 0.5).
ParameterAttrs uniform_parameter(const std::string &name, const TensorType &);

} // namespace sinter

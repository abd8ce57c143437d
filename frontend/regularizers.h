// Penalties on weights and activations, which training adds to the loss.
#pragma once

#include "frontend/native.h"
#include "ir/diagnostics.h"
#include "ir/graph.h"

namespace sinter {

/// l1 * sum(|x|) + l2 * sum(x * x)
struct Penalty {
  float l1 = 0;
  float l2 = 0;
};

/// None, a name ('l2', 'L1', 'l1_l2') or an object of keras.regularizers. Throws for another value.
Penalty find_penalty(const Value &, const SourceLocation &);

/// A scalar, or no node when the penalty is zero.
NodeId append_penalty(Graph &, NodeId, const Penalty &, const SourceLocation &);

/// keras.regularizers.
std::vector<Native> regularizer_natives();

} // namespace sinter

// One naive function per op, declared from ops.def: an op without one is a link error.
#pragma once

#include "backends/reference/array.h"
#include "ir/graph.h"

#include <cmath>
#include <vector>

namespace sinter {

/// What a reference op sees: the node, its operands' values, and the result to fill, which
/// arrives with its type and all zeros.
struct Evaluation {
  const Node &node;
  const std::vector<const Array *> &operands;
  Array &result;

  template <typename A> const A &attrs() const { return sinter::attrs<A>(node); }
  const Array &operand(size_t i) const { return *operands[i]; }
  int64_t batch() const { return result.batch; }
};

namespace reference {
#define OP(name, attributes) void name(const Evaluation &);
#include "ir/ops.def"
#undef OP

/// Whether a is the larger one in a search for an extreme: a NaN is larger than every number.
inline bool exceeds(double a, double b) { return std::isnan(a) ? !std::isnan(b) : a > b; }
} // namespace reference

} // namespace sinter

// The reference interpreter: every op by naive loops in float64. It shares no code with the
// compiled kernels (neither the ops' Halide algorithms nor the runtime's random numbers), so that
// it can judge them: the oracle of `sinter verify` and of the property tests.
#pragma once

#include "backends/reference/array.h"
#include "ir/graph.h"

#include <map>
#include <string>
#include <vector>

namespace sinter {

/// Values of the graph's `input` and `parameter` nodes, by name.
using NamedArrays = std::map<std::string, Array>;

/// The name of an input or a parameter there: its own, but "input NAME" of an input whose name a
/// parameter has, too.
std::string leaf_name(const Graph &, NodeId);

/// The value of every node, by node index; with `wanted`, of those nodes only: the others' arrays
/// come back empty and are freed as soon as nobody reads them.
/// `inputs` must name every input and parameter that is needed, with its logical shape and batch.
std::vector<Array> evaluate(const Graph &, int64_t batch, const NamedArrays &inputs,
                            const std::vector<NodeId> &wanted = {});

/// Gives the parameters that the graph updates their new values: those of a program's preparation.
void evaluate_updates(const Graph &, int64_t batch, NamedArrays &values);

/// The value of `wanted` when `changed` holds `value` instead of what it has in `values`, which
/// evaluate returned: recomputes only what lies between the two.
Array reevaluate(const Graph &, int64_t batch, const std::vector<Array> &values, NodeId changed,
                 const Array &value, NodeId wanted);

/// One node on given operands. The node must not be an input or a parameter.
Array evaluate_node(const Node &, int64_t batch, const std::vector<const Array *> &operands);

} // namespace sinter

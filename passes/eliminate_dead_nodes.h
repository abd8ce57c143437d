// Drops every node that no output and no update needs, inputs and parameters among them.
//
//   %0 = input {name="x"} : f32[N,4]
//   %1 = relu %0                            ->   %0 = input {name="x"} : f32[N,4]
//   %2 = exp %0                                  %1 = exp %0
//   output "prediction" %2                       output "prediction" %1
//
// Guarantees: nodes keep their order; outputs and updates keep their meaning.
#pragma once

#include "ir/graph.h"

namespace sinter {

void eliminate_dead_nodes(Graph &);

} // namespace sinter

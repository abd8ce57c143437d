// Writes a concatenation in terms of another one that holds some of its operands, so that the
// latter can be part of it (find_slices.h). Exporters write DenseNet's chains flat:
//
//   %3 = concat %0, %1         =>     %3 = concat %0, %1
//   %5 = concat %0, %1, %4            %5 = concat %3, %4
//
// Gradients gain as well: that of %0 is the sum of two slices, whatever the length of the chain.
#pragma once

#include "ir/graph.h"

namespace sinter {

void nest_concats(Graph &);

} // namespace sinter

// Pools before 1x1 convolutions instead of after them. Both are linear, and one works position by
// position while the other works channel by channel, so that they commute, and the convolution has
// fewer positions left: DenseNet's transitions take a quarter of the multiply-adds.
//
//   %2 = conv2d %0, %1                  =>     %2 = average_pool2d %0
//   %3 = average_pool2d %2                     %3 = conv2d %2, %1
//
// Biases between them follow: the mean of a constant is the constant. Nodes whose values somebody
// else reads stay where they are.
#pragma once

#include "ir/graph.h"

namespace sinter {

void hoist_average_pools(Graph &);

} // namespace sinter

// Chooses how convolutions are computed: a 3x3 convolution of stride 1 whose filter is a parameter
// becomes a Winograd convolution where that is estimated to be faster.
//
//   %2 = conv2d %0, %1 {padding=[1,1,1,1]}  ->  %2 = winograd_filter %1 {block=32}
//                                               %3 = winograd_conv2d %0, %2 {padding=[1,1,1,1]}
//
// F(2,3) takes 4/9 of a direct convolution's multiply-adds, F(4,3) 1/4, but the filter grows by
// 16/9 and 4, tiles overhang the result, and inputs and results are transformed. The estimate
// weighs these with the rates of a current core (time_of in the source), for a batch of one; it
// looks at shapes alone, as every instruction-set variant of a program shares one graph. F(2,3)
// rounds as a direct convolution does; F(4,3) is within 3e-6 of the largest result at 512 channels.
//
// choose_training_algorithms does so in training, forwards and backwards: the gradient of a
// convolution's input is a convolution of dy with the filter turned by half a turn. Its estimate is
// for a batch whose images share the filter, which every step transforms anew.
//
//   %3 = conv2d_input_gradient %2, %1       ->  %3 = winograd_filter %1 {block=32, turned=true}
//     {padding=[1,1,1,1], size=[28,28]}         %4 = winograd_conv2d %2, %3 {padding=[1,1,1,1]}
//
// The gradient of a filter is a sum of products at the same points.
//
//   %4 = conv2d_filter_gradient %0, %2      ->  %4 = winograd_filter_gradient %0, %2
//
// Where a convolution was tuned, the faster algorithm is known and nothing is estimated.
//
// Requires: choose_layout, and gradients made: the Winograd operations have none.
// Guarantees: other nodes stay as they are.
#pragma once

#include "ir/graph.h"

#include <functional>
#include <optional>
#include <string>

namespace sinter {

/// What was measured to be the fastest for a convolution of this description
/// ("convolution 56x56 64->64 padding 1,1,1,1 inference"): the tile of Winograd's algorithm, 2 or
/// 4, or 0 for a direct convolution. Nothing where nobody measured.
using TunedAlgorithms = std::function<std::optional<int64_t>(const std::string &description)>;

/// For inference.
void choose_algorithms(Graph &, const TunedAlgorithms & = {});

/// For a training step with its gradients.
void choose_training_algorithms(Graph &, const TunedAlgorithms & = {});

struct ConvolutionAlgorithm {
  std::string description; // as TunedAlgorithms gets it
  int64_t tile = 0;
};

/// How a node computes a convolution, or a filter's gradient, for which there is a choice; nothing
/// for other nodes.
std::optional<ConvolutionAlgorithm> algorithm_of(const Graph &, NodeId, bool training);

} // namespace sinter

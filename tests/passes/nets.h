// Small whole networks, as a frontend would build them, for the tests of whole pipelines.
#pragma once

#include "ir/model.h"

namespace sinter {

/// conv 3x3 same + relu, max-pool, conv + relu, max-pool, flatten, dense + relu, dropout, dense,
/// softmax; sparse categorical cross-entropy and accuracy: the textbook's first net, `width` being
/// the first layer's filters (32 there) and `size` the image (28 there).
Model fashion_net(int64_t size, int64_t width, float dropout);

/// conv, batch normalisation, relu, a residual block and global average pooling.
Model residual_net();

/// LeNet's manner: tanh, average pooling, sigmoid at the end and binary cross-entropy.
Model binary_net();

/// conv 3x3 stride 2, overlapping max-pool with padding, concat, transposed-looking reshapes, MSE.
Model odd_net();

/// Concatenations of channels as in DenseNet, ShuffleNet (halves of the channels) and Inception.
Model joined_net();

std::vector<Model> all_nets();

} // namespace sinter

// Weights as Keras's load_weights() reads them.
#pragma once

#include "frontend/weights.h"

namespace sinter {

/// A layer and its weights, "conv2d/kernel", in the order in which Keras lists them.
struct KerasLayerWeights {
  std::string name;
  std::string class_name; // "Conv2D"
  std::vector<std::pair<std::string, WeightArray>> arrays;
};

/// An HDF5 file of the layers in Keras 2's form, which Keras 3 reads, too: a group a layer, with
/// the names of its weights in the order of the layers.
std::string keras_weights_file(const std::vector<KerasLayerWeights> &layers);

/// The same in Keras 3's form: a group for every layer, named by its class and a counter, with its
/// weights by number. The weights of a model within the model cannot be written so.
std::string keras3_weights_file(const std::vector<KerasLayerWeights> &layers);

} // namespace sinter

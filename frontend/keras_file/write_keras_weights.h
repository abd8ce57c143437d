// Weights as Keras's load_weights() reads them.
#pragma once

#include "frontend/weights.h"

namespace sinter {

/// A layer and its weights, "conv2d/kernel", in the order in which Keras lists them; of a model
/// within the model those of its layers, which it has, too.
struct KerasLayerWeights {
  std::string name;
  std::string class_name; // "Conv2D"
  std::vector<std::pair<std::string, WeightArray>> arrays;
  std::vector<KerasLayerWeights> layers;
  bool holds_others = false; // some arrays are neither its own nor those of `layers`
};

/// An HDF5 file of the layers in Keras 2's form, which Keras 3 reads, too: a group a layer, with
/// the names of its weights in the order of the layers.
std::string keras_weights_file(const std::vector<KerasLayerWeights> &layers);

/// The same in Keras 3's form: a group for every layer, named by its class and a counter, with its
/// weights by number; below the group of a model within the model, the same for its layers. An
/// object of a script's class keeps its layers in other groups: with layers in it, it cannot be
/// written so.
std::string keras3_weights_file(const std::vector<KerasLayerWeights> &layers);

} // namespace sinter

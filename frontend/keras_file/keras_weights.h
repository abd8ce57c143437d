// The weights in Keras's HDF5 files, of every version.
#pragma once

#include "frontend/keras_file/hdf5_tree.h"

namespace sinter {

/// A layer whose weights are wanted, or a model within the model.
struct WantedLayer {
  std::string name;                               // a group of Keras 2's files
  std::string class_name;                         // with a counter, a group of Keras 3's files
  std::vector<const ParameterAttrs *> parameters; // as the layer made them; of a model, all
  std::vector<WantedLayer> layers;                // of a model
};

/// ".h5", ".hdf5" or ".keras".
bool is_keras_weights_extension(const std::string &extension);

/// The HDF5 file of weights: `file` itself, or model.weights.h5 of a .keras archive.
Hdf5Group read_keras_weights(const SourceLocation &file);

/// Whether a file holds weights of either kind.
bool has_keras_weights(const Hdf5Group &root);

/// Finds the weights of `layers`:
///  - Keras 1 and 2: groups by layer name with an ordered list of weight names;
///  - Keras 3: groups by class and counter ("conv2d", "conv2d_1") in the order of the layers, with
///    arrays by number; those of a model within the model below its group, in the same way.
/// A layer of which `names` names a weight gets all of its weights so; neither it nor those arrays
/// take part in the search. Throws one CompileError with everything that is missing or has another
/// shape.
std::map<std::string, WeightArray> find_keras_weights(Hdf5Group root,
                                                      std::vector<WantedLayer> layers,
                                                      const WeightNames &names,
                                                      const SourceLocation &file);

/// All arrays of such a file for lists: "conv2d/kernel", "layers/conv2d/vars/0".
std::vector<std::pair<std::string, const Hdf5Dataset *>> list_datasets(const Hdf5Group &root);

} // namespace sinter

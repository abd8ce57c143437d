// Saved Keras models: architecture (.json), Keras 2 (.h5), Keras 3 (.keras).
#pragma once

#include "frontend/load_model.h"

namespace sinter {

/// ".json", ".h5", ".hdf5" or ".keras".
bool is_keras_extension(const std::string &extension);

/// Reads a saved model with its weights, and its optimizer, loss and metrics when it was compiled.
LoadedModel read_keras_file(const std::string &path, const LoadOptions &, Diagnostics &);

} // namespace sinter

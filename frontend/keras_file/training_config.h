// How a saved model was compiled.
#pragma once

#include "frontend/keras_file/config_reader.h"
#include "frontend/keras_objects.h"

namespace sinter {

/// Compiles the model as `config` says: Keras 2's training_config or Keras 3's compile_config. A
/// saved model that cannot be trained here can still predict, so what is not supported is a
/// warning, and the model stays uncompiled.
void compile_as_saved(KerasModel &, const nlohmann::json &config, Interpreter &, ConfigReader &,
                      const SourceLocation &file);
/// The program's model. Losses and metrics by name are looked for only now: where one is not known,
/// the model is finished without what it was compiled with, as above.
Model finish_as_saved(KerasModel &, Interpreter &, const SourceLocation &file, Diagnostics &);

} // namespace sinter

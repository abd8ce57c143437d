// Reads a model file of any kind that Sinter knows.
#pragma once

#include "frontend/weights.h"
#include "ir/diagnostics.h"
#include "ir/model.h"

#include <cstdint>
#include <map>
#include <string>

namespace sinter {

struct LoadOptions {
  /// Bounds the evaluation of a model script: about one step an expression or list item.
  int64_t max_steps = 5'000'000;
  /// Extents of the dynamic dimensions of an ONNX file, by their names there.
  std::map<std::string, int64_t> dimensions;
};

/// A model and the weights that came with it, by parameter name: they replace the initializers. A
/// script and the IR's text form bring none.
struct LoadedModel {
  Model model;
  std::map<std::string, WeightArray> weights;
};

/// Dispatches on the file's extension: `.py` is a model script (docs/model_script.md), `.keras`,
/// `.h5` and `.json` are saved Keras models (docs/model_files.md), `.onnx` a file of ONNX, `.sir`
/// the text form of the IR, `.safetensors` the weights and the model that a program wrote. Warnings
/// go to the diagnostics; whatever is wrong with the file is a CompileError with its place.
LoadedModel load_model(const std::string &path, const LoadOptions &, Diagnostics &);

/// A model script whose text is at hand; `name` stands for the file in messages.
Model load_script(const std::string &name, const std::string &text, const LoadOptions &,
                  Diagnostics &);

} // namespace sinter

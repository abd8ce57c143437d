// Weights from a file of named arrays.
#pragma once

#include "ir/model.h"

#include <map>
#include <string>
#include <vector>

namespace sinter {

/// Row-major float32 values; other numbers were converted.
struct WeightArray {
  Shape shape;
  std::vector<float> values;
};

/// Names that differ: the file's for the model's.
using WeightNames = std::map<std::string, std::string>;

/// Reads a file of lines `model_name = file_name`; '#' begins a comment.
WeightNames read_weight_names(const std::string &path);

/// Reads a file of weights and finds an array for every parameter of the model, in the model's
/// layout. docs/model_files.md says what is read and how names and layouts are matched. Further
/// arrays are ignored. Throws one CompileError with everything that is missing or does not fit.
std::map<std::string, WeightArray> load_weights(const std::string &path, const Model &,
                                                const WeightNames &names = {});

/// Whether a program can read the file itself: .safetensors with every parameter by its own name
/// and shape.
bool is_native_weights(const std::string &path, const Model &);

} // namespace sinter

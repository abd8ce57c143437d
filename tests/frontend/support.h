// What the frontend's tests share.
#pragma once

#include "frontend/load_model.h"

#include <string>
#include <vector>

namespace sinter {

std::string read_file(const std::string &path);
/// A file of the build tree; its path.
std::string write_file(const std::string &name, const std::string &bytes);

/// A script loaded with a small step limit.
Model load(const std::string &text);
/// The same, with its warnings.
Model load(const std::string &text, Diagnostics &diagnostics);
/// The error that a script raises: `line: text`, or "" when it loads.
std::string error_of(const std::string &text);

/// "conv2d" of every layer.
std::vector<std::string> layer_names(const Model &);
/// Elements of all parameters.
int64_t parameter_count(const Model &);
/// The shape of a layer's output, as text.
std::string output_shape(const Model &, const std::string &layer);
/// The attributes of the parameter of that name; fails the test when there is none.
const ParameterAttrs &parameter(const Model &, const std::string &name);

} // namespace sinter

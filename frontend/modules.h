// Names in modules: which mean something, which are skipped, which are errors.
#pragma once

#include "frontend/native.h"

namespace sinter {

/// One spelling for the many of a name: "tensorflow.keras.layers.Conv2D" is
/// "keras.layers.Conv2D", "keras.Sequential" is "keras.models.Sequential".
std::string canonical_path(const std::string &path);

/// What a dotted name stands for: a native, a constant such as math.pi, or a ModuleName.
Value resolve_name(const std::string &path);

/// The native of a canonical path, or null.
const Native *find_native(std::string_view path);

/// What `from module import *` brings.
std::vector<std::pair<std::string, Value>> module_members(const std::string &module);

/// Throws when a module is not known at all.
void check_module(const std::string &path, const SourceLocation &);

/// Calls of this name have no meaning in a compiled program and cannot change it.
bool is_skipped(const std::string &path);

/// Functions known to work in place: numpy.random.shuffle.
bool changes_its_argument(const std::string &path);

/// Functions of their arguments alone: unknown when an argument is.
bool is_pure(std::string_view path);

/// "unknown layer 'Conv2d'; did you mean 'Conv2D'?", "keras.x.Y is not supported".
[[noreturn]] void fail_unknown_name(const std::string &path, const SourceLocation &);

// The tables, each beside what it calls. Methods are natives too: "list.append", "model.fit".
const std::vector<Native> &python_natives();          // builtins.cpp
const std::vector<Native> &sequence_natives();        // builtins_sequences.cpp
const std::vector<Native> &method_natives();          // methods.cpp
const std::vector<Native> &array_natives();           // array_functions.cpp
const std::vector<Native> &tensor_natives();          // tensor_functions.cpp
const std::vector<Native> &model_natives();           // model_functions.cpp
const std::vector<Native> &configuration_natives();   // configuration.cpp
const std::vector<Native> &layer_natives();           // layer_table.cpp
const std::vector<Native> &argument_parser_natives(); // argument_parser.cpp

} // namespace sinter

// Reads the text form that ir/print.h writes.
#pragma once

#include "ir/model.h"

#include <string>

namespace sinter {

/// Parses `graph { ... }`, or its lines alone. `//` starts a comment. Throws CompileError at
/// `file_name:line:col` for malformed text and for nodes whose operands do not fit.
Graph parse_graph(const std::string &text, const std::string &file_name);

/// Parses a .sir file: a model with its graph, or a graph alone (a model named after nothing).
Model parse_model(const std::string &text, const std::string &file_name);

} // namespace sinter

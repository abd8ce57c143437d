// Parses a model script: the subset of Python that docs/model_script.md specifies.
#pragma once

#include "frontend/ast.h"

namespace sinter {

/// Throws CompileError at the first token that the subset does not know; Python that is valid but
/// not supported (try, global, yield ...) is named as such.
std::unique_ptr<Script> parse_script(SourceFile);

} // namespace sinter

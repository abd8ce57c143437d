// Keras's initializers, resolved to the few that a program knows: the fans are known here.
#pragma once

#include "frontend/native.h"
#include "ir/attributes.h"

namespace sinter {

/// Fills in the initializer of a parameter of the given shape from a name ("he_normal"), an
/// object or None (zeros). Throws CompileError for an unknown one, or one that has no such shape.
void set_initializer(ParameterAttrs &, const Value &initializer, const SourceLocation &);

/// Throws the same for an unknown one, or arguments that none can have: before any shape is known.
void check_initializer(const Value &initializer, const SourceLocation &);

/// The native of an initializer given by name, function or object; null when it is none.
const Native *find_initializer(const Value &);

} // namespace sinter

// What training keeps weights to: keras.constraints.
#pragma once

#include "frontend/native.h"
#include "ir/attributes.h"
#include "ir/diagnostics.h"

namespace sinter {

/// None, a name ('max_norm', 'NonNeg') or an object of keras.constraints, for a parameter whose
/// type is set. Throws for another value, and for axes that the parameter has not.
void set_constraint(ParameterAttrs &, const Value &, const SourceLocation &);

/// keras.constraints.
std::vector<Native> constraint_natives();

} // namespace sinter

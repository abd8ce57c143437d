// Objects that stand for a class and its arguments: optimizers, constraints, callbacks ...
#pragma once

#include "frontend/native.h"

namespace sinter {

/// What calling such a class makes: an object that keeps its arguments.
Value configure(Interpreter &, const Call &);

/// What an object has that was made without arguments; the native requires none.
Arguments default_arguments(const Native &);

/// The object of keras.regularizers or keras.constraints, as the family says, that a name ('l2',
/// 'MaxNorm'), a class or the object itself stands for; nothing for None. Throws for another value.
std::optional<Configured> find_configured(const Value &, Family, const SourceLocation &);

} // namespace sinter

// Classes that the script defines, and the objects made of them.
#pragma once

#include "frontend/keras_objects.h"

#include <functional>

namespace sinter {

/// Sets the order of a class from those of its bases. It is Python's, the C3 linearization (Barrett
/// et al., "A monotonic superclass linearization for Dylan", 1996): a class comes before its bases,
/// and these in the order in which a class lists them. Throws where there is none.
void order_ancestors(Class &);
/// What `name` means in a class: its own, else that of its bases from left to right; null when
/// nothing does. With `above`, the search starts behind that class, as super() does.
const Value *find_member(const Class &, const std::string &name, const Class *above = nullptr);
/// The member when it is a function.
const Function *find_method(const Class &, const std::string &name);
bool derives_from(const Class &, const Class &base);

/// What an object of a script's class holds; null for every other value.
Instance *instance_of(const Value &);

/// A method called on `self`.
Value bind_method(Interpreter &, const Function &, const Value &self);
/// The attribute of an object of a script's class, of super() or of a class itself; nothing when
/// neither its fields nor its class know it.
std::optional<Value> object_attribute(Interpreter &, const Value &, const std::string &name,
                                      const SourceLocation &);

/// Every tensor in a value (itself, or in lists, tuples and dicts) replaced by what `change`
/// gives for it.
Value map_tensors(Interpreter &, const Value &, const SourceLocation &,
                  const std::function<KerasTensor *(KerasTensor *)> &change);
/// The tensors among the arguments of a call, in order.
std::vector<KerasTensor *> tensors_among(Interpreter &, const CallArguments &,
                                         const SourceLocation &);

} // namespace sinter

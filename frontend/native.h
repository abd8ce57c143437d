// Everything callable that Sinter itself provides: Python builtins, Keras layers and objects, the
// NumPy functions that it knows. Each is one table entry with its argument list, so that wrong,
// missing and misspelt arguments are reported in one way.
#pragma once

#include "frontend/value.h"

#include <array>
#include <optional>
#include <string_view>

namespace sinter {

class Interpreter;
struct LayerType;

/// What an argument may be; checked before the function sees it.
enum class ArgumentKind {
  any,
  boolean,
  integer,
  positive,     // an integer of at least 1
  non_negative, // an integer of at least 0
  number,       // finite
  fraction,     // in [0, 1)
  rate,         // a finite number, or an object of keras.optimizers.schedules
  text,
  choice,      // one of `choices`, separated by '|'
  pair,        // a positive integer, or two of them
  single,      // a positive integer, which may stand in a list or tuple
  activation,  // None, a name or a function
  initializer, // a name or an object
  regularizer, // None, a name or an object
  constraint,  // None, a name or an object
  unsupported, // only the default is accepted: anything else would change the result
  ignored,     // without a meaning in a compiled program
  rest,        // all further positional arguments, as a tuple
  keywords     // all further keyword arguments, as a dict
};

struct ArgumentSpec {
  std::string_view name;
  ArgumentKind kind = ArgumentKind::any;
  std::optional<Value> fallback; // none: the argument must be given
  std::string_view choices = {};
};

/// What a native stands for beside a plain function.
enum class Family {
  function,
  layer,
  optimizer,
  loss,
  metric,
  initializer,
  regularizer,
  constraint,
  callback,
  schedule,   // of learning rates, from step to step
  scheduler,  // of torch.optim: of learning rates, from epoch to epoch
  activation, // a function of one tensor
  data_set,   // of torchvision
  type        // int, float, str ...: callable, and what isinstance asks
};
/// "a layer", "an optimizer"
const char *name(Family);

struct Call;

struct Native {
  std::string_view path; // canonical: "keras.layers.Conv2D", "builtins.len"
  std::vector<ArgumentSpec> arguments;
  Value (*call)(Interpreter &, const Call &) = nullptr;
  Family family = Family::function;
  const LayerType *layer = nullptr; // of a layer

  /// The last part of the path: "Conv2D".
  std::string_view name() const;
};

/// The arguments of one call, checked and complete, by name.
class Arguments {
public:
  Arguments() = default;
  Arguments(const Native &native, std::vector<Value> values, std::vector<bool> given)
      : native_(&native), values_(std::move(values)), given_(std::move(given)) {}

  const Value &operator[](std::string_view name) const { return values_[index(name)]; }
  bool given(std::string_view name) const { return given_[index(name)]; }
  bool has(std::string_view name) const;
  bool is_none(std::string_view name) const;
  bool boolean(std::string_view name) const;
  int64_t integer(std::string_view name) const;
  double number(std::string_view name) const;
  float real(std::string_view name) const { return static_cast<float>(number(name)); }
  const std::string &text(std::string_view name) const;
  std::array<int64_t, 2> pair(std::string_view name) const;
  const std::vector<Value> &items(std::string_view name) const; // of a list, tuple or rest

private:
  size_t index(std::string_view name) const;

  const Native *native_ = nullptr;
  std::vector<Value> values_;
  std::vector<bool> given_;
};

/// What a native function is called with.
struct Call {
  const Native &native;
  Arguments arguments;
  SourceLocation location;
  Value self = None{}; // of a method
};

/// An optimizer, loss, metric, initializer or callback: the class and its arguments.
struct Configured {
  const Native *type;
  Arguments arguments;
  SourceLocation location;
};

/// Matches the arguments of a call with the native's list; throws CompileError.
Arguments bind(Interpreter &, const Native &, const CallArguments &, const SourceLocation &);

/// Raises the error that an unknown value decides something: at its origin when that is known.
[[noreturn]] void fail_unknown(const Opaque &, const SourceLocation &, const std::string &use);

/// "; did you mean 'x'?" with the nearest of the candidates, or "".
std::string suggestion(std::string_view word, const std::vector<std::string_view> &candidates);

// Argument list shorthands.
inline ArgumentSpec required(std::string_view name, ArgumentKind kind) {
  return {name, kind, std::nullopt};
}
inline ArgumentSpec optional(std::string_view name, ArgumentKind kind, Value fallback = None{}) {
  return {name, kind, std::move(fallback)};
}
inline ArgumentSpec optional(std::string_view name, ArgumentKind kind, const char *fallback) {
  return {name, kind, Value(std::string(fallback))};
}
inline ArgumentSpec optional(std::string_view name, ArgumentKind kind, int fallback) {
  return {name, kind, Value(int64_t{fallback})};
}
inline ArgumentSpec choice(std::string_view name, const char *fallback, std::string_view choices) {
  return {name, ArgumentKind::choice, Value(std::string(fallback)), choices};
}

} // namespace sinter

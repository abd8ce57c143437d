#include "frontend/native.h"

#include "frontend/interpreter.h"
#include "ir/diagnostics.h"

#include <algorithm>
#include <cmath>

namespace sinter {

namespace {

constexpr int64_t kMaxInteger = INT32_MAX; // of sizes: products of a few of them fit in 64 bits

bool is_integer(const Value &value, int64_t low) {
  const auto *integer = std::get_if<int64_t>(&value);
  return integer && *integer >= low && *integer <= kMaxInteger;
}

bool is_pair(const Value &value) {
  const std::vector<Value> *items = sequence_items(value);
  if (!items)
    return is_integer(value, 1);
  return items->size() == 2 && is_integer((*items)[0], 1) && is_integer((*items)[1], 1);
}

bool is_choice(std::string_view choices, const Value &value) {
  const auto *text = std::get_if<std::string>(&value);
  if (!text || text->find('|') != std::string::npos)
    return false;
  return fmt::format("|{}|", choices).find(fmt::format("|{}|", *text)) != std::string::npos;
}

bool is_rate(const Value &value) {
  const Configured *configured = object<Configured>(value);
  return configured ? configured->type->family == Family::schedule
                    : is_number(value) && std::isfinite(to_number(value));
}

std::string list_choices(std::string_view choices) {
  std::string text;
  for (size_t begin = 0; begin <= choices.size();) {
    const size_t end = std::min(choices.find('|', begin), choices.size());
    text += fmt::format("{}'{}'", text.empty() ? "" : " or ", choices.substr(begin, end - begin));
    begin = end + 1;
  }
  return text;
}

/// Keras takes 'SAME' for 'same'.
Value lower_case(const Value &value) {
  const auto *text = std::get_if<std::string>(&value);
  if (!text)
    return value;
  std::string lower = *text;
  for (char &c : lower)
    c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return lower;
}

/// What the argument should have been, or "" when the value is right.
std::string mismatch(const ArgumentSpec &spec, const Value &value) {
  switch (spec.kind) {
  case ArgumentKind::boolean:
    return std::holds_alternative<bool>(value) ? "" : "True or False";
  case ArgumentKind::integer:
    return is_integer(value, -kMaxInteger) ? "" : "an integer of at most 2147483647";
  case ArgumentKind::positive:
  case ArgumentKind::single:
    return is_integer(value, 1) ? "" : "a positive integer of at most 2147483647";
  case ArgumentKind::non_negative:
    return is_integer(value, 0) ? "" : "an integer of at least 0 and at most 2147483647";
  case ArgumentKind::number:
    return is_number(value) && std::isfinite(to_number(value)) ? "" : "a number";
  case ArgumentKind::rate:
    return is_rate(value) ? "" : "a number or a schedule";
  case ArgumentKind::fraction:
    return is_number(value) && to_number(value) >= 0 && to_number(value) < 1
               ? ""
               : "a number of at least 0 and below 1";
  case ArgumentKind::text:
    return std::holds_alternative<std::string>(value) ? "" : "a string";
  case ArgumentKind::choice:
    return is_choice(spec.choices, value) ? "" : list_choices(spec.choices);
  case ArgumentKind::pair:
    return is_pair(value) ? "" : "a positive integer or two of them";
  default: // activations and initializers are resolved by whoever knows their names
    return "";
  }
}

void check(const Native &native, const ArgumentSpec &spec, const Value &value,
           const SourceLocation &location) {
  const bool is_default =
      spec.fallback && equal(*spec.fallback, value) &&
      (spec.kind == ArgumentKind::unsupported || spec.fallback->index() == value.index());
  if (spec.kind == ArgumentKind::any || spec.kind == ArgumentKind::ignored || is_default)
    return;
  if (const Opaque *unknown = object<Opaque>(value))
    fail_unknown(*unknown, location, fmt::format("{} of {}", spec.name, native.name()));
  if (spec.kind == ArgumentKind::unsupported)
    throw CompileError(location, "{} does not support {}={} yet", native.name(), spec.name,
                       describe(value));
  const std::string expected = mismatch(spec, value);
  if (!expected.empty())
    throw CompileError(location, "{}: {} must be {}, got {}", native.name(), spec.name, expected,
                       describe(value));
}

/// The binding of one call, argument by argument.
class Binder {
public:
  Binder(Interpreter &interpreter, const Native &native, const SourceLocation &location)
      : interpreter_(interpreter), native_(native), location_(location),
        values_(native.arguments.size()), given_(native.arguments.size()) {}

  void take_positional(const std::vector<Value> &positional);
  void take_keyword(const std::string &name, const Value &value);
  Arguments finish();

private:
  void set(size_t i, const Value &value);

  Interpreter &interpreter_;
  const Native &native_;
  const SourceLocation &location_;
  std::vector<Value> values_;
  std::vector<bool> given_;
  Dict *keywords_ = nullptr;
};

void Binder::set(size_t i, const Value &value) {
  const ArgumentSpec &spec = native_.arguments[i];
  if (given_[i])
    throw CompileError(location_, "{} got {} twice", native_.name(), spec.name);
  const std::vector<Value> *items = sequence_items(value);
  const bool in_list = spec.kind == ArgumentKind::single && items && items->size() == 1;
  values_[i] = spec.kind == ArgumentKind::choice ? lower_case(value)
               : in_list                         ? items->front()
                                                 : value;
  check(native_, spec, values_[i], location_);
  given_[i] = true;
}

void Binder::take_positional(const std::vector<Value> &positional) {
  for (size_t i = 0; i < positional.size(); ++i) {
    const bool known = i < native_.arguments.size();
    if (known && native_.arguments[i].kind == ArgumentKind::rest) {
      Tuple *rest = interpreter_.make<Tuple>();
      rest->items.assign(positional.begin() + static_cast<std::ptrdiff_t>(i), positional.end());
      values_[i] = rest;
      given_[i] = true;
      return;
    }
    if (!known || native_.arguments[i].kind == ArgumentKind::keywords)
      throw CompileError(location_, "{} takes at most {} positional arguments, got {}",
                         native_.name(), i, positional.size());
    set(i, positional[i]);
  }
}

void Binder::take_keyword(const std::string &name, const Value &value) {
  std::vector<std::string_view> names;
  for (size_t i = 0; i < native_.arguments.size(); ++i) {
    const ArgumentSpec &spec = native_.arguments[i];
    if (spec.kind == ArgumentKind::keywords) {
      if (!keywords_)
        keywords_ = interpreter_.make<Dict>();
      keywords_->items.emplace_back(name, value);
      values_[i] = keywords_;
      given_[i] = true;
      return;
    }
    if (spec.kind == ArgumentKind::rest)
      continue;
    if (spec.name == name)
      return set(i, value);
    names.push_back(spec.name);
  }
  throw CompileError(location_, "{} has no argument '{}'{}", native_.name(), name,
                     suggestion(name, names));
}

Arguments Binder::finish() {
  for (size_t i = 0; i < given_.size(); ++i) {
    const ArgumentSpec &spec = native_.arguments[i];
    if (given_[i])
      continue;
    if (spec.kind == ArgumentKind::rest)
      values_[i] = interpreter_.make<Tuple>();
    else if (spec.kind == ArgumentKind::keywords)
      values_[i] = interpreter_.make<Dict>();
    else if (spec.fallback)
      values_[i] = *spec.fallback;
    else
      throw CompileError(location_, "{} needs {}", native_.name(), spec.name);
  }
  return Arguments(native_, std::move(values_), std::move(given_));
}

/// Levenshtein's distance, case ignored.
size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j)
    row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const bool same = std::tolower(static_cast<unsigned char>(a[i - 1])) ==
                        std::tolower(static_cast<unsigned char>(b[j - 1]));
      const size_t replaced = diagonal + (same ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({replaced, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row[b.size()];
}

} // namespace

const char *name(Family family) {
  static constexpr const char *kNames[] = {
      "a function",     "a layer",       "an optimizer", "a loss",     "a metric",
      "an initializer", "a regularizer", "a constraint", "a callback", "a schedule",
      "a scheduler",    "an activation", "a data set",   "a type"};
  return kNames[static_cast<size_t>(family)];
}

std::string_view Native::name() const { return path.substr(path.rfind('.') + 1); }

size_t Arguments::index(std::string_view name) const {
  for (size_t i = 0; i < native_->arguments.size(); ++i)
    if (native_->arguments[i].name == name)
      return i;
  SINTER_UNREACHABLE("{} has no argument {}", native_->path, name);
}

bool Arguments::has(std::string_view name) const {
  return native_ && std::any_of(native_->arguments.begin(), native_->arguments.end(),
                                [&](const ArgumentSpec &spec) { return spec.name == name; });
}

bool Arguments::is_none(std::string_view name) const {
  return std::holds_alternative<None>((*this)[name]);
}
bool Arguments::boolean(std::string_view name) const { return std::get<bool>((*this)[name]); }
int64_t Arguments::integer(std::string_view name) const { return std::get<int64_t>((*this)[name]); }
double Arguments::number(std::string_view name) const { return to_number((*this)[name]); }
const std::string &Arguments::text(std::string_view name) const {
  return std::get<std::string>((*this)[name]);
}

std::array<int64_t, 2> Arguments::pair(std::string_view name) const {
  const Value &value = (*this)[name];
  if (const std::vector<Value> *items = sequence_items(value))
    return {std::get<int64_t>((*items)[0]), std::get<int64_t>((*items)[1])};
  return {std::get<int64_t>(value), std::get<int64_t>(value)};
}

const std::vector<Value> &Arguments::items(std::string_view name) const {
  const std::vector<Value> *items = sequence_items((*this)[name]);
  SINTER_ASSERT(items, "{} is no sequence", name);
  return *items;
}

Arguments bind(Interpreter &interpreter, const Native &native, const CallArguments &arguments,
               const SourceLocation &location) {
  Binder binder(interpreter, native, location);
  binder.take_positional(arguments.positional);
  for (const auto &[name, value] : arguments.keywords)
    binder.take_keyword(name, value);
  return binder.finish();
}

void fail_unknown(const Opaque &unknown, const SourceLocation &location, const std::string &use) {
  if (unknown.location.line == location.line)
    throw CompileError(location, "the result of {} is not known when compiling, but it decides {}",
                       unknown.origin, use);
  throw CompileError(unknown.location,
                     "the result of {} is not known when compiling, but it decides {} on line {}",
                     unknown.origin, use, location.line);
}

std::string suggestion(std::string_view word, const std::vector<std::string_view> &candidates) {
  std::string_view best;
  size_t best_distance = (word.size() <= 3 ? 1 : std::max<size_t>(2, word.size() / 3)) + 1;
  if (word.size() < 3 || word.size() > 60)
    return "";
  for (const std::string_view candidate : candidates) {
    const size_t distance = edit_distance(word, candidate);
    if (distance < best_distance) {
      best = candidate;
      best_distance = distance;
    }
  }
  return best.empty() ? "" : fmt::format("; did you mean '{}'?", best);
}

} // namespace sinter

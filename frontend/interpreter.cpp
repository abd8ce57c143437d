#include "frontend/interpreter.h"

#include "frontend/data_array.h"
#include "frontend/keras_session.h"
#include "frontend/modules.h"
#include "frontend/torch_modules.h"

namespace sinter {

Interpreter::Interpreter(const Script &script, const LoadOptions &options, Diagnostics &diagnostics)
    : script_(script), options_(options), diagnostics_(diagnostics),
      keras_(std::make_unique<KerasSession>(*this)) {
  globals_ = make<Environment>();
  locals_ = globals_;
  globals_->names["__name__"] = std::string("__main__");
  globals_->names["__file__"] = *script.file.name;
}

Interpreter::~Interpreter() = default;

void Interpreter::run() { execute(script_.body); }

Value Interpreter::list(std::vector<Value> items) {
  List *created = make<List>();
  created->items = std::move(items);
  return created;
}

Value Interpreter::tuple(std::vector<Value> items) {
  Tuple *created = make<Tuple>();
  created->items = std::move(items);
  return created;
}

Value Interpreter::opaque(const std::string &origin, const SourceLocation &location) {
  return make<Opaque>(origin, location);
}

std::vector<Value> Interpreter::iterate(const Value &value, const SourceLocation &location) {
  if (const std::vector<Value> *items = sequence_items(value)) {
    charge_items(*items, location);
    return *items;
  }
  if (const Dict *dict = object<Dict>(value)) {
    std::vector<Value> keys;
    for (const auto &item : dict->items)
      keys.push_back(item.first);
    charge(static_cast<int64_t>(keys.size()), location);
    return keys;
  }
  if (const auto *text = std::get_if<std::string>(&value)) {
    charge(static_cast<int64_t>(text->size()), location);
    std::vector<Value> characters;
    for (size_t i = 0; i < text->size();) {
      size_t end = i + 1;
      while (end < text->size() && (static_cast<unsigned char>((*text)[end]) & 0xC0U) == 0x80U)
        ++end;
      characters.emplace_back(text->substr(i, end - i));
      i = end;
    }
    return characters;
  }
  if (const auto parts = sequential_parts(value)) {
    const bool by_name = object<Layer>(value)->instance->type->native->name() == "ModuleDict";
    std::vector<Value> items;
    for (const auto &[name, part] : *parts)
      items.push_back(by_name ? Value(name) : part);
    charge(static_cast<int64_t>(items.size()), location);
    return items;
  }
  if (const Opaque *unknown = object<Opaque>(value))
    fail_unknown(*unknown, location, "what is iterated");
  throw CompileError(location, "{} cannot be iterated", describe(value));
}

bool Interpreter::truth(const Value &value, const SourceLocation &location) {
  if (is_number(value))
    return to_number(value) != 0;
  if (const std::vector<Value> *items = sequence_items(value))
    return !items->empty();
  if (const Dict *dict = object<Dict>(value))
    return !dict->items.empty();
  if (const auto *text = std::get_if<std::string>(&value))
    return !text->empty();
  if (const Opaque *unknown = object<Opaque>(value))
    fail_unknown(*unknown, location, "a condition");
  if (object<DataArray>(value) || object<KerasTensor>(value))
    throw CompileError(location, "{} has no truth value when compiling", describe(value));
  return !std::holds_alternative<None>(value);
}

void Interpreter::charge(int64_t steps, const SourceLocation &location) {
  steps_ += steps;
  if (steps > options_.max_steps || steps_ > options_.max_steps)
    throw CompileError(location, "the script takes more than {} steps to evaluate",
                       options_.max_steps);
}

void Interpreter::charge_text(const std::string &text, const SourceLocation &location) {
  charge(static_cast<int64_t>(text.size()) / 16, location);
}

void Interpreter::charge_items(const std::vector<Value> &items, const SourceLocation &location) {
  charge(static_cast<int64_t>(items.size()), location);
  for (const Value &item : items)
    if (const auto *text = std::get_if<std::string>(&item))
      charge_text(*text, location);
}

Value *Interpreter::find_item(Dict &dict, const Value &key, const SourceLocation &location) {
  charge(static_cast<int64_t>(dict.items.size()) * extent(key) / 4, location);
  return dict.find(key);
}

void Interpreter::set_item(Dict &dict, const Value &key, const Value &value,
                           const SourceLocation &location) {
  if (Value *existing = find_item(dict, key, location))
    *existing = value;
  else
    dict.items.emplace_back(key, value);
}

void Interpreter::skip(const SourceLocation &location, const std::string &text) {
  if (skipped_lines_.insert(location.line).second)
    diagnostics_.warn(location, text);
}

void Interpreter::warn(const SourceLocation &location, const std::string &text) {
  diagnostics_.warn(location, text);
}

void Interpreter::require_certain(const SourceLocation &location, std::string_view effect) const {
  if (uncertain_)
    throw CompileError(location,
                       "whether {} happens depends on the result of {} (line {}), which is not "
                       "known when compiling",
                       effect, uncertain_->origin, uncertain_->location.line);
}

} // namespace sinter

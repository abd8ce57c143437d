#include "frontend/value.h"

#include "frontend/data_array.h"
#include "frontend/keras_objects.h"
#include "frontend/native.h"

#include <cmath>
#include <fmt/format.h>

namespace sinter {

namespace {

constexpr int kMaxDepth = 20; // of nested lists that are shown or compared
constexpr size_t kMaxShown = 8;
constexpr size_t kLongestShown = 200; // of a list: those that hold lists eight times double

std::string describe(const Value &value, int depth);

std::string describe_items(const std::vector<Value> &items, int depth) {
  std::string text;
  for (size_t i = 0; i < items.size(); ++i) {
    text += i > 0 ? ", " : "";
    if (i == kMaxShown || text.size() > kLongestShown)
      return text + "...";
    text += describe(items[i], depth + 1);
  }
  return text;
}

/// Python's repr: the shortest digits that read back as the same number, always with a point or
/// an exponent.
std::string describe_real(double value) {
  if (std::isnan(value))
    return "nan";
  if (std::isinf(value))
    return value > 0 ? "inf" : "-inf";
  const std::string text = fmt::format("{}", value);
  return text.find_first_of(".e") == std::string::npos ? text + ".0" : text;
}

struct Describe {
  int depth;
  std::string operator()(None) const { return "None"; }
  std::string operator()(Ellipsis) const { return "..."; }
  std::string operator()(bool value) const { return value ? "True" : "False"; }
  std::string operator()(int64_t value) const { return std::to_string(value); }
  std::string operator()(double value) const { return describe_real(value); }
  std::string operator()(const std::string &value) const { return fmt::format("'{}'", value); }
  std::string operator()(const List *value) const {
    return fmt::format("[{}]", describe_items(value->items, depth));
  }
  std::string operator()(const Tuple *value) const {
    return fmt::format("({}{})", describe_items(value->items, depth),
                       value->items.size() == 1 ? "," : "");
  }
  std::string operator()(const Dict *value) const {
    std::string text;
    for (const auto &[key, item] : value->items) {
      text += text.empty() ? "" : ", ";
      if (text.size() > 100)
        return fmt::format("{{{}...}}", text);
      text += describe(key, depth + 1) + ": " + describe(item, depth + 1);
    }
    return fmt::format("{{{}}}", text);
  }
  std::string operator()(const Slice *) const { return "a slice"; }
  std::string operator()(const Function *value) const {
    return fmt::format("the function {}", value->name);
  }
  std::string operator()(const Partial *) const { return "a partial function"; }
  std::string operator()(const Native *value) const { return std::string(value->path); }
  std::string operator()(const BoundMethod *value) const {
    return fmt::format("the method {}", value->method->name());
  }
  std::string operator()(const ModuleName &value) const { return value.path; }
  std::string operator()(const Configured *value) const {
    return fmt::format("{}(...)", value->type->name());
  }
  std::string operator()(const Layer *value) const {
    return fmt::format("the layer '{}'", value->name);
  }
  std::string operator()(const KerasTensor *value) const {
    return fmt::format("the output of layer '{}'", value->producer->layer->name);
  }
  std::string operator()(const KerasModel *value) const {
    return fmt::format("the model '{}'", value->layer.name);
  }
  std::string operator()(const DataArray *value) const { return value->str(); }
  std::string operator()(const Opaque *value) const {
    return fmt::format("the result of {}", value->origin);
  }
  std::string operator()(const Class *value) const {
    return fmt::format("the class {}", value->name);
  }
  std::string operator()(const Instance *value) const {
    return fmt::format("a {}", value->type->name);
  }
  std::string operator()(const Super *) const { return "super()"; }
};

std::string describe(const Value &value, int depth) {
  return depth > kMaxDepth ? "..." : std::visit(Describe{depth}, value);
}

bool equal(const Value &a, const Value &b, int depth) {
  if (is_number(a) && is_number(b))
    return std::holds_alternative<int64_t>(a) && std::holds_alternative<int64_t>(b)
               ? std::get<int64_t>(a) == std::get<int64_t>(b)
               : to_number(a) == to_number(b);
  if (a.index() != b.index() || depth > kMaxDepth)
    return false;
  const std::vector<Value> *left = sequence_items(a);
  if (left) {
    const std::vector<Value> *right = sequence_items(b);
    if (left->size() != right->size())
      return false;
    for (size_t i = 0; i < left->size(); ++i)
      if (!equal((*left)[i], (*right)[i], depth + 1))
        return false;
    return true;
  }
  if (const auto *module = std::get_if<ModuleName>(&a))
    return module->path == std::get<ModuleName>(b).path;
  if (Dict *dict = object<Dict>(a)) {
    Dict *other = object<Dict>(b);
    if (dict->items.size() != other->items.size())
      return false;
    for (const auto &[key, item] : dict->items) {
      const Value *found = other->find(key);
      if (!found || !equal(item, *found, depth + 1))
        return false;
    }
    return true;
  }
  return std::visit(
      [&](const auto &x) {
        using T = std::decay_t<decltype(x)>;
        if constexpr (std::is_same_v<T, std::string> || std::is_pointer_v<T>)
          return x == std::get<T>(b);
        else
          return true; // None and Ellipsis
      },
      a);
}

void count_values(const Value &value, int depth, int64_t &count) {
  constexpr int64_t kMost = 40'000'000;
  ++count;
  if (depth > kMaxDepth || count > kMost)
    return;
  if (const std::vector<Value> *items = sequence_items(value))
    for (size_t i = 0; i < items->size() && count <= kMost; ++i)
      count_values((*items)[i], depth + 1, count);
  if (const Dict *dict = object<Dict>(value))
    for (size_t i = 0; i < dict->items.size() && count <= kMost; ++i) {
      count_values(dict->items[i].first, depth + 1, count);
      count_values(dict->items[i].second, depth + 1, count);
    }
}

} // namespace

Value *Dict::find(const Value &key) {
  for (auto &[name, value] : items)
    if (equal(name, key))
      return &value;
  return nullptr;
}

Value *Instance::find(const std::string &name) {
  for (auto &[field, value] : fields)
    if (field == name)
      return &value;
  return nullptr;
}

std::string type_name(const Value &value) {
  static constexpr const char *kNames[] = {
      "None",  "Ellipsis", "bool",     "int",     "float",         "str",    "list",     "tuple",
      "dict",  "slice",    "function", "partial", "function",      "method", "module",   "object",
      "layer", "tensor",   "model",    "array",   "unknown value", "class",  "instance", "super"};
  static_assert(std::size(kNames) == std::variant_size_v<Value>);
  return kNames[value.index()];
}

std::string describe(const Value &value) { return describe(value, 0); }

std::string to_text(const Value &value) {
  const auto *text = std::get_if<std::string>(&value);
  return text ? *text : describe(value);
}

bool equal(const Value &a, const Value &b) { return equal(a, b, 0); }

int64_t extent(const Value &value) {
  int64_t count = 0;
  count_values(value, 0, count);
  return count;
}

const std::vector<Value> *sequence_items(const Value &value) {
  if (const List *list = object<List>(value))
    return &list->items;
  if (const Tuple *tuple = object<Tuple>(value))
    return &tuple->items;
  return nullptr;
}

bool is_number(const Value &value) {
  return std::holds_alternative<bool>(value) || std::holds_alternative<int64_t>(value) ||
         std::holds_alternative<double>(value);
}

double to_number(const Value &value) {
  if (const auto *boolean = std::get_if<bool>(&value))
    return *boolean ? 1 : 0;
  if (const auto *integer = std::get_if<int64_t>(&value))
    return static_cast<double>(*integer);
  return std::get<double>(value);
}

} // namespace sinter

// The methods of lists, tuples, dicts and strings.
#include "frontend/interpreter.h"
#include "frontend/modules.h"

#include <algorithm>

namespace sinter {

namespace {

List &changed_list(Interpreter &interpreter, const Call &call) {
  interpreter.require_certain(call.location, "a change of this list");
  return *object<List>(call.self);
}

Value list_append(Interpreter &interpreter, const Call &call) {
  changed_list(interpreter, call).items.push_back(call.arguments["item"]);
  return None{};
}

Value list_extend(Interpreter &interpreter, const Call &call) {
  List &list = changed_list(interpreter, call);
  for (const Value &item : interpreter.iterate(call.arguments["iterable"], call.location))
    list.items.push_back(item);
  return None{};
}

Value list_insert(Interpreter &interpreter, const Call &call) {
  List &list = changed_list(interpreter, call);
  const auto length = static_cast<int64_t>(list.items.size());
  const int64_t index = call.arguments.integer("index");
  interpreter.charge(length / 16, call.location);
  list.items.insert(list.items.begin() +
                        std::clamp(index < 0 ? index + length : index, int64_t{0}, length),
                    call.arguments["item"]);
  return None{};
}

Value list_pop(Interpreter &interpreter, const Call &call) {
  List &list = changed_list(interpreter, call);
  const auto length = static_cast<int64_t>(list.items.size());
  int64_t index = call.arguments.integer("index");
  index = index < 0 ? index + length : index;
  if (index < 0 || index >= length)
    throw CompileError(call.location, "index {} is outside a list of {}",
                       call.arguments.integer("index"), length);
  const auto place = list.items.begin() + index;
  Value item = *place;
  interpreter.charge(length / 16, call.location);
  list.items.erase(place);
  return item;
}

Value list_reverse(Interpreter &interpreter, const Call &call) {
  List &list = changed_list(interpreter, call);
  interpreter.charge(static_cast<int64_t>(list.items.size()) / 16, call.location);
  std::reverse(list.items.begin(), list.items.end());
  return None{};
}

Value copy_sequence(Interpreter &interpreter, const Call &call) {
  return interpreter.list(interpreter.iterate(call.self, call.location));
}

Value sequence_index(Interpreter &interpreter, const Call &call) {
  const std::vector<Value> &items = *sequence_items(call.self);
  interpreter.charge(extent(call.self) / 4, call.location);
  for (size_t i = 0; i < items.size(); ++i)
    if (equal(items[i], call.arguments["item"]))
      return static_cast<int64_t>(i);
  throw CompileError(call.location, "{} is not in the {}", describe(call.arguments["item"]),
                     type_name(call.self));
}

Value sequence_count(Interpreter &interpreter, const Call &call) {
  const std::vector<Value> &items = *sequence_items(call.self);
  interpreter.charge(extent(call.self) / 4, call.location);
  return static_cast<int64_t>(std::count_if(items.begin(), items.end(), [&](const Value &item) {
    return equal(item, call.arguments["item"]);
  }));
}

// ---- dicts -------------------------------------------------------------------------------------

Value dict_keys(Interpreter &interpreter, const Call &call) {
  return interpreter.list(interpreter.iterate(call.self, call.location));
}

Value dict_values(Interpreter &interpreter, const Call &call) {
  std::vector<Value> values;
  for (const auto &item : object<Dict>(call.self)->items)
    values.push_back(item.second);
  interpreter.charge_items(values, call.location);
  return interpreter.list(std::move(values));
}

Value dict_items(Interpreter &interpreter, const Call &call) {
  std::vector<Value> pairs;
  for (const auto &[key, value] : object<Dict>(call.self)->items)
    pairs.push_back(interpreter.tuple({key, value}));
  interpreter.charge(static_cast<int64_t>(pairs.size()), call.location);
  return interpreter.list(std::move(pairs));
}

Value dict_get(Interpreter &interpreter, const Call &call) {
  const Value *found =
      interpreter.find_item(*object<Dict>(call.self), call.arguments["key"], call.location);
  return found ? *found : call.arguments["default"];
}

Value dict_update(Interpreter &interpreter, const Call &call) {
  interpreter.require_certain(call.location, "a change of this dict");
  Dict *dict = object<Dict>(call.self);
  const Dict *other = object<Dict>(call.arguments["other"]);
  if (!other)
    throw CompileError(call.location, "update needs a dict, got {}",
                       describe(call.arguments["other"]));
  const auto items = other->items; // may be the dict itself
  for (const auto &[key, value] : items)
    interpreter.set_item(*dict, key, value, call.location);
  return None{};
}

// ---- strings -----------------------------------------------------------------------------------

const std::string &text_of(const Call &call) { return std::get<std::string>(call.self); }

/// '{}_{}'.format(a, b): positional fields, by order or number, and named ones.
Value str_format(Interpreter &interpreter, const Call &call) {
  const std::string &format = text_of(call);
  const std::vector<Value> &positional = call.arguments.items("values");
  Dict *named = object<Dict>(call.arguments["named"]);
  std::string result;
  size_t next = 0;
  for (size_t i = 0; i < format.size(); ++i) {
    const char c = format[i];
    if ((c == '{' || c == '}') && i + 1 < format.size() && format[i + 1] == c) {
      result += c;
      ++i;
      continue;
    }
    if (c != '{') {
      result += c;
      continue;
    }
    const size_t end = format.find('}', i);
    if (end == std::string::npos)
      throw CompileError(call.location, "a '{' in this format is never closed");
    const std::string field = format.substr(i + 1, end - i - 1);
    const size_t colon = std::min(field.find(':'), field.size());
    const std::string name = field.substr(0, colon);
    const bool number = name.find_first_not_of("0123456789") == std::string::npos;
    const size_t index = name.empty()                ? next++
                         : number && name.size() < 4 ? std::stoul(name)
                                                     : SIZE_MAX;
    const Value *value =
        number ? (index < positional.size() ? &positional[index] : nullptr) : named->find(name);
    if (!value)
      throw CompileError(call.location, "no value for the field {{{}}}", field);
    if (object<Opaque>(*value))
      return *value;
    result += format_value(*value, field.substr(std::min(colon + 1, field.size())), call.location);
    interpreter.charge(static_cast<int64_t>(result.size()) / 16, call.location);
    i = end;
  }
  return result;
}

Value str_join(Interpreter &interpreter, const Call &call) {
  std::string joined;
  bool first = true;
  for (const Value &item : interpreter.iterate(call.arguments["iterable"], call.location)) {
    if (object<Opaque>(item))
      return item;
    const auto *text = std::get_if<std::string>(&item);
    if (!text)
      throw CompileError(call.location, "join needs strings, got {}", describe(item));
    joined += (first ? "" : text_of(call)) + *text;
    first = false;
    interpreter.charge(static_cast<int64_t>(joined.size()) / 16, call.location);
  }
  return joined;
}

Value str_case(Interpreter &, const Call &call) {
  std::string text = text_of(call);
  const bool upper = call.native.name() == "upper";
  for (char &c : text)
    c = static_cast<char>(upper ? std::toupper(static_cast<unsigned char>(c))
                                : std::tolower(static_cast<unsigned char>(c)));
  return text;
}

Value str_split(Interpreter &interpreter, const Call &call) {
  const std::string &text = text_of(call);
  const std::string &separator = call.arguments.text("sep");
  if (separator.empty())
    throw CompileError(call.location, "split needs a separator");
  std::vector<Value> parts;
  size_t begin = 0;
  for (size_t end = text.find(separator); end != std::string::npos;
       end = text.find(separator, begin)) {
    parts.emplace_back(text.substr(begin, end - begin));
    begin = end + separator.size();
  }
  parts.emplace_back(text.substr(begin));
  return interpreter.list(std::move(parts));
}

Value str_starts_ends(Interpreter &, const Call &call) {
  const std::string &text = text_of(call);
  const std::string &part = call.arguments.text("part");
  if (part.size() > text.size())
    return false;
  return call.native.name() == "startswith"
             ? text.compare(0, part.size(), part) == 0
             : text.compare(text.size() - part.size(), part.size(), part) == 0;
}

} // namespace

const std::vector<Native> &method_natives() {
  using Kind = ArgumentKind;
  static const ArgumentSpec item = required("item", Kind::any);
  static const ArgumentSpec iterable = required("iterable", Kind::any);
  static const std::vector<Native> natives = {
      {"list.append", {item}, list_append},
      {"list.extend", {iterable}, list_extend},
      {"list.insert", {required("index", Kind::integer), item}, list_insert},
      {"list.pop", {optional("index", Kind::integer, -1)}, list_pop},
      {"list.reverse", {}, list_reverse},
      {"list.copy", {}, copy_sequence},
      {"list.index", {item}, sequence_index},
      {"list.count", {item}, sequence_count},
      {"tuple.index", {item}, sequence_index},
      {"tuple.count", {item}, sequence_count},
      {"dict.keys", {}, dict_keys},
      {"dict.values", {}, dict_values},
      {"dict.items", {}, dict_items},
      {"dict.get", {required("key", Kind::any), optional("default", Kind::any)}, dict_get},
      {"dict.update", {required("other", Kind::any)}, dict_update},
      {"str.format",
       {optional("values", Kind::rest), optional("named", Kind::keywords)},
       str_format},
      {"str.join", {iterable}, str_join},
      {"str.lower", {}, str_case},
      {"str.upper", {}, str_case},
      {"str.split", {required("sep", Kind::text)}, str_split},
      {"str.startswith", {required("part", Kind::text)}, str_starts_ends},
      {"str.endswith", {required("part", Kind::text)}, str_starts_ends}};
  return natives;
}

} // namespace sinter

// Python's functions on sequences, and the methods of lists, dicts and strings.
#include "frontend/data_array.h"
#include "frontend/interpreter.h"
#include "frontend/modules.h"
#include "frontend/tensorflow_data.h"
#include "frontend/torch_modules.h"

#include <algorithm>

namespace sinter {

namespace {

Value call_range(Interpreter &interpreter, const Call &call) {
  const std::vector<Value> &given = call.arguments.items("bounds");
  std::array<int64_t, 3> bounds{0, 0, 1}; // start, stop, step
  if (given.empty() || given.size() > 3)
    throw CompileError(call.location, "range takes 1 to 3 arguments, got {}", given.size());
  for (size_t i = 0; i < given.size(); ++i) {
    const auto *integer = std::get_if<int64_t>(&given[i]);
    if (!integer)
      throw CompileError(call.location, "range needs integers, got {}", describe(given[i]));
    bounds[given.size() == 1 ? 1 : i] = *integer;
  }
  const auto [start, stop, step] = bounds;
  if (step == 0)
    throw CompileError(call.location, "range needs a step other than 0");
  std::vector<Value> items;
  for (int64_t i = start; step > 0 ? i < stop : i > stop;) {
    interpreter.charge(1, call.location);
    items.emplace_back(i);
    if (__builtin_add_overflow(i, step, &i))
      break;
  }
  return interpreter.list(std::move(items));
}

Value call_len(Interpreter &interpreter, const Call &call) {
  const Value &value = call.arguments["object"];
  if (const DataArray *array = object<DataArray>(value))
    return array->shape.at(0);
  if (const std::optional<int64_t> length = dataset_length(interpreter, value))
    return *length;
  return static_cast<int64_t>(interpreter.iterate(value, call.location).size());
}

Value call_list(Interpreter &interpreter, const Call &call) {
  return interpreter.list(interpreter.iterate(call.arguments["iterable"], call.location));
}
Value call_tuple(Interpreter &interpreter, const Call &call) {
  return interpreter.tuple(interpreter.iterate(call.arguments["iterable"], call.location));
}

Value call_dict(Interpreter &interpreter, const Call &call) {
  Dict *dict = interpreter.make<Dict>();
  const auto set = [&](const Value &key, const Value &value) {
    interpreter.set_item(*dict, key, value, call.location);
  };
  const Value &items = call.arguments["items"];
  if (const Dict *other = object<Dict>(items)) {
    *dict = *other;
  } else {
    for (const Value &pair : interpreter.iterate(items, call.location)) {
      const std::vector<Value> *parts = sequence_items(pair);
      if (!parts || parts->size() != 2)
        throw CompileError(call.location, "dict needs pairs, got {}", describe(pair));
      set((*parts)[0], (*parts)[1]);
    }
  }
  for (const auto &[key, value] : object<Dict>(call.arguments["keywords"])->items)
    set(key, value);
  return dict;
}

Value call_enumerate(Interpreter &interpreter, const Call &call) {
  int64_t index = call.arguments.integer("start");
  std::vector<Value> pairs;
  for (const Value &item : interpreter.iterate(call.arguments["iterable"], call.location))
    pairs.push_back(interpreter.tuple({index++, item}));
  return interpreter.list(std::move(pairs));
}

Value call_zip(Interpreter &interpreter, const Call &call) {
  std::vector<std::vector<Value>> columns;
  for (const Value &iterable : call.arguments.items("iterables"))
    columns.push_back(interpreter.iterate(iterable, call.location));
  size_t rows = columns.empty() ? 0 : SIZE_MAX;
  for (const auto &column : columns)
    rows = std::min(rows, column.size());
  std::vector<Value> tuples;
  for (size_t row = 0; row < rows; ++row) {
    std::vector<Value> items;
    for (const auto &column : columns)
      items.push_back(column[row]);
    tuples.push_back(interpreter.tuple(std::move(items)));
  }
  return interpreter.list(std::move(tuples));
}

Value call_map(Interpreter &interpreter, const Call &call) {
  std::vector<Value> results;
  for (const Value &item : interpreter.iterate(call.arguments["iterable"], call.location))
    results.push_back(interpreter.call(call.arguments["function"], {{item}, {}}, call.location));
  return interpreter.list(std::move(results));
}

Value call_reversed(Interpreter &interpreter, const Call &call) {
  std::vector<Value> items = interpreter.iterate(call.arguments["sequence"], call.location);
  std::reverse(items.begin(), items.end());
  return interpreter.list(std::move(items));
}

/// The items of min(a, b), min([a, b]), max(...) alike.
std::vector<Value> compared_items(Interpreter &interpreter, const Call &call) {
  const std::vector<Value> &given = call.arguments.items("values");
  std::vector<Value> items =
      given.size() == 1 ? interpreter.iterate(given[0], call.location) : given;
  if (items.empty())
    throw CompileError(call.location, "{} of nothing", call.native.name());
  return items;
}

Value call_extreme(Interpreter &interpreter, const Call &call) {
  const std::vector<Value> items = compared_items(interpreter, call);
  const std::string op = call.native.name() == "min" ? "<" : ">";
  Value best = items[0];
  for (const Value &item : items) {
    Value better = comparison(interpreter, op, item, best, call.location);
    if (object<Opaque>(better))
      return better;
    if (interpreter.truth(better, call.location))
      best = item;
  }
  return best;
}

Value call_sum(Interpreter &interpreter, const Call &call) {
  Value total = call.arguments["start"];
  for (const Value &item : interpreter.iterate(call.arguments["iterable"], call.location))
    total = binary_operation(interpreter, "+", total, item, call.location);
  return total;
}

Value call_sorted(Interpreter &interpreter, const Call &call) {
  std::vector<Value> items = interpreter.iterate(call.arguments["iterable"], call.location);
  std::vector<std::pair<Value, Value>> keyed;
  const bool by_key = !call.arguments.is_none("key");
  for (const Value &item : items) {
    Value key =
        by_key ? interpreter.call(call.arguments["key"], {{item}, {}}, call.location) : item;
    if (object<Opaque>(key))
      return key;
    keyed.emplace_back(key, item);
  }
  const bool descending = call.arguments.boolean("reverse");
  std::stable_sort(keyed.begin(), keyed.end(), [&](const auto &a, const auto &b) {
    const Value less = comparison(interpreter, "<", descending ? b.first : a.first,
                                  descending ? a.first : b.first, call.location);
    return interpreter.truth(less, call.location);
  });
  for (size_t i = 0; i < items.size(); ++i)
    items[i] = keyed[i].second;
  return interpreter.list(std::move(items));
}

/// iter(loader) is the loader, and next() of it one of its batches: both unknown. An iterator over
/// what is known is a list that next() takes items from.
Value call_iter(Interpreter &interpreter, const Call &call) {
  if (dataset_contents(call.arguments["iterable"]))
    return interpreter.opaque("the batches of a Dataset", call.location);
  return interpreter.list(interpreter.iterate(call.arguments["iterable"], call.location));
}

Value call_next(Interpreter &interpreter, const Call &call) {
  interpreter.require_certain(call.location, "this next()");
  List *items = object<List>(call.arguments["iterator"]);
  if (!items)
    throw CompileError(call.location, "next needs an iterator, got {}",
                       describe(call.arguments["iterator"]));
  if (items->items.empty() && call.arguments.given("default"))
    return call.arguments["default"];
  if (items->items.empty())
    throw CompileError(call.location, "next: the iterator is at its end");
  interpreter.charge(static_cast<int64_t>(items->items.size()) / 16, call.location);
  Value item = items->items.front();
  items->items.erase(items->items.begin());
  return item;
}

/// tqdm(loader), tqdm(range(10)): what is walked along; the bar of a program is its own.
Value call_tqdm(Interpreter &interpreter, const Call &call) {
  const Value &iterable = call.arguments["iterable"];
  if (object<Opaque>(iterable))
    return iterable;
  if (std::holds_alternative<None>(iterable))
    return interpreter.opaque("tqdm", call.location);
  return interpreter.list(interpreter.iterate(iterable, call.location));
}

/// bar.set_postfix(loss=...)
Value call_bar(Interpreter &interpreter, const Call &call) {
  interpreter.skip(call.location, "the progress bar is skipped: the program has its own");
  return None{};
}

Value call_any_all(Interpreter &interpreter, const Call &call) {
  const bool any = call.native.name() == "any";
  for (const Value &item : interpreter.iterate(call.arguments["iterable"], call.location))
    if (interpreter.truth(item, call.location) == any)
      return any;
  return !any;
}

} // namespace

const std::vector<Native> &sequence_natives() {
  using Kind = ArgumentKind;
  static const ArgumentSpec iterable = required("iterable", Kind::any);
  static const ArgumentSpec options = optional("options", Kind::keywords);
  static const std::vector<Native> natives = {
      {"builtins.range", {optional("bounds", Kind::rest)}, call_range},
      {"builtins.len", {required("object", Kind::any)}, call_len},
      {"builtins.list", {optional("iterable", Kind::any, "")}, call_list, Family::type},
      {"builtins.tuple", {optional("iterable", Kind::any, "")}, call_tuple, Family::type},
      {"builtins.dict",
       {optional("items", Kind::any, ""), optional("keywords", Kind::keywords)},
       call_dict,
       Family::type},
      {"builtins.enumerate", {iterable, optional("start", Kind::integer, 0)}, call_enumerate},
      {"builtins.zip", {optional("iterables", Kind::rest)}, call_zip},
      {"builtins.map", {required("function", Kind::any), iterable}, call_map},
      {"builtins.reversed", {required("sequence", Kind::any)}, call_reversed},
      {"builtins.min", {optional("values", Kind::rest)}, call_extreme},
      {"builtins.max", {optional("values", Kind::rest)}, call_extreme},
      {"builtins.sum", {iterable, optional("start", Kind::any, 0)}, call_sum},
      {"builtins.sorted",
       {iterable, optional("key", Kind::any), optional("reverse", Kind::boolean, Value(false))},
       call_sorted},
      {"builtins.iter", {iterable}, call_iter},
      {"builtins.next",
       {required("iterator", Kind::any), optional("default", Kind::any)},
       call_next},
      {"tqdm.tqdm", {optional("iterable", Kind::any), options}, call_tqdm},
      {"tqdm.trange", {optional("bounds", Kind::rest), options}, call_range},
      {"list.set_description", {optional("values", Kind::rest), options}, call_bar},
      {"list.set_postfix", {optional("values", Kind::rest), options}, call_bar},
      {"list.set_postfix_str", {optional("values", Kind::rest), options}, call_bar},
      {"builtins.any", {iterable}, call_any_all},
      {"builtins.all", {iterable}, call_any_all}};
  return natives;
}

} // namespace sinter

#include "frontend/layer_tree.h"

#include "frontend/interpreter.h"

#include <set>

namespace sinter {

namespace {

enum class Reach { nowhere, tracked, all }; // what of a layer is visited behind it

/// What a visit goes on to from a layer.
std::vector<Value> parts_of(const Layer &layer, Reach reach) {
  std::vector<Value> parts;
  if (layer.instance && reach != Reach::nowhere)
    for (const auto &[name, value] : layer.instance->fields)
      parts.push_back(value);
  if (reach == Reach::all)
    parts.insert(parts.end(), layer.used.begin(), layer.used.end());
  if (layer.model && reach == Reach::all)
    parts.insert(parts.end(), layer.model->layers.begin(), layer.model->layers.end());
  return parts;
}

/// What a visit goes on to from a list, a tuple or a dict.
std::vector<Value> items_of(const Value &container) {
  if (const std::vector<Value> *items = sequence_items(container))
    return *items;
  std::vector<Value> items;
  for (const auto &[key, item] : object<Dict>(container)->items)
    items.push_back(item);
  return items;
}

/// What makes two values the same layer or container; null for every other value.
const void *identity(const Value &value) {
  if (const Layer *layer = layer_of_object(value))
    return layer;
  if (const List *list = object<List>(value))
    return list;
  if (const Tuple *tuple = object<Tuple>(value))
    return tuple;
  return object<Dict>(value);
}

/// Depth first, in order. Without recursion: layers nest as deep as a script makes them.
std::vector<Layer *> walk(Interpreter &interpreter, const std::vector<Value> &roots, Reach reach,
                          const SourceLocation &location) {
  std::vector<Layer *> layers;
  std::set<const void *> seen;
  std::vector<Value> pending(roots.rbegin(), roots.rend()); // the next one last
  while (!pending.empty()) {
    const Value value = pending.back();
    pending.pop_back();
    const void *object = identity(value);
    if (!object || !seen.insert(object).second)
      continue;
    Layer *layer = layer_of_object(value);
    if (layer)
      layers.push_back(layer);
    const std::vector<Value> inner = layer ? parts_of(*layer, reach) : items_of(value);
    interpreter.charge(1 + static_cast<int64_t>(inner.size()), location);
    pending.insert(pending.end(), inner.rbegin(), inner.rend());
  }
  return layers;
}

} // namespace

std::vector<Layer *> tracked_layers(Interpreter &interpreter, const Instance &instance,
                                    const SourceLocation &location) {
  std::vector<Value> fields;
  for (const auto &[name, value] : instance.fields)
    fields.push_back(value);
  return walk(interpreter, fields, Reach::nowhere, location);
}

std::vector<Layer *> tracked_tree(Interpreter &interpreter, Layer &root,
                                  const SourceLocation &location) {
  return walk(interpreter, {&root}, Reach::tracked, location);
}

std::vector<Layer *> all_layers(Interpreter &interpreter, Layer &root,
                                const SourceLocation &location) {
  return walk(interpreter, {&root}, Reach::all, location);
}

void set_trainable(Interpreter &interpreter, Layer &root, bool trainable,
                   const SourceLocation &location) {
  for (Layer *layer : all_layers(interpreter, root, location))
    layer->trainable = trainable;
}

} // namespace sinter

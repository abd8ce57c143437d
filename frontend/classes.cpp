#include "frontend/classes.h"

#include "frontend/interpreter.h"

#include <algorithm>

namespace sinter {

namespace {

/// The class and its bases in the order in which attributes are looked up: a base stands behind
/// every class that derives from it. (For the single and the diamond inheritance of model scripts
/// this is Python's order.)
void linearize(const Class &type, std::vector<const Class *> &order) {
  order.erase(std::remove(order.begin(), order.end(), &type), order.end());
  order.push_back(&type);
  for (const Class *base : type.bases)
    linearize(*base, order);
}

void collect_layers(const Value &value, std::vector<Layer *> &layers, int depth) {
  constexpr int kMaxDepth = 20;
  if (depth > kMaxDepth)
    return;
  Layer *layer = object<Layer>(value);
  if (KerasModel *model = object<KerasModel>(value))
    layer = &model->layer;
  if (layer && std::find(layers.begin(), layers.end(), layer) == layers.end())
    layers.push_back(layer);
  if (const std::vector<Value> *items = sequence_items(value))
    for (const Value &item : *items)
      collect_layers(item, layers, depth + 1);
  if (const Dict *dict = object<Dict>(value))
    for (const auto &[key, item] : dict->items)
      collect_layers(item, layers, depth + 1);
}

Value bound_member(Interpreter &interpreter, const Value &member, const Value &self,
                   const Class &type, const SourceLocation &location) {
  Function *function = object<Function>(member);
  if (!function || function->kind == Function::Kind::static_method)
    return member;
  if (function->kind == Function::Kind::class_method)
    return bind_method(interpreter, *function, const_cast<Class *>(&type));
  if (function->kind == Function::Kind::property)
    return interpreter.call(function, {{self}, {}}, location);
  return bind_method(interpreter, *function, self);
}

} // namespace

const Value *find_member(const Class &type, const std::string &name, const Class *above) {
  std::vector<const Class *> order;
  linearize(type, order);
  auto place = order.begin();
  if (above)
    place = std::find(order.begin(), order.end(), above);
  for (place += above && place != order.end() ? 1 : 0; place != order.end(); ++place) {
    const auto found = (*place)->members->names.find(name);
    if (found != (*place)->members->names.end())
      return &found->second;
  }
  return nullptr;
}

const Function *find_method(const Class &type, const std::string &name) {
  const Value *member = find_member(type, name);
  return member ? object<Function>(*member) : nullptr;
}

bool derives_from(const Class &type, const Class &base) {
  return &type == &base || std::any_of(type.bases.begin(), type.bases.end(),
                                       [&](const Class *c) { return derives_from(*c, base); });
}

Instance *instance_of(const Value &value) {
  if (const Layer *layer = object<Layer>(value))
    return layer->instance;
  if (const KerasModel *model = object<KerasModel>(value))
    return model->layer.instance;
  return object<Instance>(value);
}

Value bind_method(Interpreter &interpreter, const Function &function, const Value &self) {
  Partial *bound = interpreter.make<Partial>();
  bound->callee = const_cast<Function *>(&function);
  bound->arguments.positional = {self};
  return bound;
}

std::optional<Value> object_attribute(Interpreter &interpreter, const Value &value,
                                      const std::string &name, const SourceLocation &location) {
  if (const Super *super = object<Super>(value)) {
    const Instance *instance = instance_of(super->self);
    const Value *member = find_member(*instance->type, name, super->above);
    if (!member)
      return std::nullopt;
    return bound_member(interpreter, *member, super->self, *instance->type, location);
  }
  if (const Class *type = object<Class>(value)) {
    const Value *member = find_member(*type, name);
    const Function *function = member ? object<Function>(*member) : nullptr;
    if (function && function->kind == Function::Kind::class_method)
      return bind_method(interpreter, *function, value);
    if (name == "__name__")
      return type->name;
    return member ? std::optional<Value>(*member) : std::nullopt;
  }
  Instance *instance = instance_of(value);
  if (!instance)
    return std::nullopt;
  if (const Value *field = instance->find(name))
    return *field;
  if (name == "__class__")
    return instance->type;
  if (const Value *member = find_member(*instance->type, name))
    return bound_member(interpreter, *member, value, *instance->type, location);
  return std::nullopt;
}

std::vector<Layer *> tracked_layers(const Instance &instance) {
  std::vector<Layer *> layers;
  for (const auto &[name, value] : instance.fields)
    collect_layers(value, layers, 0);
  return layers;
}

std::vector<Layer *> inner_layers(const Layer &layer) {
  std::vector<Layer *> layers;
  if (layer.instance) {
    layers = tracked_layers(*layer.instance);
    for (Layer *used : layer.used)
      if (std::find(layers.begin(), layers.end(), used) == layers.end())
        layers.push_back(used);
  }
  if (layer.model)
    for (Layer *inner : layer.model->layers)
      if (std::find(layers.begin(), layers.end(), inner) == layers.end())
        layers.push_back(inner);
  return layers;
}

Value map_tensors(Interpreter &interpreter, const Value &value,
                  const std::function<KerasTensor *(KerasTensor *)> &change) {
  if (KerasTensor *tensor = object<KerasTensor>(value))
    return change(tensor);
  if (const std::vector<Value> *items = sequence_items(value)) {
    std::vector<Value> changed;
    for (const Value &item : *items)
      changed.push_back(map_tensors(interpreter, item, change));
    return object<List>(value) ? interpreter.list(std::move(changed))
                               : interpreter.tuple(std::move(changed));
  }
  if (const Dict *dict = object<Dict>(value)) {
    Dict *changed = interpreter.make<Dict>();
    for (const auto &[key, item] : dict->items)
      changed->items.emplace_back(key, map_tensors(interpreter, item, change));
    return changed;
  }
  return value;
}

std::vector<KerasTensor *> tensors_among(Interpreter &interpreter, const CallArguments &arguments) {
  std::vector<KerasTensor *> tensors;
  const auto collect = [&](KerasTensor *tensor) {
    tensors.push_back(tensor);
    return tensor;
  };
  for (const Value &value : arguments.positional)
    map_tensors(interpreter, value, collect);
  for (const auto &[name, value] : arguments.keywords)
    map_tensors(interpreter, value, collect);
  return tensors;
}

} // namespace sinter

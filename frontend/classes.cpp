#include "frontend/classes.h"

#include "frontend/interpreter.h"
#include "frontend/keras_session.h"

#include <algorithm>
#include <deque>
#include <map>

namespace sinter {

namespace {

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

/// Lists may be shared, and may hold themselves: their depth is bounded, and every item costs.
struct TensorMap {
  Interpreter &interpreter;
  const SourceLocation &location;
  const std::function<KerasTensor *(KerasTensor *)> &change;

  Value of(const Value &value, int depth) const;
};

Value TensorMap::of(const Value &value, int depth) const {
  constexpr int kMaxDepth = 100;
  if (depth > kMaxDepth)
    throw CompileError(location, "tensors are passed in lists that nest more than {} deep",
                       kMaxDepth);
  interpreter.charge(1, location);
  if (KerasTensor *tensor = object<KerasTensor>(value))
    return change(tensor);
  if (const std::vector<Value> *items = sequence_items(value)) {
    std::vector<Value> changed;
    for (const Value &item : *items)
      changed.push_back(of(item, depth + 1));
    return object<List>(value) ? interpreter.list(std::move(changed))
                               : interpreter.tuple(std::move(changed));
  }
  if (const Dict *dict = object<Dict>(value)) {
    Dict *changed = interpreter.make<Dict>();
    for (const auto &[key, item] : dict->items)
      changed->items.emplace_back(key, of(item, depth + 1));
    return changed;
  }
  return value;
}

} // namespace

void order_ancestors(Class &type) {
  constexpr size_t kMostClasses = 64; // every look-up walks through them
  std::vector<std::deque<const Class *>> lists;
  for (const Class *base : type.bases)
    lists.emplace_back(base->order.begin(), base->order.end());
  lists.emplace_back(type.bases.begin(), type.bases.end());
  std::map<const Class *, int> behind; // in how many lists others come before it
  for (const auto &list : lists)
    for (size_t i = 1; i < list.size(); ++i)
      ++behind[list[i]];
  const auto has_next = [&](const auto &list) {
    return !list.empty() && behind[list.front()] == 0;
  };
  type.order = {&type};
  for (auto list = lists.begin(); type.order.size() <= kMostClasses;) {
    list = std::find_if(lists.begin(), lists.end(), has_next);
    if (list == lists.end())
      break;
    const Class *next = list->front();
    type.order.push_back(next);
    for (auto &other : lists)
      if (!other.empty() && other.front() == next) {
        other.pop_front();
        if (!other.empty())
          --behind[other.front()];
      }
  }
  if (type.order.size() > kMostClasses)
    throw CompileError(type.location, "class {} derives from more than {} classes", type.name,
                       kMostClasses - 1);
  if (!std::all_of(lists.begin(), lists.end(), [](const auto &list) { return list.empty(); }))
    throw CompileError(type.location, "the bases of class {} contradict each other's order",
                       type.name);
}

const Value *find_member(const Class &type, const std::string &name, const Class *above) {
  const std::vector<const Class *> &order = type.order;
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
  return std::find(type.order.begin(), type.order.end(), &base) != type.order.end();
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
    return interpreter.keras().read_field(*field);
  if (name == "__class__")
    return instance->type;
  if (const Value *member = find_member(*instance->type, name))
    return bound_member(interpreter, *member, value, *instance->type, location);
  return std::nullopt;
}

Value map_tensors(Interpreter &interpreter, const Value &value, const SourceLocation &location,
                  const std::function<KerasTensor *(KerasTensor *)> &change) {
  return TensorMap{interpreter, location, change}.of(value, 0);
}

std::vector<KerasTensor *> tensors_among(Interpreter &interpreter, const CallArguments &arguments,
                                         const SourceLocation &location) {
  std::vector<KerasTensor *> tensors;
  const auto collect = [&](KerasTensor *tensor) {
    tensors.push_back(tensor);
    return tensor;
  };
  for (const Value &value : arguments.positional)
    map_tensors(interpreter, value, location, collect);
  for (const auto &[name, value] : arguments.keywords)
    map_tensors(interpreter, value, location, collect);
  return tensors;
}

} // namespace sinter

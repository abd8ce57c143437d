// What stands left of `=`.
#include "frontend/classes.h"
#include "frontend/data_array.h"
#include "frontend/execution_guards.h"
#include "frontend/layer_tree.h"
#include "frontend/torch_modules.h"

namespace sinter {

void Interpreter::assign(Expr target, const Value &value) {
  const SourceLocation location = at(target->position);
  const DepthGuard guard(*this, location);
  if (const auto *name = std::get_if<NameExpression>(&target->node))
    return assign_name(name->name, value);
  if (const auto *attribute = std::get_if<AttributeExpression>(&target->node))
    return assign_attribute(evaluate(attribute->object), attribute->name, value, location);
  if (const auto *element = std::get_if<SubscriptExpression>(&target->node))
    return assign_subscript(evaluate(element->object), evaluate(element->index), value, location);
  if (const auto *tuple = std::get_if<TupleDisplay>(&target->node))
    return assign_elements(tuple->elements, value, location);
  assign_elements(std::get<ListDisplay>(target->node).elements, value, location);
}

void Interpreter::assign_name(const std::string &name, const Value &value) {
  if (uncertain_)
    uncertain_writes_.emplace_back(locals_, name);
  locals_->names[name] = value;
}

/// a, *b, c = value
void Interpreter::assign_elements(const std::vector<Element> &targets, const Value &value,
                                  const SourceLocation &location) {
  if (object<Opaque>(value)) {
    const Value part = computed_of(*this, value);
    for (const Element &target : targets)
      assign(target.value, part);
    return;
  }
  const std::vector<Value> items = iterate(value, location);
  size_t starred = targets.size();
  for (size_t i = 0; i < targets.size(); ++i)
    if (targets[i].starred)
      starred = i;
  const size_t fixed = targets.size() - (starred < targets.size() ? 1 : 0);
  if (items.size() < fixed || (items.size() > fixed && starred == targets.size()))
    throw CompileError(location, "{} values cannot be unpacked into {} names", items.size(),
                       targets.size());
  size_t next = 0;
  for (size_t i = 0; i < targets.size(); ++i) {
    if (i != starred) {
      assign(targets[i].value, items[next++]);
      continue;
    }
    const auto begin = items.begin() + static_cast<std::ptrdiff_t>(next);
    const size_t count = items.size() - fixed;
    assign(targets[i].value, list({begin, begin + static_cast<std::ptrdiff_t>(count)}));
    next += count;
  }
}

void Interpreter::assign_attribute(const Value &object_value, const std::string &name,
                                   const Value &value, const SourceLocation &location) {
  if (name == "requires_grad")
    throw CompileError(location, "freezing the parameters of a module is not supported");
  if (name == "stop_training" || name == "learning_rate" || name == "lr")
    if (const Opaque *model = object<Opaque>(object_value))
      throw CompileError(
          location, "setting {} of {} is not supported: use {}, which the program knows", name,
          model->origin, name == "stop_training" ? "EarlyStopping" : "LearningRateScheduler");
  if (object<Opaque>(object_value) || std::holds_alternative<ModuleName>(object_value))
    return skip(location, fmt::format("setting {} of {} is skipped: it has no meaning in a "
                                      "compiled program",
                                      name, describe(object_value)));
  require_certain(location, fmt::format("setting {}", name));
  Layer *layer = object<Layer>(object_value);
  KerasModel *model = object<KerasModel>(object_value);
  if (Instance *instance = instance_of(object_value); instance && name != "trainable")
    return assign_field(object_value, *instance, name, value, location);
  if (Class *type = object<Class>(object_value)) {
    type->members->names[name] = value;
    return;
  }
  if (name != "trainable" || (!layer && !model))
    throw CompileError(location, "{} of {} cannot be set", name, describe(object_value));
  if (const Opaque *unknown = object<Opaque>(value))
    fail_unknown(*unknown, location, "what is trained");
  const bool trainable = truth(value, location);
  set_trainable(*this, layer ? *layer : model->layer, trainable, location);
}

void Interpreter::assign_field(const Value &self, Instance &instance, const std::string &name,
                               const Value &value, const SourceLocation &location) {
  if (const Layer *layer = layer_of_object(self); layer && layer->name.empty())
    throw CompileError(location, "self.{} is set before super().__init__() is called", name);
  Opaque *parameter = object<Opaque>(value);
  if (Layer *layer = layer_of_object(self);
      parameter && layer && parameter->parameter == kUnassigned) {
    parameter->module = layer;
    parameter->parameter = name;
  }
  charge(static_cast<int64_t>(instance.fields.size()) / 16, location);
  if (Value *field = instance.find(name))
    *field = value;
  else
    instance.fields.emplace_back(name, value);
}

namespace {

/// Makes the item unknown that may be assigned, or all when it is not known which; false where that
/// may be a new one.
bool forget_items(const Value &container, const Value &index, Opaque *reason) {
  const bool all = object<Opaque>(index) != nullptr;
  if (Dict *dict = object<Dict>(container)) {
    for (auto &[key, item] : dict->items)
      item = all ? Value(reason) : item;
    Value *found = all ? nullptr : dict->find(index);
    if (found)
      *found = reason;
    return found || (all && !dict->items.empty());
  }
  List *list = object<List>(container);
  const auto *position = std::get_if<int64_t>(&index);
  if (!list || (!all && !position))
    return false;
  const auto length = static_cast<int64_t>(list->items.size());
  for (int64_t i = 0; i < length; ++i)
    if (all || i == *position || i == *position + length)
      list->items[static_cast<size_t>(i)] = reason;
  return true;
}

} // namespace

void Interpreter::assign_subscript(const Value &object_value, const Value &index,
                                   const Value &value, const SourceLocation &location) {
  if (Opaque *unknown = object<Opaque>(object_value)) {
    if (!unknown->parameter.empty())
      throw CompileError(location, "setting a part of {} is not supported", unknown->origin);
    unknown->start.reset();
  }
  if (object<Opaque>(object_value) || std::holds_alternative<ModuleName>(object_value))
    return skip(location, "this assignment is skipped: it has no meaning in a compiled program");
  if (Opaque *reason = object<Opaque>(index) ? object<Opaque>(index) : uncertain_;
      reason && forget_items(object_value, index, reason))
    return;
  require_certain(location, "this assignment");
  if (const Opaque *unknown = object<Opaque>(index))
    fail_unknown(*unknown, location, "an index");
  if (Dict *dict = object<Dict>(object_value))
    return set_item(*dict, index, value, location);
  if (object<DataArray>(object_value))
    throw CompileError(location, "changing elements of an array is not supported: the data reach "
                                 "the program only when it runs");
  List *items = object<List>(object_value);
  const auto *position = std::get_if<int64_t>(&index);
  if (!items || !position)
    throw CompileError(location, "an item of {} cannot be assigned by {}", describe(object_value),
                       describe(index));
  const int64_t length = static_cast<int64_t>(items->items.size());
  const int64_t i = *position < 0 ? *position + length : *position;
  if (i < 0 || i >= length)
    throw CompileError(location, "index {} is outside a list of {}", *position, length);
  items->items[static_cast<size_t>(i)] = value;
}

} // namespace sinter

#include "frontend/execution_guards.h"
#include "frontend/modules.h"
#include "frontend/torch_modules.h"

namespace sinter {

Value Interpreter::evaluate(Expr expression) {
  const SourceLocation location = at(expression->position);
  const DepthGuard guard(*this, location);
  charge(1, location);
  Value value =
      std::visit([&](const auto &node) { return evaluate(node, location); }, expression->node);
  if (const auto *text = std::get_if<std::string>(&value)) // a value, so this one is a copy
    charge_text(*text, location);
  return value;
}

Value Interpreter::evaluate(const Literal &literal, const SourceLocation &) {
  return std::visit(
      [](const auto &value) -> Value {
        using T = std::decay_t<decltype(value)>;
        if constexpr (std::is_same_v<T, NoneLiteral>)
          return None{};
        else if constexpr (std::is_same_v<T, EllipsisLiteral>)
          return Ellipsis{};
        else
          return value;
      },
      literal.value);
}

Value Interpreter::evaluate(const FormattedString &string, const SourceLocation &location) {
  std::string text;
  for (const FormattedPart &part : string.parts) {
    text += part.text;
    if (!part.expression)
      continue;
    Value value = evaluate(part.expression);
    if (object<Opaque>(value))
      return value;
    text += part.conversion == 'r' ? describe(value) : format_value(value, part.format, location);
    charge_text(text, location);
  }
  return text;
}

/// The variable that a name means here, or null.
Value *Interpreter::find_name(const std::string &name) {
  for (Environment *scope = locals_; scope; scope = scope->outer) {
    const auto found = scope->names.find(name);
    if (found != scope->names.end())
      return &found->second;
  }
  return nullptr;
}

Value Interpreter::evaluate(const NameExpression &expression, const SourceLocation &location) {
  if (const Value *found = find_name(expression.name))
    return *found;
  if (const Native *builtin = find_native("builtins." + expression.name))
    return builtin;
  std::vector<std::string_view> names;
  for (const Environment *scope = locals_; scope; scope = scope->outer)
    for (const auto &[name, value] : scope->names)
      names.push_back(name);
  throw CompileError(location, "name '{}' is not defined{}", expression.name,
                     suggestion(expression.name, names));
}

std::vector<Value> Interpreter::evaluate_elements(const std::vector<Element> &elements) {
  std::vector<Value> items;
  for (const Element &element : elements) {
    const Value value = evaluate(element.value);
    if (!element.starred) {
      items.push_back(value);
      continue;
    }
    const std::vector<Value> unpacked = iterate(value, at(element.value->position));
    items.insert(items.end(), unpacked.begin(), unpacked.end());
  }
  return items;
}

Value Interpreter::evaluate(const ListDisplay &display, const SourceLocation &) {
  return list(evaluate_elements(display.elements));
}

Value Interpreter::evaluate(const TupleDisplay &display, const SourceLocation &) {
  return tuple(evaluate_elements(display.elements));
}

Value Interpreter::evaluate(const DictDisplay &display, const SourceLocation &location) {
  Dict *dict = make<Dict>();
  const auto set = [&](const Value &key, const Value &value) {
    set_item(*dict, key, value, location);
  };
  for (const auto &[key, value] : display.items) {
    if (key) {
      const Value name = evaluate(key);
      set(name, evaluate(value));
      continue;
    }
    const Value unpacked = evaluate(value);
    const Dict *other = object<Dict>(unpacked);
    if (!other)
      throw CompileError(at(value->position), "only a dict can be unpacked here, got {}",
                         describe(unpacked));
    for (const auto &[name, item] : other->items)
      set(name, item);
  }
  return dict;
}

/// Evaluates the clauses from `clause` on; false when something unknown decides the result.
bool Interpreter::expand(const Comprehension &comprehension, size_t clause,
                         std::vector<std::pair<Value, Value>> &results, Value &unknown) {
  if (clause == comprehension.clauses.size()) {
    const Value key = comprehension.key ? evaluate(comprehension.key) : Value(None{});
    results.emplace_back(key, evaluate(comprehension.element));
    return true;
  }
  const ComprehensionClause &loop = comprehension.clauses[clause];
  const SourceLocation location = at(loop.iterable->position);
  const Value iterable = evaluate(loop.iterable);
  if (object<Opaque>(iterable)) {
    unknown = computed_of(*this, iterable);
    return false;
  }
  for (const Value &item : iterate(iterable, location)) {
    charge(1, location);
    assign(loop.target, item);
    bool chosen = true;
    for (Expr condition : loop.conditions) {
      const Value value = evaluate(condition);
      if (object<Opaque>(value)) {
        unknown = value;
        return false;
      }
      chosen = chosen && truth(value, at(condition->position));
    }
    if (chosen && !expand(comprehension, clause + 1, results, unknown))
      return false;
  }
  return true;
}

Value Interpreter::evaluate(const Comprehension &comprehension, const SourceLocation &location) {
  Environment *outer = locals_;
  locals_ = make<Environment>(std::map<std::string, Value>{}, outer);
  std::vector<std::pair<Value, Value>> results;
  Value unknown = None{};
  const DepthGuard guard(*this, location);
  const bool known = expand(comprehension, 0, results, unknown);
  locals_ = outer;
  if (!known)
    return unknown;
  if (comprehension.key) {
    Dict *dict = make<Dict>();
    for (const auto &[key, value] : results)
      set_item(*dict, key, value, location);
    return dict;
  }
  std::vector<Value> items;
  items.reserve(results.size());
  for (auto &result : results)
    items.push_back(std::move(result.second));
  return list(std::move(items));
}

Value Interpreter::evaluate(const UnaryOperation &operation, const SourceLocation &location) {
  const Value operand = evaluate(operation.operand);
  if (operation.op == "not")
    return object<Opaque>(operand) ? computed_of(*this, operand) : Value(!truth(operand, location));
  return unary_operation(*this, operation.op, operand, location);
}

Value Interpreter::evaluate(const BinaryOperation &operation, const SourceLocation &location) {
  const Value left = evaluate(operation.left);
  return binary_operation(*this, operation.op, left, evaluate(operation.right), location);
}

Value Interpreter::evaluate(const Comparison &chain, const SourceLocation &location) {
  Value left = evaluate(chain.first);
  Value result = true;
  for (const auto &[op, operand] : chain.rest) {
    const Value right = evaluate(operand);
    result = comparison(*this, op, left, right, location);
    if (object<Opaque>(result) || !truth(result, location))
      return result;
    left = right;
  }
  return result;
}

Value Interpreter::evaluate(const BooleanOperation &operation, const SourceLocation &) {
  Value value = None{};
  for (Expr operand : operation.operands) {
    value = evaluate(operand);
    if (object<Opaque>(value) || truth(value, at(operand->position)) != operation.conjunction)
      return value;
  }
  return value;
}

Value Interpreter::evaluate(const ConditionalExpression &expression, const SourceLocation &) {
  Value condition = evaluate(expression.condition);
  if (Opaque *unknown = object<Opaque>(condition)) {
    run_uncertainly(*unknown, [&] {
      evaluate(expression.then);
      evaluate(expression.otherwise);
    });
    return condition;
  }
  return evaluate(truth(condition, at(expression.condition->position)) ? expression.then
                                                                       : expression.otherwise);
}

Value Interpreter::evaluate(const LambdaExpression &lambda, const SourceLocation &) {
  Function *function = make<Function>();
  function->name = "<lambda>";
  function->parameters = &lambda.parameters;
  function->defaults = evaluate_defaults(lambda.parameters);
  function->result = lambda.body;
  function->closure = closure();
  return function;
}

Value Interpreter::evaluate(const AttributeExpression &expression, const SourceLocation &location) {
  return attribute(*this, evaluate(expression.object), expression.name, location);
}

Value Interpreter::evaluate(const SliceExpression &slice, const SourceLocation &) {
  const auto part = [&](Expr bound) { return bound ? evaluate(bound) : Value(None{}); };
  const Value start = part(slice.start);
  const Value stop = part(slice.stop);
  return make<Slice>(start, stop, part(slice.step));
}

Value Interpreter::evaluate(const SubscriptExpression &expression, const SourceLocation &location) {
  const Value object_value = evaluate(expression.object);
  return subscript(*this, object_value, evaluate(expression.index), location);
}

} // namespace sinter

#include "frontend/classes.h"
#include "frontend/data_array.h"
#include "frontend/execution_guards.h"
#include "frontend/keras_session.h"
#include "frontend/modules.h"
#include "frontend/torch_modules.h"

#include <algorithm>

namespace sinter {

Value Interpreter::evaluate(const CallExpression &expression, const SourceLocation &location) {
  const Value callee = evaluate(expression.callee);
  CallArguments arguments;
  for (const Argument &argument : expression.arguments) {
    Value value = evaluate(argument.value);
    const SourceLocation place = at(argument.value->position);
    if (argument.stars == 1) {
      if (object<Opaque>(value))
        return value;
      for (Value &item : iterate(value, place))
        arguments.positional.push_back(std::move(item));
    } else if (argument.stars == 2) {
      const Dict *dict = object<Dict>(value);
      if (!dict)
        throw CompileError(place, "only a dict can be unpacked with **, got {}", describe(value));
      for (const auto &[key, item] : dict->items) {
        const auto *name = std::get_if<std::string>(&key);
        if (!name)
          throw CompileError(place, "argument names must be strings, got {}", describe(key));
        arguments.keywords.emplace_back(*name, item);
      }
    } else if (!argument.keyword.empty()) {
      arguments.keywords.emplace_back(argument.keyword, value);
    } else {
      arguments.positional.push_back(value);
    }
  }
  return call(callee, arguments, location);
}

Value Interpreter::call(const Value &callee, const CallArguments &arguments,
                        const SourceLocation &location) {
  const DepthGuard guard(*this, location);
  charge(1, location);
  if (const Function *function = object<Function>(callee))
    return call_function(*function, arguments, location);
  if (const auto *native = std::get_if<const Native *>(&callee))
    return call_native(**native, arguments, location, None{});
  if (const BoundMethod *method = object<BoundMethod>(callee))
    return call_native(*method->method, arguments, location, method->self);
  if (const Partial *partial = object<Partial>(callee)) {
    CallArguments all = partial->arguments;
    all.positional.insert(all.positional.end(), arguments.positional.begin(),
                          arguments.positional.end());
    for (const auto &[name, value] : arguments.keywords) {
      bool replaced = false;
      for (auto &[known, old] : all.keywords)
        if (known == name) {
          old = value;
          replaced = true;
        }
      if (!replaced)
        all.keywords.emplace_back(name, value);
    }
    return call(partial->callee, all, location);
  }
  return call_object(callee, arguments, location);
}

Value Interpreter::call_object(const Value &callee, const CallArguments &arguments,
                               const SourceLocation &location) {
  if (const auto *module = std::get_if<ModuleName>(&callee))
    return call_module_name(*module, arguments, location);
  if (const Opaque *unknown = object<Opaque>(callee)) {
    if (unknown->module || unknown->loader) // images.to(device), loss.item()
      return callee;
    skip(location, fmt::format("a call on the result of {} is skipped: it has no meaning in a "
                               "compiled program",
                               unknown->origin));
    return callee;
  }
  if (Class *type = object<Class>(callee))
    return instantiate(*type, arguments, location);
  const Instance *instance = instance_of(callee);
  if (const Function *method = instance ? find_method(*instance->type, "__call__") : nullptr)
    return call(bind_method(*this, *method, callee), arguments, location);
  const Configured *configured = object<Configured>(callee);
  if (configured && configured->type->path.rfind("torch.nn.", 0) == 0)
    return call_criterion(*this, *configured, arguments, location);
  if (Layer *layer = object<Layer>(callee))
    return keras_->call_layer(*layer, arguments, location);
  if (KerasModel *model = object<KerasModel>(callee))
    return keras_->call_layer(model->layer, arguments, location);
  throw CompileError(location, "{} cannot be called", describe(callee));
}

/// A name that means nothing to Sinter: an error when it could change the program, else skipped.
Value Interpreter::call_module_name(const ModuleName &module, const CallArguments &arguments,
                                    const SourceLocation &location) {
  if (!is_skipped(module.path))
    fail_unknown_name(module.path, location);
  const bool in_place = changes_its_argument(module.path);
  for (const Value &argument : arguments.positional)
    if (in_place && (object<DataArray>(argument) || object<List>(argument)))
      throw CompileError(location, "{} changes {}, which is not supported", module.path,
                         describe(argument));
  skip(location,
       fmt::format("{} is skipped: it has no meaning in a compiled program", module.path));
  return opaque(module.path, location);
}

Value Interpreter::call_native(const Native &native, const CallArguments &arguments,
                               const SourceLocation &location, const Value &self) {
  if (is_pure(native.path)) {
    for (const Value &argument : arguments.positional)
      if (object<Opaque>(argument))
        return computed_of(*this, argument);
    for (const auto &[name, argument] : arguments.keywords)
      if (object<Opaque>(argument))
        return computed_of(*this, argument);
  }
  return native.call(*this, Call{native, bind(*this, native, arguments, location), location, self});
}

// ---- functions of the script -------------------------------------------------------------------

std::vector<Value> Interpreter::evaluate_defaults(const std::vector<Parameter> &parameters) {
  std::vector<Value> defaults;
  for (const Parameter &parameter : parameters)
    defaults.push_back(parameter.fallback ? evaluate(parameter.fallback) : Value(None{}));
  return defaults;
}

Value Interpreter::call_function(const Function &function, const CallArguments &arguments,
                                 const SourceLocation &location) {
  Environment *environment = make<Environment>(std::map<std::string, Value>{}, function.closure);
  bind_parameters(function, arguments, *environment, location);
  Environment *caller = locals_;
  const Function *outer_function = std::exchange(running_, &function);
  const bool outer_loop = uncertain_loop_;
  locals_ = environment;
  uncertain_loop_ = false;
  Value result = None{};
  if (function.result)
    result = evaluate(function.result);
  else if (execute(*function.body) == Flow::return_value)
    result = returned_;
  locals_ = caller;
  running_ = outer_function;
  uncertain_loop_ = outer_loop;
  return result;
}

void Interpreter::bind_parameters(const Function &function, const CallArguments &arguments,
                                  Environment &environment, const SourceLocation &location) {
  const std::vector<Parameter> &parameters = *function.parameters;
  auto &names = environment.names;
  size_t next = 0;
  Dict *extra = nullptr;
  for (const Parameter &parameter : parameters) {
    const size_t count = arguments.positional.size();
    if (parameter.kind == Parameter::Kind::ordinary && next < count) {
      names[parameter.name] = arguments.positional[next++];
    } else if (parameter.kind == Parameter::Kind::variadic) {
      const auto begin = arguments.positional.begin() + static_cast<std::ptrdiff_t>(next);
      names[parameter.name] = tuple({begin, arguments.positional.end()});
      next = count;
    } else if (parameter.kind == Parameter::Kind::keywords) {
      extra = make<Dict>();
      names[parameter.name] = extra;
    }
  }
  if (next < arguments.positional.size())
    throw CompileError(location, "{} takes {} positional arguments, got {}", function.name, next,
                       arguments.positional.size());
  for (const auto &keyword : arguments.keywords) {
    const std::string &name = keyword.first;
    const Value &value = keyword.second;
    const bool known =
        std::any_of(parameters.begin(), parameters.end(), [&](const Parameter &parameter) {
          return parameter.name == name && (parameter.kind == Parameter::Kind::ordinary ||
                                            parameter.kind == Parameter::Kind::keyword_only);
        });
    if (known && names.count(name) > 0)
      throw CompileError(location, "{} got {} twice", function.name, name);
    if (known)
      names[name] = value;
    else if (extra)
      extra->items.emplace_back(name, value);
    else
      throw CompileError(location, "{} has no argument '{}'", function.name, name);
  }
  for (size_t i = 0; i < parameters.size(); ++i) {
    if (names.count(parameters[i].name) > 0)
      continue;
    if (!parameters[i].fallback)
      throw CompileError(location, "{} needs {}", function.name, parameters[i].name);
    if (const auto *text = std::get_if<std::string>(&function.defaults[i]))
      charge_text(*text, location);
    names[parameters[i].name] = function.defaults[i];
  }
}

} // namespace sinter

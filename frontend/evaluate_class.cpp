// `class X(keras.layers.Layer)`: definitions, objects, super().
#include "frontend/classes.h"
#include "frontend/execution_guards.h"
#include "frontend/keras_session.h"
#include "frontend/modules.h"

namespace sinter {

namespace {

/// The library classes that a script may derive from.
constexpr std::string_view kBases[] = {
    "keras.layers.Layer",  "keras.models.Model",  "keras.models.Sequential", "torch.nn.Module",
    "torch.nn.Sequential", "torch.nn.ModuleList", "torch.nn.ModuleDict"};

/// Methods that would change how a model is trained, which the compiled program decides itself.
constexpr const char *kRefused[] = {"train_step",          "test_step",       "compute_loss",
                                    "make_train_function", "compute_metrics", "training_step"};

const Native *library_base(const Value &base, const SourceLocation &location) {
  const auto *native = std::get_if<const Native *>(&base);
  for (const std::string_view path : kBases)
    if (native && (*native)->path == path)
      return *native;
  throw CompileError(location,
                     "a class can derive from Layer, Model, nn.Module and classes of the script, "
                     "not from {}",
                     describe(base));
}

} // namespace

void Interpreter::define(const ClassDefinition &definition, const SourceLocation &location) {
  Class *type = make<Class>();
  type->name = definition.name;
  type->location = location;
  for (const Argument &base : definition.bases) {
    const SourceLocation place = at(base.value->position);
    if (base.stars > 0 || !base.keyword.empty())
      throw CompileError(place, "only classes can stand here");
    const Value value = evaluate(base.value);
    const auto *native = std::get_if<const Native *>(&value);
    if (native && (*native)->path == "builtins.object")
      continue;
    Class *parent = object<Class>(value);
    const bool callback = native && (*native)->path == "keras.callbacks.Callback";
    type->callback = type->callback || callback || (parent && parent->callback);
    if (callback)
      continue;
    if (parent)
      type->bases.push_back(parent);
    const Native *library = parent ? parent->native : library_base(value, place);
    if (type->native && library && type->native != library)
      throw CompileError(place, "class {} cannot derive from both {} and {}", definition.name,
                         type->native->path, library->path);
    type->native = library ? library : type->native;
  }
  charge(static_cast<int64_t>(type->bases.size()), location);
  order_ancestors(*type);
  Environment *outer = locals_;
  Class *outer_class = std::exchange(defining_, type);
  type->members = make<Environment>(std::map<std::string, Value>{}, outer, /*class_body=*/true);
  locals_ = type->members;
  execute(definition.body);
  locals_ = outer;
  defining_ = outer_class;
  for (const char *name : kRefused)
    if (const Function *method = type->native ? find_method(*type, name) : nullptr)
      throw CompileError(at(method->body->front()->position),
                         "a {}() of its own is not supported: the compiled program trains by "
                         "compile() and fit()",
                         name);
  assign_name(definition.name, type);
}

/// The environment that a function defined here closes over: class bodies are passed over.
Environment *Interpreter::closure() const {
  Environment *scope = locals_;
  while (scope->class_body)
    scope = scope->outer;
  return scope;
}

Value Interpreter::instantiate(Class &type, const CallArguments &arguments,
                               const SourceLocation &location) {
  require_certain(location, fmt::format("making a {}", type.name));
  Instance *instance = make<Instance>();
  instance->type = &type;
  const Value self = type.native ? keras_->make_object(*instance, location) : Value(instance);
  const Layer *layer = layer_of_object(self);
  if (const Function *init = find_method(type, "__init__")) {
    call(bind_method(*this, *init, self), arguments, location);
    if (layer && layer->name.empty())
      throw CompileError(location, "{}.__init__ does not call super().__init__()", type.name);
  } else if (layer) {
    call(attribute(*this, make<Super>(self, &type), "__init__", location), arguments, location);
  } else if (!arguments.positional.empty() || !arguments.keywords.empty()) {
    throw CompileError(location, "{} takes no arguments", type.name);
  }
  keras_->register_object(self);
  return self;
}

/// super() of the method that is running, or super(Class, self).
Value Interpreter::make_super(const Value &type, const Value &self,
                              const SourceLocation &location) {
  if (Class *above = object<Class>(type)) {
    if (!instance_of(self))
      throw CompileError(location, "super() needs an object of class {}, got {}", above->name,
                         describe(self));
    return make<Super>(self, above);
  }
  if (!std::holds_alternative<None>(type))
    throw CompileError(location, "super() needs a class, got {}", describe(type));
  if (!running_ || !running_->owner || running_->parameters->empty())
    throw CompileError(location, "super() outside of a method");
  const Value *first = find_name(running_->parameters->front().name);
  if (!first || !instance_of(*first))
    throw CompileError(location, "super() outside of a method");
  return make<Super>(*first, running_->owner);
}

} // namespace sinter

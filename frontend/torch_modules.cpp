#include "frontend/torch_modules.h"

#include "frontend/classes.h"
#include "frontend/interpreter.h"
#include "frontend/keras_session.h"
#include "frontend/layer_table.h"
#include "frontend/layer_tree.h"
#include "frontend/modules.h"

#include <cmath>
#include <functional>
#include <set>

namespace sinter {

namespace {

using Kind = ArgumentKind;

constexpr std::string_view kSequential = "torch.nn.Sequential";

Value make_container(Interpreter &, const Call &);

/// Visits a module and all that it holds, in lists and dicts too, each on the first way that leads
/// to it, with its path as state_dict() has it; a module before its parts.
class ModuleWalk {
public:
  /// Whether to go on to the module's parts; the first one's path is empty.
  using Enter = std::function<bool(Layer &, const std::string &path)>;

  ModuleWalk(Interpreter &interpreter, const SourceLocation &location, Enter enter)
      : interpreter_(interpreter), location_(location), enter_(std::move(enter)) {}

  void visit(const Value &, const std::string &path = "", int depth = 0);

private:
  void visit_part(const Value &, const std::string &path, const std::string &name, int depth);

  Interpreter &interpreter_;
  const SourceLocation &location_;
  Enter enter_;
  std::set<const void *> seen_;
};

void ModuleWalk::visit(const Value &value, const std::string &path, int depth) {
  constexpr int kMaxDepth = 100;
  if (depth > kMaxDepth)
    throw CompileError(location_, "modules nest more than {} deep", kMaxDepth);
  Layer *layer = object<Layer>(value);
  const std::vector<Value> *items = sequence_items(value);
  const Dict *dict = object<Dict>(value);
  const void *identity = layer  ? static_cast<const void *>(layer)
                         : dict ? static_cast<const void *>(dict)
                                : items;
  if (!identity || (layer && !is_torch_module(*layer)) || !seen_.insert(identity).second)
    return;
  if (layer && enter_(*layer, path) && layer->instance)
    for (const auto &[field, part] : layer->instance->fields)
      visit_part(part, path, field, depth);
  for (size_t i = 0; items && i < items->size(); ++i)
    visit_part((*items)[i], path, std::to_string(i), depth);
  if (dict)
    for (const auto &[key, part] : dict->items)
      visit_part(part, path, to_text(key), depth);
}

/// The characters of paths are paid for.
void ModuleWalk::visit_part(const Value &part, const std::string &path, const std::string &name,
                            int depth) {
  interpreter_.charge(1 + static_cast<int64_t>(path.size() + name.size()) / 64, location_);
  visit(part, path.empty() ? name : path + '.' + name, depth + 1);
}

Layer &self_module(const Call &call) { return *object<Layer>(call.self); }

/// The class of every nn.Sequential: it has no members of the script's.
Class *sequential_class(Interpreter &interpreter, const Call &call) {
  Class *type = interpreter.make<Class>();
  type->name = "Sequential";
  type->native = &call.native;
  type->members = interpreter.make<Environment>();
  order_ancestors(*type);
  return type;
}

void add_part(Interpreter &interpreter, Instance &instance, const std::string &name,
              const Value &module, const Call &call) {
  const Layer *layer = object<Layer>(module);
  if (const Opaque *unknown = object<Opaque>(module))
    fail_unknown(*unknown, call.location, "a part of this module");
  if (!layer || !is_torch_module(*layer))
    throw CompileError(call.location, "{} consists of modules, got {}", call.native.name(),
                       describe(module));
  interpreter.charge(static_cast<int64_t>(instance.fields.size()) / 16, call.location);
  if (Value *field = instance.find(name))
    *field = module;
  else
    instance.fields.emplace_back(name, module);
}

/// The parts of nn.Sequential(a, b, c), of nn.Sequential(OrderedDict([('conv', a), ...])) and of
/// nn.ModuleList([a, b, c]).
void add_parts(Interpreter &interpreter, Instance &instance, const Call &call) {
  std::vector<Value> parts = call.arguments.items("parts");
  const Dict *named = parts.size() == 1 ? object<Dict>(parts[0]) : nullptr;
  if (parts.size() == 1 && sequence_items(parts[0]))
    parts = interpreter.iterate(parts[0], call.location);
  if (named)
    for (const auto &[name, module] : named->items)
      add_part(interpreter, instance, to_text(name), module, call);
  for (size_t i = 0; i < parts.size() && !named; ++i)
    add_part(interpreter, instance, std::to_string(i), parts[i], call);
}

Value make_sequential(Interpreter &interpreter, const Call &call) {
  interpreter.require_certain(call.location, "making a Sequential");
  Instance *instance = interpreter.make<Instance>();
  instance->type = sequential_class(interpreter, call);
  Value self = interpreter.keras().make_object(*instance, call.location);
  object<Layer>(self)->name = interpreter.keras().unique_name("Sequential", None{});
  interpreter.keras().register_object(self);
  add_parts(interpreter, *instance, call);
  return self;
}

/// super().__init__(a, b, c) of a class that derives from nn.Sequential
Value initialize_sequential(Interpreter &interpreter, const Call &call) {
  Layer &module = self_module(call);
  if (module.name.empty())
    module.name = interpreter.keras().unique_name(module.instance->type->name, None{});
  add_parts(interpreter, *module.instance, call);
  return None{};
}

/// super().forward(x)
Value forward_sequential(Interpreter &interpreter, const Call &call) {
  return run_sequential(interpreter, *self_module(call).instance, call.arguments["input"],
                        call.location);
}

/// collections.OrderedDict([('name', value), ...])
Value make_ordered_dict(Interpreter &interpreter, const Call &call) {
  const Value &items = call.arguments["items"];
  if (object<Dict>(items))
    return items;
  Dict *dict = interpreter.make<Dict>();
  if (std::holds_alternative<None>(items))
    return dict;
  for (const Value &pair : interpreter.iterate(items, call.location)) {
    const std::vector<Value> *both = sequence_items(pair);
    if (!both || both->size() != 2)
      throw CompileError(call.location, "OrderedDict takes pairs, got {}", describe(pair));
    dict->items.emplace_back((*both)[0], (*both)[1]);
  }
  return dict;
}

/// nn.ModuleList([...]) and nn.ModuleDict({...}) are the list and the dict: where they are kept
/// names what is in them.
Value make_container(Interpreter &interpreter, const Call &call) {
  const Value &modules = call.arguments["modules"];
  if (call.native.name() == "ModuleDict")
    return object<Dict>(modules) ? modules : Value(interpreter.make<Dict>());
  return std::holds_alternative<None>(modules)
             ? interpreter.list({})
             : interpreter.list(interpreter.iterate(modules, call.location));
}

/// self.items(), self.values(), self.keys() of a class that derives from nn.ModuleDict.
Value call_parts(Interpreter &interpreter, const Call &call) {
  const auto parts = sequential_parts(call.self);
  if (!parts)
    throw CompileError(call.location, "{} has no {}", describe(call.self), call.native.name());
  std::vector<Value> items;
  for (const auto &[name, part] : *parts)
    items.push_back(call.native.name() == "keys"     ? Value(name)
                    : call.native.name() == "values" ? part
                                                     : interpreter.tuple({name, part}));
  return interpreter.list(std::move(items));
}

Value call_add_module(Interpreter &interpreter, const Call &call) {
  interpreter.require_certain(call.location, "adding a module");
  Layer &module = self_module(call);
  if (!module.instance)
    throw CompileError(call.location, "{} holds no modules", describe(call.self));
  add_part(interpreter, *module.instance, call.arguments.text("name"), call.arguments["module"],
           call);
  return None{};
}

/// An nn.Sequential, or an object of a class that derives from it, nn.ModuleList or nn.ModuleDict.
bool is_sequential(const Layer &module) {
  const Native *native = module.instance ? module.instance->type->native : nullptr;
  return native && (native->path == kSequential || native->call == make_container);
}

/// nn.Sequential's append.
Value call_append(Interpreter &interpreter, const Call &call) {
  interpreter.require_certain(call.location, "adding a module");
  Layer &module = self_module(call);
  if (!is_sequential(module))
    throw CompileError(call.location, "{} has no append", describe(call.self));
  Instance &instance = *module.instance;
  const size_t parts = sequential_parts(call.self)->size();
  add_part(interpreter, instance, std::to_string(parts), call.arguments["module"], call);
  return call.self;
}

/// model.to(device), model.train(): the model itself.
Value call_same(Interpreter &, const Call &call) { return call.self; }

/// model.parameters(): which model an optimizer is for.
Value call_parameters(Interpreter &interpreter, const Call &call) {
  Opaque *parameters = interpreter.make<Opaque>("model.parameters()", call.location);
  parameters->module = &self_module(call);
  return parameters;
}

Value call_unknown(Interpreter &interpreter, const Call &call) {
  return interpreter.opaque(std::string(call.native.name()), call.location);
}

/// self.modules(), self.children()
Value call_modules(Interpreter &interpreter, const Call &call) {
  std::vector<Layer *> modules;
  if (call.native.name() == "modules")
    modules = tracked_tree(interpreter, self_module(call), call.location);
  else if (const Instance *instance = self_module(call).instance)
    modules = tracked_layers(interpreter, *instance, call.location);
  return interpreter.list({modules.begin(), modules.end()});
}

/// self.named_modules(), self.named_children()
Value call_named_modules(Interpreter &interpreter, const Call &call) {
  const bool children = call.native.name() == "named_children";
  std::vector<Value> pairs;
  ModuleWalk walk(interpreter, call.location, [&](Layer &module, const std::string &path) {
    if (!children || !path.empty())
      pairs.push_back(interpreter.tuple({path, &module}));
    return !children || path.empty();
  });
  walk.visit(call.self);
  return interpreter.list(std::move(pairs));
}

/// model.apply(function): on every module, the parts first.
Value call_apply(Interpreter &interpreter, const Call &call) {
  const std::vector<Layer *> modules = tracked_tree(interpreter, self_module(call), call.location);
  for (auto module = modules.rbegin(); module != modules.rend(); ++module)
    interpreter.call(call.arguments["function"], {{*module}, {}}, call.location);
  return call.self;
}

// ---- torch.nn.init -----------------------------------------------------------------------------

/// Gains of torch.nn.init.calculate_gain.
double gain_of(const Call &call) {
  const std::string &name = call.arguments.text("nonlinearity");
  const double slope = call.arguments.number("a");
  if (name == "relu")
    return std::sqrt(2.0);
  if (name == "leaky_relu")
    return std::sqrt(2.0 / (1 + slope * slope));
  if (name == "tanh")
    return 5.0 / 3;
  return 1;
}

using NamedInitializer = std::pair<const char *, std::vector<std::pair<std::string, Value>>>;

/// Within [a, b], which are far away (the usual -2 and 2), or two deviations as Keras has it.
NamedInitializer truncated_normal(const Call &call) {
  const double mean = call.arguments.number("mean");
  const double deviation = call.arguments.number("std");
  const double low = (mean - call.arguments.number("a")) / deviation;
  const double high = (call.arguments.number("b") - mean) / deviation;
  constexpr double kFar = 5; // beyond, there is one value in a million
  const bool far = low >= kFar && high >= kFar;
  if (!far && (std::fabs(low - 2) > 1e-6 || std::fabs(high - 2) > 1e-6))
    throw CompileError(call.location,
                       "trunc_normal_ between {:.4g} and {:.4g} standard deviations is not "
                       "supported: 2 are, and 5 or more",
                       -low, high);
  return {far ? "RandomNormal" : "TruncatedNormal", {{"mean", mean}, {"stddev", deviation}}};
}

/// The Keras initializer that does what the function or method does, with its arguments.
NamedInitializer initializer_of(const Call &call) {
  const std::string_view name = call.native.name();
  const Arguments &arguments = call.arguments;
  const auto scaling = [&](double scale, const std::string &mode, const char *distribution) {
    return std::pair{
        "VarianceScaling",
        std::vector<std::pair<std::string, Value>>{
            {"scale", scale}, {"mode", mode}, {"distribution", std::string(distribution)}}};
  };
  const bool normal = name.find("normal") != std::string_view::npos;
  const char *distribution = normal ? "untruncated_normal" : "uniform";
  if (name.rfind("kaiming", 0) == 0) {
    const double gain = gain_of(call);
    return scaling(gain * gain, arguments.text("mode"), distribution);
  }
  if (name.rfind("xavier", 0) == 0) {
    const double gain = arguments.number("gain");
    return scaling(gain * gain, "fan_avg", distribution);
  }
  if (name == "normal_")
    return {"RandomNormal", {{"mean", arguments["mean"]}, {"stddev", arguments["std"]}}};
  if (name == "trunc_normal_")
    return truncated_normal(call);
  if (name == "uniform_")
    return {"RandomUniform", {{"minval", arguments["a"]}, {"maxval", arguments["b"]}}};
  if (name == "constant_" || name == "fill_")
    return {"Constant", {{"value", arguments["val"]}}};
  if (name == "orthogonal_")
    return {"Orthogonal", {{"gain", arguments["gain"]}}};
  if (name == "eye_")
    return {"Identity", {}};
  return {name == "ones_" ? "Ones" : "Zeros", {}};
}

/// nn.init.kaiming_normal_(layer.weight), layer.weight.data.normal_(): how a parameter of a layer
/// starts.
Value call_initialize(Interpreter &interpreter, const Call &call) {
  interpreter.require_certain(call.location, "this initialisation");
  const bool is_method = !call.arguments.has("tensor");
  const Value &tensor = is_method ? call.self : call.arguments["tensor"];
  const Opaque *parameter = object<Opaque>(tensor);
  if (std::holds_alternative<None>(tensor))
    return None{}; // a bias that the layer has not
  if (!parameter || !parameter->module || parameter->parameter.empty())
    throw CompileError(call.location, "{} initialises weight and bias of modules, got {}",
                       call.native.path, describe(tensor));
  const auto [name, arguments] = initializer_of(call);
  const Native &native = *find_native(fmt::format("keras.initializers.{}", name));
  CallArguments given;
  given.keywords = arguments;
  parameter->module->initializers[parameter->parameter] = interpreter.make<Configured>(
      &native, bind(interpreter, native, given, call.location), call.location);
  return tensor;
}

std::vector<Native> initializers() {
  const ArgumentSpec tensor = required("tensor", Kind::any);
  const ArgumentSpec mean = optional("mean", Kind::number, 0);
  const ArgumentSpec deviation = optional("std", Kind::number, 1);
  const ArgumentSpec low = optional("a", Kind::number, 0);
  const ArgumentSpec high = optional("b", Kind::number, 1);
  const ArgumentSpec value = required("val", Kind::number);
  const std::vector<ArgumentSpec> kaiming = {
      tensor, optional("a", Kind::number, 0), choice("mode", "fan_in", "fan_in|fan_out"),
      choice("nonlinearity", "leaky_relu", "leaky_relu|relu|linear|tanh|sigmoid")};
  const std::vector<ArgumentSpec> with_gain = {tensor, optional("gain", Kind::number, 1)};
  return {
      {"torch.nn.init.kaiming_normal_", kaiming, call_initialize},
      {"torch.nn.init.kaiming_uniform_", kaiming, call_initialize},
      {"torch.nn.init.xavier_normal_", with_gain, call_initialize},
      {"torch.nn.init.xavier_uniform_", with_gain, call_initialize},
      {"torch.nn.init.normal_", {tensor, mean, deviation}, call_initialize},
      {"torch.nn.init.trunc_normal_",
       {tensor, mean, deviation, optional("a", Kind::number, -2), optional("b", Kind::number, 2)},
       call_initialize},
      {"torch.nn.init.uniform_", {tensor, low, high}, call_initialize},
      {"torch.nn.init.constant_", {tensor, value}, call_initialize},
      {"parameter.normal_", {mean, deviation}, call_initialize},
      {"parameter.uniform_", {low, high}, call_initialize},
      {"parameter.fill_", {value}, call_initialize},
      {"parameter.zero_", {}, call_initialize},
      {"torch.nn.init.orthogonal_", with_gain, call_initialize},
      {"torch.nn.init.eye_", {tensor}, call_initialize},
      {"torch.nn.init.ones_", {tensor}, call_initialize},
      {"torch.nn.init.zeros_", {tensor}, call_initialize}};
}

} // namespace

std::optional<std::vector<std::pair<std::string, Value>>> sequential_parts(const Value &value) {
  const Layer *layer = object<Layer>(value);
  if (!layer || !is_sequential(*layer))
    return std::nullopt;
  std::vector<std::pair<std::string, Value>> parts;
  for (const auto &field : layer->instance->fields)
    if (const Layer *part = object<Layer>(field.second); part && is_torch_module(*part))
      parts.push_back(field);
  return parts;
}

Value sequential_of(Interpreter &interpreter,
                    const std::vector<std::pair<std::string, Value>> &parts,
                    const SourceLocation &location) {
  Dict *named = interpreter.make<Dict>();
  for (const auto &[name, part] : parts)
    named->items.emplace_back(name, part);
  return interpreter.call(find_native(std::string(kSequential)), {{named}, {}}, location);
}

bool is_torch_module(const Layer &layer) {
  const Native *native = layer.instance ? layer.instance->type->native
                         : layer.type   ? &layer.type->native
                                        : nullptr;
  return native && native->path.rfind("torch.", 0) == 0;
}

void name_modules(Interpreter &interpreter, Layer &root, const SourceLocation &location) {
  ModuleWalk walk(interpreter, location, [&](Layer &module, const std::string &path) {
    if (module.named && !path.empty())
      return false;
    if (!path.empty())
      module.name = path;
    module.named = true;
    return true;
  });
  walk.visit(&root);
}

Value run_sequential(Interpreter &interpreter, const Instance &instance, const Value &input,
                     const SourceLocation &location) {
  Value x = input;
  for (const auto &[name, field] : instance.fields)
    if (const Layer *part = object<Layer>(field); part && is_torch_module(*part))
      x = interpreter.call(field, {{x}, {}}, location);
  return x;
}

std::vector<Native> module_natives() {
  const std::vector<ArgumentSpec> anything = {optional("values", Kind::rest),
                                              optional("options", Kind::keywords)};
  const std::vector<ArgumentSpec> modules = {optional("modules", Kind::any)};
  std::vector<Native> all = {
      {"torch.nn.Sequential", {optional("parts", Kind::rest)}, make_sequential},
      {"torch.nn.ModuleList", modules, make_container},
      {"torch.nn.ModuleDict", modules, make_container},
      {"collections.OrderedDict", {optional("items", Kind::any)}, make_ordered_dict},
      {"sequential.forward", {required("input", Kind::any)}, forward_sequential},
      {"sequential.__init__", {optional("parts", Kind::rest)}, initialize_sequential},
      {"layer.add_module",
       {required("name", Kind::text), required("module", Kind::any)},
       call_add_module},
      {"layer.append", {required("module", Kind::any)}, call_append},
      {"layer.items", {}, call_parts},
      {"layer.values", {}, call_parts},
      {"layer.keys", {}, call_parts},
      {"layer.to", anything, call_same},
      {"layer.cuda", anything, call_same},
      {"layer.cpu", {}, call_same},
      {"layer.float", {}, call_same},
      {"layer.train", anything, call_same},
      {"layer.eval", {}, call_same},
      {"layer.parameters", anything, call_parameters},
      {"layer.named_parameters", anything, call_unknown},
      {"layer.state_dict", anything, call_unknown},
      {"layer.modules", {}, call_modules},
      {"layer.children", {}, call_modules},
      {"layer.named_modules", {}, call_named_modules},
      {"layer.named_children", {}, call_named_modules},
      {"layer.apply", {required("function", Kind::any)}, call_apply}};
  for (Native &native : initializers())
    all.push_back(std::move(native));
  return all;
}

const std::vector<Native> &torch_natives() {
  static const std::vector<Native> natives = [] {
    std::vector<Native> all;
    for (auto *family : {module_natives, torch_parameter_natives, torch_function_natives,
                         torch_data_natives, torch_training_natives, torch_scheduler_natives})
      for (Native &native : family())
        all.push_back(std::move(native));
    return all;
  }();
  return natives;
}

} // namespace sinter

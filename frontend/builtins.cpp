// Python's own functions: numbers, texts and types.
#include "frontend/classes.h"
#include "frontend/data_array.h"
#include "frontend/interpreter.h"
#include "frontend/layer_table.h"
#include "frontend/modules.h"
#include "frontend/torch_modules.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>

namespace sinter {

namespace {

Value call_print(Interpreter &interpreter, const Call &call) {
  interpreter.skip(call.location, "print is skipped: it has no meaning in a compiled program");
  return None{};
}

Value call_int(Interpreter &, const Call &call) {
  const Value &value = call.arguments["x"];
  if (is_number(value)) {
    const double number = to_number(value);
    if (const auto *integer = std::get_if<int64_t>(&value))
      return *integer;
    if (!(std::fabs(number) < 9.2e18))
      throw CompileError(call.location, "{} does not fit in a 64-bit integer", describe(value));
    return static_cast<int64_t>(number);
  }
  if (const auto *text = std::get_if<std::string>(&value)) {
    char *end = nullptr;
    errno = 0;
    const int64_t number = std::strtoll(text->c_str(), &end, 10);
    if (!text->empty() && *end == '\0' && errno == 0)
      return number;
  }
  throw CompileError(call.location, "{} is no integer", describe(value));
}

Value call_float(Interpreter &, const Call &call) {
  const Value &value = call.arguments["x"];
  if (is_number(value))
    return to_number(value);
  if (const auto *text = std::get_if<std::string>(&value)) {
    char *end = nullptr;
    const double number = std::strtod(text->c_str(), &end);
    if (!text->empty() && *end == '\0')
      return number;
  }
  throw CompileError(call.location, "{} is no number", describe(value));
}

Value call_str(Interpreter &, const Call &call) { return to_text(call.arguments["object"]); }
Value call_repr(Interpreter &, const Call &call) { return describe(call.arguments["object"]); }

Value call_bool(Interpreter &interpreter, const Call &call) {
  return interpreter.truth(call.arguments["x"], call.location);
}

Value call_abs(Interpreter &interpreter, const Call &call) {
  const Value &value = call.arguments["x"];
  if (!is_number(value))
    throw CompileError(call.location, "abs does not apply to {}", describe(value));
  return to_number(value) < 0 ? unary_operation(interpreter, "-", value, call.location) : value;
}

/// Half to even, as Python rounds.
Value call_round(Interpreter &, const Call &call) {
  const Value &value = call.arguments["number"];
  if (!is_number(value) || !std::isfinite(to_number(value)))
    throw CompileError(call.location, "round does not apply to {}", describe(value));
  if (std::holds_alternative<int64_t>(value))
    return value;
  if (!call.arguments.is_none("ndigits")) {
    const double scale = std::pow(10.0, static_cast<double>(call.arguments.integer("ndigits")));
    const double scaled = to_number(value) * scale;
    return std::isfinite(scaled) && scale > 0 ? std::nearbyint(scaled) / scale : value;
  }
  const double rounded = std::nearbyint(to_number(value));
  if (!(std::fabs(rounded) < 9.2e18))
    throw CompileError(call.location, "{} does not fit in a 64-bit integer", describe(value));
  return static_cast<int64_t>(rounded);
}

/// The class of a layer: a lazy one of torch's is what it becomes when it has seen its input.
std::string class_path(const LayerType &type) {
  constexpr std::string_view kLazy = "torch.nn.Lazy";
  const std::string path(type.native.path);
  return path.rfind(kLazy, 0) == 0 ? "torch.nn." + path.substr(kLazy.size()) : path;
}

/// Whether a layer, model or tensor is of a class of Keras's, or of one derived from it.
bool is_keras_instance(const Value &value, std::string_view path) {
  const Layer *layer = layer_of_object(value);
  if (path == "keras.layers.Layer")
    return layer && !is_torch_module(*layer);
  if (path == "torch.nn.Module")
    return layer && is_torch_module(*layer);
  if (!layer)
    return false;
  if (path == "keras.models.Model" || path == "keras.models.Sequential")
    return layer->model && (path == "keras.models.Model" || layer->model->sequential);
  if (layer->instance)
    return layer->instance->type->native->path == path;
  return layer->type && class_path(*layer->type) == path;
}

/// Classes that nothing in a script can be of, as no such layer can be made.
constexpr std::string_view kNeverMade[] = {"torch.nn.BatchNorm3d",
                                           "torch.nn.Bilinear",
                                           "torch.nn.Conv1d",
                                           "torch.nn.Conv3d",
                                           "torch.nn.ConvTranspose1d",
                                           "torch.nn.ConvTranspose3d",
                                           "torch.nn.Embedding",
                                           "torch.nn.GRU",
                                           "torch.nn.GroupNorm",
                                           "torch.nn.InstanceNorm1d",
                                           "torch.nn.InstanceNorm2d",
                                           "torch.nn.InstanceNorm3d",
                                           "torch.nn.LSTM",
                                           "torch.nn.LayerNorm",
                                           "torch.nn.MultiheadAttention",
                                           "torch.nn.RNN",
                                           "torch.nn.SyncBatchNorm"};

bool is_instance(const Value &value, const Value &type, const SourceLocation &location) {
  if (const auto *name = std::get_if<ModuleName>(&type)) {
    if (name->path == "torch.Tensor" || name->path == "tensorflow.Tensor")
      return object<KerasTensor>(value) != nullptr;
    if (std::find(std::begin(kNeverMade), std::end(kNeverMade), name->path) != std::end(kNeverMade))
      return false;
  }
  if (const Class *wanted = object<Class>(type)) {
    const Instance *instance = instance_of(value);
    return instance && derives_from(*instance->type, *wanted);
  }
  const auto *native = std::get_if<const Native *>(&type);
  if (native && (*native)->path.rfind("builtins.", 0) != 0)
    return is_keras_instance(value, (*native)->path);
  if (!native)
    throw CompileError(location, "isinstance needs a type, got {}", describe(type));
  const std::string_view name = (*native)->name();
  const bool boolean = std::holds_alternative<bool>(value);
  return name == type_name(value) || (name == "int" && boolean);
}

Value call_isinstance(Interpreter &, const Call &call) {
  const Value &value = call.arguments["object"];
  const Value &type = call.arguments["type"];
  if (object<Opaque>(value))
    return value;
  if (const std::vector<Value> *types = sequence_items(type))
    return std::any_of(types->begin(), types->end(), [&](const Value &candidate) {
      return is_instance(value, candidate, call.location);
    });
  return is_instance(value, type, call.location);
}

std::optional<Value> find_optional_attribute(Interpreter &interpreter, const Call &call) {
  const Value &value = call.arguments["object"];
  const std::string &name = call.arguments.text("name");
  if (!instance_of(value) && !object<Class>(value))
    return attribute(interpreter, value, name, call.location);
  return object_attribute(interpreter, value, name, call.location);
}

Value call_getattr(Interpreter &interpreter, const Call &call) {
  if (const std::optional<Value> found = find_optional_attribute(interpreter, call))
    return *found;
  if (call.arguments.given("default"))
    return call.arguments["default"];
  return attribute(interpreter, call.arguments["object"], call.arguments.text("name"),
                   call.location);
}

Value call_hasattr(Interpreter &interpreter, const Call &call) {
  return find_optional_attribute(interpreter, call).has_value();
}

Value call_setattr(Interpreter &interpreter, const Call &call) {
  interpreter.assign_attribute(call.arguments["object"], call.arguments.text("name"),
                               call.arguments["value"], call.location);
  return None{};
}

Value call_callable(Interpreter &, const Call &call) {
  const Value &value = call.arguments["object"];
  const Instance *instance = object<Instance>(value);
  return object<Function>(value) || object<Partial>(value) || object<Class>(value) ||
         layer_of_object(value) || std::holds_alternative<const Native *>(value) ||
         object<BoundMethod>(value) || (instance && find_method(*instance->type, "__call__"));
}

Value call_super(Interpreter &interpreter, const Call &call) {
  return interpreter.make_super(call.arguments["type"], call.arguments["self"], call.location);
}

Value call_object_constructor(Interpreter &, const Call &call) {
  throw CompileError(call.location, "object can only be derived from");
}

/// @property and its kin: the function, marked.
template <Function::Kind kind> Value mark_method(Interpreter &interpreter, const Call &call) {
  const Function *function = object<Function>(call.arguments["function"]);
  if (!function)
    throw CompileError(call.location, "{} decorates methods, got {}", call.native.name(),
                       describe(call.arguments["function"]));
  Function *marked = interpreter.make<Function>(*function);
  marked->kind = kind;
  return marked;
}

/// @tf.function, @keras.saving.register_keras_serializable(): the function as it is. With
/// options instead of a function, the decorator itself.
Value decorate_without_effect(Interpreter &, const Call &call) {
  const Value &function = call.arguments["function"];
  return object<Function>(function) ? function : Value(&call.native);
}

/// type(x), as it is compared: a class of the script's, a native class, or a built-in type.
Value call_type(Interpreter &interpreter, const Call &call) {
  const Value &value = call.arguments["object"];
  if (const Instance *instance = instance_of(value)) {
    const bool of_script = instance->type->location.known(); // a plain nn.Sequential is not
    return of_script ? Value(instance->type) : Value(instance->type->native);
  }
  if (const Layer *layer = object<Layer>(value); layer && layer->type)
    return find_native(class_path(*layer->type));
  if (const Native *type = find_native("builtins." + type_name(value)))
    return type;
  return interpreter.opaque("type", call.location);
}

/// Categories for warnings.warn, which is skipped.
Value make_warning(Interpreter &interpreter, const Call &call) {
  return interpreter.opaque(std::string(call.native.name()), call.location);
}

double real_argument(const Call &call) { return call.arguments.number("x"); }

Value checked_real(double value, const Call &call) {
  if (!std::isfinite(value))
    throw CompileError(call.location, "{} of {} is not a finite number", call.native.name(),
                       describe(call.arguments["x"]));
  return value;
}

Value call_sqrt(Interpreter &, const Call &call) {
  return checked_real(std::sqrt(real_argument(call)), call);
}
Value call_numpy_sqrt(Interpreter &interpreter, const Call &call) {
  const Value &x = call.arguments["x"];
  return is_number(x) && to_number(x) >= 0 ? Value(std::sqrt(to_number(x)))
                                           : interpreter.opaque("numpy.sqrt", call.location);
}
Value call_exp(Interpreter &, const Call &call) {
  return checked_real(std::exp(real_argument(call)), call);
}
Value call_log(Interpreter &, const Call &call) {
  return checked_real(std::log(real_argument(call)), call);
}
Value call_log2(Interpreter &, const Call &call) {
  return checked_real(std::log2(real_argument(call)), call);
}

Value call_log10(Interpreter &, const Call &call) {
  return checked_real(std::log10(real_argument(call)), call);
}
Value call_sin(Interpreter &, const Call &call) { return std::sin(real_argument(call)); }
Value call_cos(Interpreter &, const Call &call) { return std::cos(real_argument(call)); }
Value call_tanh(Interpreter &, const Call &call) { return std::tanh(real_argument(call)); }
Value call_pow(Interpreter &, const Call &call) {
  return checked_real(std::pow(real_argument(call), call.arguments.number("y")), call);
}

Value to_integer(double value, const Call &call) {
  if (!(std::fabs(value) < 9.2e18))
    throw CompileError(call.location, "{} does not fit in a 64-bit integer",
                       describe(Value(value)));
  return static_cast<int64_t>(value);
}
Value call_floor(Interpreter &, const Call &call) {
  return to_integer(std::floor(real_argument(call)), call);
}
Value call_ceil(Interpreter &, const Call &call) {
  return to_integer(std::ceil(real_argument(call)), call);
}

Value call_directory(Interpreter &, const Call &) { return std::string("."); }

Value call_path_join(Interpreter &, const Call &call) {
  std::string path;
  for (const Value &part : call.arguments.items("parts")) {
    const std::string text = to_text(part);
    if (text.rfind('/', 0) == 0)
      path.clear();
    else if (!path.empty() && path.back() != '/')
      path += '/';
    path += text;
  }
  return path;
}

Value call_partial(Interpreter &interpreter, const Call &call) {
  Partial *partial = interpreter.make<Partial>();
  partial->callee = call.arguments["func"];
  partial->arguments.positional = call.arguments.items("args");
  for (const auto &[name, value] : object<Dict>(call.arguments["keywords"])->items)
    partial->arguments.keywords.emplace_back(std::get<std::string>(name), value);
  return partial;
}

std::vector<Native> number_natives() {
  using Kind = ArgumentKind;
  return {{"math.sqrt", {required("x", Kind::number)}, call_sqrt},
          {"numpy.sqrt", {required("x", Kind::any)}, call_numpy_sqrt},
          {"math.exp", {required("x", Kind::number)}, call_exp},
          {"math.log", {required("x", Kind::number)}, call_log},
          {"math.log2", {required("x", Kind::number)}, call_log2},
          {"math.log10", {required("x", Kind::number)}, call_log10},
          {"math.sin", {required("x", Kind::number)}, call_sin},
          {"math.cos", {required("x", Kind::number)}, call_cos},
          {"math.tanh", {required("x", Kind::number)}, call_tanh},
          {"math.pow", {required("x", Kind::number), required("y", Kind::number)}, call_pow},
          {"math.floor", {required("x", Kind::number)}, call_floor},
          {"math.ceil", {required("x", Kind::number)}, call_ceil}};
}

std::vector<Native> builtin_natives() {
  using Kind = ArgumentKind;
  std::vector<Native> natives = {
      {"builtins.print",
       {optional("values", Kind::rest), optional("options", Kind::keywords)},
       call_print},
      {"builtins.int", {optional("x", Kind::any, 0)}, call_int, Family::type},
      {"builtins.float", {optional("x", Kind::any, 0)}, call_float, Family::type},
      {"builtins.str", {optional("object", Kind::any, "")}, call_str, Family::type},
      {"builtins.repr", {required("object", Kind::any)}, call_repr},
      {"builtins.bool", {optional("x", Kind::any, Value(false))}, call_bool, Family::type},
      {"builtins.abs", {required("x", Kind::any)}, call_abs},
      {"builtins.round",
       {required("number", Kind::any), optional("ndigits", Kind::integer)},
       call_round},
      {"builtins.isinstance",
       {required("object", Kind::any), required("type", Kind::any)},
       call_isinstance},
      {"builtins.DeprecationWarning", {optional("values", Kind::rest)}, make_warning},
      {"builtins.FutureWarning", {optional("values", Kind::rest)}, make_warning},
      {"builtins.RuntimeWarning", {optional("values", Kind::rest)}, make_warning},
      {"builtins.UserWarning", {optional("values", Kind::rest)}, make_warning},
      {"builtins.type", {required("object", Kind::any)}, call_type},
      {"builtins.getattr",
       {required("object", Kind::any), required("name", Kind::text),
        optional("default", Kind::any)},
       call_getattr},
      {"builtins.hasattr",
       {required("object", Kind::any), required("name", Kind::text)},
       call_hasattr},
      {"builtins.setattr",
       {required("object", Kind::any), required("name", Kind::text), required("value", Kind::any)},
       call_setattr},
      {"builtins.callable", {required("object", Kind::any)}, call_callable},
      {"builtins.super", {optional("type", Kind::any), optional("self", Kind::any)}, call_super},
      {"builtins.object", {}, call_object_constructor},
      {"builtins.property",
       {required("function", Kind::any)},
       mark_method<Function::Kind::property>},
      {"builtins.staticmethod",
       {required("function", Kind::any)},
       mark_method<Function::Kind::static_method>},
      {"builtins.classmethod",
       {required("function", Kind::any)},
       mark_method<Function::Kind::class_method>},
      {"tensorflow.function",
       {optional("function", Kind::any), optional("options", Kind::keywords)},
       decorate_without_effect},
      {"keras.saving.register_keras_serializable",
       {optional("function", Kind::any), optional("name", Kind::ignored),
        optional("package", Kind::ignored)},
       decorate_without_effect},
      {"os.getcwd", {}, call_directory},
      {"os.path.join", {optional("parts", Kind::rest)}, call_path_join},
      {"functools.partial",
       {required("func", Kind::any), optional("args", Kind::rest),
        optional("keywords", Kind::keywords)},
       call_partial}};
  const std::vector<Native> numbers = number_natives();
  natives.insert(natives.end(), numbers.begin(), numbers.end());
  return natives;
}

} // namespace

const std::vector<Native> &python_natives() {
  static const std::vector<Native> natives = builtin_natives();
  return natives;
}

} // namespace sinter

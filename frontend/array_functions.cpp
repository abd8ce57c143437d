// The functions and methods of NumPy, scikit-learn and Keras that Sinter records on data arrays.
#include "frontend/data_array.h"
#include "frontend/interpreter.h"
#include "frontend/modules.h"

#include <cmath>

namespace sinter {

namespace {

/// The array argument `name`, or null after a warning: then the result is unknown.
const DataArray *array_argument(Interpreter &interpreter, const Call &call, const char *name) {
  const DataArray *array = object<DataArray>(call.arguments[name]);
  if (!array)
    interpreter.skip(call.location, fmt::format("{} of {} is skipped: only the data set's arrays "
                                                "are known when compiling",
                                                call.native.path, describe(call.arguments[name])));
  return array;
}

Value unknown_result(Interpreter &interpreter, const Call &call) {
  return interpreter.opaque(std::string(call.native.path), call.location);
}

/// "float32" of 'float32', np.float32, tf.float32 and float.
std::string dtype_name(const Value &dtype) {
  if (const auto *module = std::get_if<ModuleName>(&dtype))
    return module->path.substr(module->path.rfind('.') + 1);
  if (const auto *native = std::get_if<const Native *>(&dtype))
    return std::string((*native)->name());
  const auto *text = std::get_if<std::string>(&dtype);
  return text ? *text : "";
}

Value convert(Interpreter &interpreter, const DataArray &array, const std::string &dtype,
              const Call &call) {
  const bool real = dtype == "float32" || dtype == "float64" || dtype == "float";
  const bool wide = dtype == "int32" || dtype == "int64" || dtype == "int";
  const bool bytes_kept = array.scaling.empty() && (wide || dtype == "uint8");
  if (!real && !bytes_kept)
    return unknown_result(interpreter, call);
  DataArray *result = interpreter.make<DataArray>(array);
  result->integers = dtype == "uint8";
  return result;
}

// ---- methods -----------------------------------------------------------------------------------

const DataArray &self(const Call &call) { return *object<DataArray>(call.self); }

/// x.reshape(-1, 28, 28, 1) and x.reshape((-1, 28, 28, 1)).
Value array_reshape(Interpreter &interpreter, const Call &call) {
  const std::vector<Value> &given = call.arguments.items("dims");
  const std::vector<Value> *dims = given.size() == 1 ? sequence_items(given[0]) : nullptr;
  return reshape_array(interpreter, self(call), dims ? *dims : given, call.location);
}

Value array_astype(Interpreter &interpreter, const Call &call) {
  return convert(interpreter, self(call), dtype_name(call.arguments["dtype"]), call);
}

Value array_copy(Interpreter &, const Call &call) { return call.self; }

/// x.float(), y.long() of torch's tensors.
Value array_as(Interpreter &interpreter, const Call &call) {
  return convert(interpreter, self(call), call.native.name() == "float" ? "float32" : "int64",
                 call);
}

/// Labels stay as they are; images would lose the samples' dimension.
Value array_flatten(Interpreter &interpreter, const Call &call) {
  return reshape_array(interpreter, self(call), {int64_t{-1}}, call.location);
}

Value array_statistic(Interpreter &interpreter, const Call &call) {
  return unknown_result(interpreter, call);
}

// ---- numpy -------------------------------------------------------------------------------------

Value numpy_reshape(Interpreter &interpreter, const Call &call) {
  const DataArray *array = array_argument(interpreter, call, "a");
  if (!array)
    return unknown_result(interpreter, call);
  const Value &shape = call.arguments["shape"];
  const std::vector<Value> *dims = sequence_items(shape);
  return reshape_array(interpreter, *array, dims ? *dims : std::vector<Value>{shape},
                       call.location);
}

/// np.expand_dims(a, axis), x.unsqueeze(dim)
Value expand_dims(Interpreter &interpreter, const Call &call) {
  const bool is_method = call.arguments.has("dim");
  const DataArray *array = is_method ? &self(call) : array_argument(interpreter, call, "a");
  if (!array)
    return unknown_result(interpreter, call);
  const auto rank = static_cast<int64_t>(array->shape.size());
  const int64_t given = call.arguments.integer(is_method ? "dim" : "axis");
  const int64_t axis = given < 0 ? given + rank + 1 : given;
  if (axis < 0 || axis > rank)
    throw CompileError(call.location, "axis {} is outside an array of {} dimensions", given, rank);
  std::vector<Value> dims(array->shape.begin(), array->shape.end());
  dims.insert(dims.begin() + axis, int64_t{1});
  return reshape_array(interpreter, *array, dims, call.location);
}

Value numpy_array(Interpreter &interpreter, const Call &call) {
  const DataArray *array = array_argument(interpreter, call, "a");
  if (!array)
    return unknown_result(interpreter, call);
  if (call.arguments.is_none("dtype"))
    return call.arguments["a"];
  return convert(interpreter, *array, dtype_name(call.arguments["dtype"]), call);
}

Value numpy_float32(Interpreter &interpreter, const Call &call) {
  const Value &value = call.arguments["a"];
  if (is_number(value))
    return static_cast<double>(static_cast<float>(to_number(value)));
  const DataArray *array = array_argument(interpreter, call, "a");
  return array ? convert(interpreter, *array, "float32", call) : unknown_result(interpreter, call);
}

// ---- splits and labels -------------------------------------------------------------------------

/// How many of `count` samples scikit-learn puts aside for a test_size.
int64_t test_count(double test_size, bool fraction, int64_t count, const Call &call) {
  if (!fraction ? test_size < 1 || test_size >= static_cast<double>(count)
                : test_size <= 0 || test_size >= 1)
    throw CompileError(call.location,
                       "test_size must be a fraction between 0 and 1 or a count below {}, got {}",
                       count, describe(call.arguments["test_size"]));
  const auto picked = fraction
                          ? static_cast<int64_t>(std::ceil(test_size * static_cast<double>(count)))
                          : static_cast<int64_t>(test_size);
  if (picked < 1 || picked >= count)
    throw CompileError(call.location, "{} of {} samples leave nothing to train on", picked, count);
  return picked;
}

Value train_test_split(Interpreter &interpreter, const Call &call) {
  const Arguments &arguments = call.arguments;
  const std::vector<Value> &arrays = arguments.items("arrays");
  if (arrays.empty())
    throw CompileError(call.location, "train_test_split needs arrays");
  const Value &size = arguments["test_size"];
  if (!std::holds_alternative<None>(size) && !std::holds_alternative<int64_t>(size) &&
      !std::holds_alternative<double>(size))
    throw CompileError(call.location, "train_test_split: test_size must be a number, got {}",
                       describe(size));
  const bool fraction = !std::holds_alternative<int64_t>(size);
  SubsetStep step;
  step.test_size = std::holds_alternative<None>(size) ? 0.25 : to_number(size);
  step.shuffle = arguments.boolean("shuffle");
  step.random_state = arguments.is_none("random_state") ? -1 : arguments.integer("random_state");
  std::vector<Value> parts;
  int64_t length = -1;
  for (const Value &value : arrays) {
    if (const Opaque *unknown = object<Opaque>(value))
      fail_unknown(*unknown, call.location, "a split");
    const DataArray *array = object<DataArray>(value);
    if (!array)
      throw CompileError(call.location, "train_test_split of {} is not supported", describe(value));
    const int64_t count = array->shape[0];
    if (length >= 0 && count != length)
      throw CompileError(call.location, "train_test_split of {} and {} samples", length, count);
    length = count;
    const int64_t picked = test_count(step.test_size, fraction, count, call);
    step.op = "split_train";
    parts.push_back(pick_samples(interpreter, *array, step, count - picked, call.location));
    step.op = "split_test";
    parts.push_back(pick_samples(interpreter, *array, step, picked, call.location));
  }
  return interpreter.list(std::move(parts));
}

/// to_categorical(x, num_classes), tf.one_hot(indices, depth)
Value to_categorical(Interpreter &interpreter, const Call &call) {
  const bool is_keras = call.arguments.has("x");
  const DataArray *array = array_argument(interpreter, call, is_keras ? "x" : "indices");
  if (!array)
    return unknown_result(interpreter, call);
  const char *count = is_keras ? "num_classes" : "depth";
  const int64_t classes = call.arguments.is_none(count) ? kClasses : call.arguments.integer(count);
  if (!array->labels || array->one_hot > 0)
    throw CompileError(call.location, "{} needs labels, got {}", call.native.name(), array->str());
  if (classes < kClasses)
    throw CompileError(call.location, "{} to {} classes, but the data set has {}",
                       call.native.name(), classes, kClasses);
  DataArray *result = interpreter.make<DataArray>(*array);
  result->one_hot = classes;
  result->shape = {array->shape[0], classes};
  result->location = call.location;
  return result;
}

Value load_data(Interpreter &interpreter, const Call &call) {
  const std::string_view path = call.native.path;
  const std::string_view module = path.substr(0, path.rfind('.'));
  DataArray images;
  images.dataset = module.substr(module.rfind('.') + 1);
  images.location = call.location;
  std::vector<Value> parts;
  for (const auto &[source, count] : {std::pair("train", 60000), std::pair("test", 10000)}) {
    images.source = source;
    images.shape = {count, 28, 28};
    DataArray labels = images;
    labels.labels = true;
    labels.shape = {count};
    parts.push_back(interpreter.tuple(
        {interpreter.make<DataArray>(images), interpreter.make<DataArray>(labels)}));
  }
  return interpreter.tuple(std::move(parts));
}

} // namespace

const std::vector<Native> &array_natives() {
  using Kind = ArgumentKind;
  static const ArgumentSpec a = required("a", Kind::any);
  static const std::vector<ArgumentSpec> axes = {optional("axis", Kind::rest),
                                                 optional("options", Kind::keywords)};
  static const std::vector<Native> natives = {
      {"array.reshape", {optional("dims", Kind::rest)}, array_reshape},
      {"array.astype", {required("dtype", Kind::any)}, array_astype},
      {"array.copy", {}, array_copy},
      {"array.float", {}, array_as},
      {"array.long", {}, array_as},
      {"array.unsqueeze", {required("dim", Kind::integer)}, expand_dims},
      {"array.flatten", {}, array_flatten},
      {"array.ravel", {}, array_flatten},
      {"array.min", axes, array_statistic},
      {"array.max", axes, array_statistic},
      {"array.mean", axes, array_statistic},
      {"array.std", axes, array_statistic},
      {"array.sum", axes, array_statistic},
      {"numpy.reshape", {a, required("shape", Kind::any)}, numpy_reshape},
      {"numpy.expand_dims", {a, required("axis", Kind::integer)}, expand_dims},
      {"numpy.array", {a, optional("dtype", Kind::any)}, numpy_array},
      {"numpy.asarray", {a, optional("dtype", Kind::any)}, numpy_array},
      {"numpy.float32", {a}, numpy_float32},
      {"sklearn.model_selection.train_test_split",
       {optional("arrays", Kind::rest), optional("test_size", Kind::any),
        optional("train_size", Kind::unsupported), optional("random_state", Kind::non_negative),
        optional("shuffle", Kind::boolean, Value(true)), optional("stratify", Kind::unsupported)},
       train_test_split},
      {"keras.utils.to_categorical",
       {required("x", Kind::any), optional("num_classes", Kind::positive),
        optional("dtype", Kind::ignored)},
       to_categorical},
      {"tensorflow.one_hot",
       {required("indices", Kind::any), required("depth", Kind::positive),
        optional("dtype", Kind::ignored), optional("name", Kind::ignored)},
       to_categorical},
      {"keras.datasets.fashion_mnist.load_data", {}, load_data},
      {"keras.datasets.mnist.load_data", {optional("path", Kind::ignored)}, load_data}};
  return natives;
}

} // namespace sinter

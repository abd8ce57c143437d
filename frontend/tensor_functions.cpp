// Functions on tensors, under TensorFlow's, keras.ops' and keras.backend's names: each makes and
// applies a layer of layers_tensor.cpp.
#include "frontend/interpreter.h"
#include "frontend/keras_session.h"
#include "frontend/layer_table.h"
#include "frontend/modules.h"

#include <algorithm>

namespace sinter {

namespace {

using Kind = ArgumentKind;

/// A function whose first `tensors` arguments are tensors; the others are the layer's, under the
/// layer's names or those of `renamed`.
struct TensorFunction {
  std::string_view path;
  std::string_view layer;
  std::vector<ArgumentSpec> arguments;
  size_t tensors = 1;
  std::vector<std::pair<std::string_view, std::string_view>> renamed = {};
};

ArgumentSpec name_argument() { return optional("name", Kind::ignored); }

std::vector<TensorFunction> reductions() {
  const ArgumentSpec axis = optional("axis", Kind::any);
  const ArgumentSpec keepdims = optional("keepdims", Kind::boolean, Value(false));
  const std::vector<ArgumentSpec> tf = {required("input_tensor", Kind::any), axis, keepdims,
                                        name_argument()};
  const std::vector<ArgumentSpec> keras = {required("x", Kind::any), axis, keepdims};
  return {{"tensorflow.reduce_mean", "keras.ops.Mean", tf},
          {"tensorflow.reduce_sum", "keras.ops.Sum", tf},
          {"tensorflow.reduce_max", "keras.ops.Max", tf},
          {"keras.ops.mean", "keras.ops.Mean", keras},
          {"keras.ops.sum", "keras.ops.Sum", keras},
          {"keras.ops.max", "keras.ops.Max", keras},
          {"keras.ops.amax", "keras.ops.Max", keras}};
}

std::vector<TensorFunction> elementwise() {
  std::vector<TensorFunction> functions;
  const std::vector<ArgumentSpec> one = {required("x", Kind::any), name_argument()};
  for (const auto &[path, layer] : std::initializer_list<std::pair<const char *, const char *>>{
           {"keras.ops.exp", "keras.ops.Exp"},
           {"keras.ops.log", "keras.ops.Log"},
           {"keras.ops.sqrt", "keras.ops.Sqrt"},
           {"keras.ops.rsqrt", "keras.ops.Rsqrt"},
           {"keras.ops.square", "keras.ops.Square"},
           {"keras.ops.abs", "keras.ops.Absolute"},
           {"keras.ops.negative", "keras.ops.Negative"}})
    functions.push_back({path, layer, one});
  const std::vector<ArgumentSpec> two = {required("x", Kind::any), required("y", Kind::any),
                                         name_argument()};
  for (const auto &[path, layer] : std::initializer_list<std::pair<const char *, const char *>>{
           {"keras.ops.add", "keras.ops.Add"},
           {"keras.ops.subtract", "keras.ops.Subtract"},
           {"keras.ops.multiply", "keras.ops.Multiply"},
           {"keras.ops.divide", "keras.ops.TrueDivide"},
           {"keras.ops.maximum", "keras.ops.Maximum"},
           {"keras.ops.minimum", "keras.ops.Minimum"},
           {"keras.ops.power", "keras.ops.Power"},
           {"keras.ops.matmul", "keras.ops.Matmul"}})
    functions.push_back({path, layer, two, 2});
  return functions;
}

std::vector<TensorFunction> shapes_and_windows() {
  const ArgumentSpec x = required("x", Kind::any);
  const ArgumentSpec axis = required("axis", Kind::any);
  const ArgumentSpec radius = optional("depth_radius", Kind::non_negative, 5);
  const std::vector<ArgumentSpec> lrn = {required("input", Kind::any),
                                         radius,
                                         optional("bias", Kind::number, 1),
                                         optional("alpha", Kind::number, 1),
                                         optional("beta", Kind::number, Value(0.5)),
                                         name_argument()};
  const std::vector<ArgumentSpec> window = {required("input", Kind::any),
                                            required("ksize", Kind::any),
                                            required("strides", Kind::any),
                                            required("padding", Kind::text),
                                            optional("data_format", Kind::unsupported, "NHWC"),
                                            name_argument()};
  return {
      {"tensorflow.reshape",
       "keras.ops.Reshape",
       {required("tensor", Kind::any), required("shape", Kind::any), name_argument()}},
      {"keras.ops.reshape",
       "keras.ops.Reshape",
       {x, required("newshape", Kind::any)},
       1,
       {{"newshape", "shape"}}},
      {"tensorflow.transpose",
       "keras.ops.Transpose",
       {required("a", Kind::any), required("perm", Kind::any), name_argument()},
       1,
       {{"perm", "axes"}}},
      {"keras.ops.transpose", "keras.ops.Transpose", {x, required("axes", Kind::any)}},
      {"tensorflow.expand_dims",
       "keras.ops.ExpandDims",
       {required("input", Kind::any), axis, name_argument()}},
      {"keras.ops.expand_dims", "keras.ops.ExpandDims", {x, axis}},
      {"tensorflow.squeeze",
       "keras.ops.Squeeze",
       {required("input", Kind::any), optional("axis", Kind::any), name_argument()}},
      {"keras.ops.squeeze", "keras.ops.Squeeze", {x, optional("axis", Kind::any)}},
      {"keras.ops.clip",
       "keras.ops.Clip",
       {x, required("x_min", Kind::number), required("x_max", Kind::number)},
       1,
       {{"x_min", "low"}, {"x_max", "high"}}},
      {"tensorflow.clip_by_value",
       "keras.ops.Clip",
       {required("t", Kind::any), required("clip_value_min", Kind::number),
        required("clip_value_max", Kind::number), name_argument()},
       1,
       {{"clip_value_min", "low"}, {"clip_value_max", "high"}}},
      {"tensorflow.nn.local_response_normalization", "keras.ops.LocalResponseNormalization", lrn},
      {"tensorflow.nn.max_pool", "keras.ops.MaxPool", window},
      {"tensorflow.nn.avg_pool", "keras.ops.AveragePool", window},
  };
}

const std::vector<TensorFunction> &functions() {
  static const std::vector<TensorFunction> table = [] {
    std::vector<TensorFunction> all;
    for (auto *family : {reductions, elementwise, shapes_and_windows})
      for (TensorFunction &function : family())
        all.push_back(std::move(function));
    return all;
  }();
  return table;
}

const TensorFunction &function_of(const Native &native) {
  for (const TensorFunction &function : functions())
    if (function.path == native.path)
      return function;
  SINTER_UNREACHABLE("no tensor function {}", native.path);
}

/// a op b where one is a number: the operators' own rules.
Value with_number(Interpreter &interpreter, const TensorFunction &function, const Call &call) {
  const Value &x = call.arguments[function.arguments[0].name];
  const Value &y = call.arguments[function.arguments[1].name];
  const std::string_view layer = function.layer;
  for (const auto &[path, op] : std::initializer_list<std::pair<std::string_view, const char *>>{
           {"keras.ops.Add", "+"},
           {"keras.ops.Subtract", "-"},
           {"keras.ops.Multiply", "*"},
           {"keras.ops.TrueDivide", "/"}})
    if (layer == path)
      return binary_operation(interpreter, op, x, y, call.location);
  KerasTensor *tensor = object<KerasTensor>(x);
  if (!tensor || !is_number(y) || layer == "keras.ops.Matmul")
    throw CompileError(call.location, "{} of {} and {} is not supported", call.native.path,
                       describe(x), describe(y));
  return interpreter.keras().apply_operation(layer, {{"value", to_number(y)}}, {tensor},
                                             call.location);
}

Value call_tensor_function(Interpreter &interpreter, const Call &call) {
  const TensorFunction &function = function_of(call.native);
  std::vector<KerasTensor *> tensors;
  for (size_t i = 0; i < function.tensors; ++i) {
    const Value &value = call.arguments[function.arguments[i].name];
    if (object<Opaque>(value) || object<DataArray>(value))
      return interpreter.opaque(std::string(call.native.path), call.location);
    if (KerasTensor *tensor = object<KerasTensor>(value))
      tensors.push_back(tensor);
  }
  if (tensors.size() < function.tensors && function.tensors == 2)
    return with_number(interpreter, function, call);
  if (tensors.empty())
    throw CompileError(call.location, "{} needs a tensor, got {}", call.native.path,
                       describe(call.arguments[function.arguments[0].name]));
  const LayerType &layer = layer_type(function.layer);
  std::vector<std::pair<std::string, Value>> arguments;
  for (size_t i = function.tensors; i < function.arguments.size(); ++i) {
    std::string_view name = function.arguments[i].name;
    const Value &value = call.arguments[name];
    for (const auto &[from, to] : function.renamed)
      name = name == from ? to : name;
    const bool known =
        name != "name" && std::any_of(layer.native.arguments.begin(), layer.native.arguments.end(),
                                      [&](const ArgumentSpec &spec) { return spec.name == name; });
    if (known)
      arguments.emplace_back(name, value);
  }
  return interpreter.keras().apply_operation(function.layer, arguments, tensors, call.location);
}

/// tf.concat([a, b], axis), keras.ops.concatenate([a, b], axis)
Value call_concat(Interpreter &interpreter, const Call &call) {
  const char *name = call.native.path == "tensorflow.concat" ? "values" : "xs";
  return interpreter.keras().apply_operation(
      "keras.layers.Concatenate", {{"axis", call.arguments["axis"]}},
      tensor_arguments(interpreter, call, name), call.location);
}

/// tf.cast(x, tf.float32), tf.identity(x): tensors are float32 already.
Value call_identity(Interpreter &interpreter, const Call &call) {
  const Value &x = call.arguments["x"];
  const Value dtype = call.arguments.has("dtype") ? call.arguments["dtype"] : Value(None{});
  if (object<DataArray>(x) && !std::holds_alternative<None>(dtype))
    return interpreter.call(attribute(interpreter, x, "astype", call.location), {{dtype}, {}},
                            call.location);
  const auto *module = std::get_if<ModuleName>(&dtype);
  const bool f32 = std::holds_alternative<None>(dtype) ||
                   (module && module->path == "tensorflow.float32") ||
                   equal(dtype, std::string("float32"));
  if (object<KerasTensor>(x) && !f32)
    throw CompileError(call.location, "a cast to {} is not supported", describe(dtype));
  return object<KerasTensor>(x) ? x
                                : interpreter.opaque(std::string(call.native.path), call.location);
}

/// K.int_shape(x), tf.shape(x), keras.ops.shape(x)
Value call_shape(Interpreter &interpreter, const Call &call) {
  return attribute(interpreter, call.arguments["x"], "shape", call.location);
}

} // namespace

const std::vector<Native> &tensor_natives() {
  static const std::vector<Native> natives = [] {
    std::vector<Native> all;
    for (const TensorFunction &function : functions())
      all.push_back({function.path, function.arguments, call_tensor_function});
    const ArgumentSpec x = required("x", Kind::any);
    const ArgumentSpec axis = required("axis", Kind::integer);
    all.push_back(
        {"tensorflow.concat", {required("values", Kind::any), axis, name_argument()}, call_concat});
    all.push_back({"keras.ops.concatenate",
                   {required("xs", Kind::any), optional("axis", Kind::integer, 0)},
                   call_concat});
    all.push_back(
        {"tensorflow.cast", {x, required("dtype", Kind::any), name_argument()}, call_identity});
    all.push_back({"keras.ops.cast", {x, required("dtype", Kind::any)}, call_identity});
    all.push_back({"tensorflow.identity", {x, name_argument()}, call_identity});
    all.push_back({"keras.ops.shape", {x}, call_shape});
    return all;
  }();
  return natives;
}

} // namespace sinter

// Optimizers, losses, metrics, initializers, callbacks and activations: what scripts configure
// and pass on. Each entry lists the arguments; training.cpp and losses.cpp read them.
#include "frontend/configured.h"
#include "frontend/constraints.h"
#include "frontend/interpreter.h"
#include "frontend/keras_session.h"
#include "frontend/layer_table.h"
#include "frontend/modules.h"
#include "frontend/regularizers.h"
#include "frontend/schedules.h"

namespace sinter {

namespace {

using Kind = ArgumentKind;

/// Loss and metric functions are passed to compile(); on values they are not computed here.
Value refuse_call(Interpreter &, const Call &call) {
  throw CompileError(call.location, "{} can only be passed to compile()", call.native.path);
}

/// An activation function that takes more than x, or is a layer of its own when it is called.
struct CalledActivation {
  std::string_view name, layer;
  std::vector<ArgumentSpec> arguments; // behind x
};

const std::vector<CalledActivation> &called_activations() {
  const ArgumentSpec alpha = optional("alpha", Kind::number, Value(1.0));
  const ArgumentSpec axis = optional("axis", Kind::integer, -1);
  static const std::vector<CalledActivation> called = {
      {"relu",
       "keras.layers.ReLU",
       {optional("negative_slope", Kind::number, 0), optional("max_value", Kind::number),
        optional("threshold", Kind::number, 0)}},
      {"leaky_relu",
       "keras.ops.LeakyRelu",
       {optional("negative_slope", Kind::number, Value(0.2)), optional("alpha", Kind::number)}},
      {"elu", "keras.ops.Elu", {alpha}},
      {"celu", "keras.ops.Celu", {alpha}},
      {"gelu", "keras.ops.Gelu", {optional("approximate", Kind::boolean, Value(false))}},
      {"softmax", "keras.layers.Softmax", {axis}},
      {"log_softmax", "keras.ops.LogSoftmax", {axis}},
      {"tanh", "keras.ops.Tanh", {}},
      {"sigmoid", "keras.ops.Sigmoid", {}}};
  return called;
}

const CalledActivation *find_called(std::string_view name) {
  for (const CalledActivation &called : called_activations())
    if (called.name == name)
      return &called;
  return nullptr;
}

Value apply_activation_function(Interpreter &interpreter, const Call &call) {
  const Value &x = call.arguments["x"];
  if (object<Opaque>(x))
    return x;
  KerasTensor *tensor = object<KerasTensor>(x);
  if (!tensor)
    throw CompileError(call.location, "{} can only be applied to tensors of a model, got {}",
                       call.native.path, describe(x));
  const std::string_view name = call.native.name();
  if (name == "linear")
    return tensor;
  std::vector<std::pair<std::string, Value>> arguments;
  const CalledActivation *called = find_called(name);
  if (called)
    for (const ArgumentSpec &spec : called->arguments)
      arguments.emplace_back(spec.name, call.arguments[spec.name]);
  else
    arguments.emplace_back("activation", std::string(name));
  return interpreter.keras().apply_operation(called ? called->layer : "keras.layers.Activation",
                                             arguments, {tensor}, call.location);
}

/// keras.activations.get('relu')
Value get_activation(Interpreter &, const Call &call) {
  const Value &identifier = call.arguments["identifier"];
  if (object<Function>(identifier) || layer_of_object(identifier))
    return identifier;
  return &find_activation(identifier, call.location);
}

std::vector<ArgumentSpec> optimizer_arguments(std::vector<ArgumentSpec> own,
                                              const Value &weight_decay = None{}) {
  const std::vector<ArgumentSpec> common = {
      optional("weight_decay", Kind::number, weight_decay),
      optional("clipnorm", Kind::number),
      optional("clipvalue", Kind::number),
      optional("global_clipnorm", Kind::number),
      optional("use_ema", Kind::unsupported, Value(false)),
      optional("ema_momentum", Kind::ignored),
      optional("ema_overwrite_frequency", Kind::ignored),
      optional("jit_compile", Kind::ignored),
      optional("loss_scale_factor", Kind::unsupported),
      optional("gradient_accumulation_steps", Kind::unsupported),
      optional("name", Kind::ignored),
      optional("lr", Kind::number), // the learning rate's name before Keras 2.3
      optional("decay", Kind::unsupported, 0)};
  own.insert(own.end(), common.begin(), common.end());
  return own;
}

std::vector<ArgumentSpec> loss_arguments(bool logits) {
  std::vector<ArgumentSpec> arguments;
  if (logits)
    arguments = {optional("from_logits", Kind::boolean, Value(false)),
                 optional("label_smoothing", Kind::fraction, 0),
                 optional("axis", Kind::unsupported, -1),
                 optional("ignore_class", Kind::unsupported)};
  arguments.push_back(choice("reduction", "sum_over_batch_size", "sum_over_batch_size|auto|mean"));
  arguments.push_back(optional("name", Kind::ignored));
  arguments.push_back(optional("dtype", Kind::unsupported));
  return arguments;
}

std::vector<Native> optimizers() {
  const ArgumentSpec momentum = optional("momentum", Kind::fraction, Value(0.0));
  const ArgumentSpec epsilon = optional("epsilon", Kind::number, Value(1e-7));
  const ArgumentSpec rate = optional("learning_rate", Kind::rate, Value(0.001));
  const std::vector<ArgumentSpec> moments = {rate, optional("beta_1", Kind::fraction, Value(0.9)),
                                             optional("beta_2", Kind::fraction, Value(0.999)),
                                             epsilon};
  std::vector<ArgumentSpec> with_amsgrad = moments;
  with_amsgrad.push_back(optional("amsgrad", Kind::unsupported, Value(false)));
  return {
      {"keras.optimizers.SGD",
       optimizer_arguments({optional("learning_rate", Kind::rate, Value(0.01)), momentum,
                            optional("nesterov", Kind::boolean, Value(false))}),
       configure, Family::optimizer},
      {"keras.optimizers.Adam", optimizer_arguments(with_amsgrad), configure, Family::optimizer},
      {"keras.optimizers.AdamW", optimizer_arguments(with_amsgrad, Value(0.004)), configure,
       Family::optimizer},
      {"keras.optimizers.Adamax", optimizer_arguments(moments), configure, Family::optimizer},
      {"keras.optimizers.Nadam", optimizer_arguments(moments), configure, Family::optimizer},
      {"keras.optimizers.Adadelta",
       optimizer_arguments({rate, optional("rho", Kind::fraction, Value(0.95)), epsilon}),
       configure, Family::optimizer},
      {"keras.optimizers.Adagrad",
       optimizer_arguments(
           {rate, optional("initial_accumulator_value", Kind::number, Value(0.1)), epsilon}),
       configure, Family::optimizer},
      {"keras.optimizers.RMSprop",
       optimizer_arguments({rate, optional("rho", Kind::fraction, Value(0.9)), momentum, epsilon,
                            optional("centered", Kind::unsupported, Value(false))}),
       configure, Family::optimizer}};
}

std::vector<Native> losses_and_metrics() {
  const ArgumentSpec name = optional("name", Kind::text);
  const ArgumentSpec dtype = optional("dtype", Kind::unsupported);
  const std::vector<ArgumentSpec> values = {optional("y_true", Kind::any),
                                            optional("y_pred", Kind::any)};
  const ArgumentSpec k = optional("k", Kind::positive, 5);
  std::vector<ArgumentSpec> sparse = loss_arguments(true);
  sparse[1].kind = Kind::unsupported; // label_smoothing, which Keras has not here
  std::vector<ArgumentSpec> huber = loss_arguments(false);
  huber.insert(huber.begin(), optional("delta", Kind::number, Value(1.0)));
  std::vector<Native> natives = {
      {"keras.losses.SparseCategoricalCrossentropy", sparse, configure, Family::loss},
      {"keras.losses.CategoricalCrossentropy", loss_arguments(true), configure, Family::loss},
      {"keras.losses.BinaryCrossentropy", loss_arguments(true), configure, Family::loss},
      {"keras.losses.Huber", huber, configure, Family::loss},
      {"keras.metrics.TopKCategoricalAccuracy", {k, name, dtype}, configure, Family::metric},
      {"keras.metrics.SparseTopKCategoricalAccuracy", {k, name, dtype}, configure, Family::metric},
      {"keras.metrics.SparseCategoricalAccuracy", {name, dtype}, configure, Family::metric},
      {"keras.metrics.CategoricalAccuracy", {name, dtype}, configure, Family::metric},
      {"keras.metrics.BinaryAccuracy",
       {name, dtype, optional("threshold", Kind::unsupported, Value(0.5))},
       configure,
       Family::metric}};
  for (const char *path :
       {"keras.losses.MeanSquaredError", "keras.losses.MeanAbsoluteError", "keras.losses.Hinge",
        "keras.losses.SquaredHinge", "keras.losses.LogCosh", "keras.losses.Poisson",
        "keras.losses.KLDivergence"})
    natives.push_back({path, loss_arguments(false), configure, Family::loss});
  for (const char *path : {"keras.metrics.MeanSquaredError", "keras.metrics.MeanAbsoluteError"})
    natives.push_back({path, {name, dtype}, configure, Family::metric});
  for (const char *path :
       {"keras.losses.sparse_categorical_crossentropy", "keras.losses.categorical_crossentropy",
        "keras.losses.binary_crossentropy", "keras.losses.mean_squared_error",
        "keras.losses.mean_absolute_error", "keras.losses.huber", "keras.losses.hinge",
        "keras.losses.squared_hinge", "keras.losses.log_cosh", "keras.losses.poisson",
        "keras.losses.kl_divergence"})
    natives.push_back({path, values, refuse_call, Family::loss});
  for (const char *path :
       {"keras.metrics.sparse_categorical_accuracy", "keras.metrics.categorical_accuracy",
        "keras.metrics.binary_accuracy", "keras.metrics.mean_squared_error",
        "keras.metrics.mean_absolute_error", "keras.metrics.top_k_categorical_accuracy",
        "keras.metrics.sparse_top_k_categorical_accuracy"})
    natives.push_back({path, values, refuse_call, Family::metric});
  return natives;
}

std::vector<Native> initializers() {
  const ArgumentSpec seed = optional("seed", Kind::ignored); // the program's --seed decides
  const ArgumentSpec mean = optional("mean", Kind::number, 0);
  const ArgumentSpec stddev = optional("stddev", Kind::number, Value(0.05));
  const ArgumentSpec gain = optional("gain", Kind::number, 1);
  std::vector<Native> natives = {
      {"keras.initializers.Zeros", {}, configure, Family::initializer},
      {"keras.initializers.Ones", {}, configure, Family::initializer},
      {"keras.initializers.Constant",
       {optional("value", Kind::number, 0)},
       configure,
       Family::initializer},
      {"keras.initializers.RandomNormal", {mean, stddev, seed}, configure, Family::initializer},
      {"keras.initializers.RandomUniform",
       {optional("minval", Kind::number, Value(-0.05)),
        optional("maxval", Kind::number, Value(0.05)), seed},
       configure,
       Family::initializer},
      {"keras.initializers.TruncatedNormal", {mean, stddev, seed}, configure, Family::initializer},
      {"keras.initializers.Orthogonal", {gain, seed}, configure, Family::initializer},
      {"keras.initializers.Identity", {gain}, configure, Family::initializer},
      {"keras.initializers.VarianceScaling",
       {optional("scale", Kind::number, 1), choice("mode", "fan_in", "fan_in|fan_out|fan_avg"),
        choice("distribution", "truncated_normal", "truncated_normal|untruncated_normal|uniform"),
        seed},
       configure,
       Family::initializer}};
  for (const char *path : {"keras.initializers.GlorotUniform", "keras.initializers.GlorotNormal",
                           "keras.initializers.HeUniform", "keras.initializers.HeNormal",
                           "keras.initializers.LecunUniform", "keras.initializers.LecunNormal"})
    natives.push_back({path, {seed}, configure, Family::initializer});
  return natives;
}

std::vector<Native> callbacks() {
  const ArgumentSpec monitor = optional("monitor", Kind::text, "val_loss");
  const ArgumentSpec verbose = optional("verbose", Kind::ignored);
  const ArgumentSpec mode = choice("mode", "auto", "auto|min|max");
  return {
      {"keras.callbacks.ModelCheckpoint",
       {required("filepath", Kind::text), monitor, verbose,
        optional("save_best_only", Kind::boolean, Value(false)),
        optional("save_weights_only", Kind::ignored), mode,
        optional("save_freq", Kind::unsupported, "epoch"),
        optional("initial_value_threshold", Kind::unsupported)},
       configure,
       Family::callback},
      {"keras.callbacks.EarlyStopping",
       {monitor, optional("min_delta", Kind::number, 0),
        optional("patience", Kind::non_negative, 0), verbose, mode,
        optional("baseline", Kind::unsupported),
        optional("restore_best_weights", Kind::boolean, Value(false)),
        optional("start_from_epoch", Kind::unsupported, 0)},
       configure,
       Family::callback},
      {"keras.callbacks.ReduceLROnPlateau",
       {monitor, optional("factor", Kind::fraction, Value(0.1)),
        optional("patience", Kind::non_negative, 10), verbose, mode,
        optional("min_delta", Kind::number, Value(0.0001)),
        optional("cooldown", Kind::non_negative, 0), optional("min_lr", Kind::number, Value(0.0))},
       configure,
       Family::callback},
      {"keras.callbacks.LearningRateScheduler",
       {required("schedule", Kind::any), verbose},
       configure,
       Family::callback}};
}

std::vector<Native> activations() {
  std::vector<Native> natives;
  static const std::vector<std::string> paths = activation_paths();
  for (const std::string &path : paths) {
    Native native{path, {required("x", Kind::any)}, apply_activation_function, Family::activation};
    if (const CalledActivation *called = find_called(native.name()))
      native.arguments.insert(native.arguments.end(), called->arguments.begin(),
                              called->arguments.end());
    if (path == "keras.ops.gelu")
      native.arguments.back().fallback = Value(true);
    natives.push_back(std::move(native));
  }
  natives.push_back({"keras.activations.get", {required("identifier", Kind::any)}, get_activation});
  return natives;
}

} // namespace

const std::vector<Native> &configuration_natives() {
  static const std::vector<Native> natives = [] {
    std::vector<Native> all;
    for (auto *family : {optimizers, losses_and_metrics, initializers, regularizer_natives,
                         constraint_natives, schedule_natives, callbacks, activations})
      for (Native &native : family())
        all.push_back(std::move(native));
    return all;
  }();
  return natives;
}

} // namespace sinter

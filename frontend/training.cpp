#include "frontend/training.h"

#include "frontend/data_array.h"
#include "frontend/interpreter.h"
#include "frontend/keras_session.h"
#include "frontend/modules.h"
#include "frontend/schedules.h"
#include "frontend/tensorflow_data.h"

#include <algorithm>
#include <cctype>

namespace sinter {

namespace {

KerasModel &self(const Call &call) { return *object<KerasModel>(call.self); }

// ---- compile -----------------------------------------------------------------------------------

const Native &find_optimizer(const std::string &name, const SourceLocation &location) {
  std::vector<std::string_view> known;
  for (const Native &native : configuration_natives()) {
    if (native.family != Family::optimizer)
      continue;
    if (snake_case_name(native.name()) == snake_case_name(name) ||
        std::equal(name.begin(), name.end(), native.name().begin(), native.name().end(),
                   [](char a, char b) { return (a | 0x20) == (b | 0x20); }))
      return native;
    known.push_back(native.name());
  }
  throw CompileError(location, "unknown optimizer '{}'{}", name, suggestion(name, known));
}

void read_clipping(const Configured &optimizer, OptimizerSpec &spec) {
  int given = 0;
  const auto read = [&](const char *argument, float &field) {
    if (optimizer.arguments.is_none(argument))
      return;
    field = optimizer.arguments.real(argument);
    if (!(field > 0))
      throw CompileError(optimizer.location, "{}: {} must be above 0, got {}",
                         optimizer.type->name(), argument, field);
    ++given;
  };
  read("clipnorm", spec.clip_norm);
  read("global_clipnorm", spec.global_clip_norm);
  read("clipvalue", spec.clip_value);
  if (given > 1)
    throw CompileError(optimizer.location,
                       "{}: only one of clipnorm, global_clipnorm and clipvalue can be given",
                       optimizer.type->name());
}

/// Of a class of Keras or of torch.optim, which differ in capitals: Nadam and NAdam.
std::string optimizer_kind(std::string_view name) {
  std::string kind(name);
  for (char &c : kind)
    c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return kind == "adamw" ? "adam" : kind; // the decay is a part of its own
}

OptimizerSpec resolve_optimizer(Interpreter &interpreter, const Value &value,
                                const SourceLocation &location) {
  if (const auto *name = std::get_if<std::string>(&value)) {
    const Native &native = find_optimizer(*name, location);
    return resolve_optimizer(
        interpreter,
        native.call(interpreter, {native, bind(interpreter, native, {}, location), location}),
        location);
  }
  if (const auto *native = std::get_if<const Native *>(&value))
    if ((*native)->family == Family::optimizer)
      return resolve_optimizer(interpreter, std::string((*native)->name()), location);
  const Configured *configured = object<Configured>(value);
  if (const Opaque *unknown = object<Opaque>(value))
    fail_unknown(*unknown, location, "the optimizer");
  if (!configured || configured->type->family != Family::optimizer)
    throw CompileError(location, "compile: optimizer must be an optimizer, got {}",
                       describe(value));
  const Arguments &arguments = configured->arguments;
  const char *rate = arguments.is_none("lr") ? "learning_rate" : "lr";
  OptimizerSpec spec = common_optimizer(*configured, rate, "rho", "epsilon");
  if (const Configured *schedule = object<Configured>(arguments[rate]))
    read_schedule(*schedule, spec);
  read_clipping(*configured, spec);
  if (arguments.has("beta_1")) {
    spec.beta_1 = arguments.number("beta_1");
    spec.beta_2 = arguments.number("beta_2");
  }
  if (!arguments.is_none("weight_decay"))
    spec.weight_decay = arguments.real("weight_decay");
  return spec;
}

Value call_compile(Interpreter &interpreter, const Call &call) {
  interpreter.require_certain(call.location, "this compile()");
  CompileRecord record;
  record.optimizer = resolve_optimizer(interpreter, call.arguments["optimizer"], call.location);
  record.loss = call.arguments["loss"];
  if (const Opaque *unknown = object<Opaque>(record.loss))
    fail_unknown(*unknown, call.location, "the loss");
  record.loss_weights = call.arguments["loss_weights"];
  record.metrics = call.arguments["metrics"];
  record.location = call.location;
  self(call).compiled = std::move(record);
  return None{};
}

// ---- fit ---------------------------------------------------------------------------------------

DataArray *data_argument(const Call &call, const Value &value, const char *what) {
  if (const Opaque *unknown = object<Opaque>(value))
    fail_unknown(*unknown, call.location, fmt::format("{} of {}", what, call.native.name()));
  DataArray *array = object<DataArray>(value);
  if (!array)
    throw CompileError(call.location, "{}: {} must come from keras.datasets, got {}",
                       call.native.name(), what, describe(value));
  return array;
}

/// The labels; of a model with several outputs [y, y, y] or {'name': y, ...}, which must be the
/// same ones: a program reads one array of labels.
DataArray *labels_argument(const Call &call, const Value &value) {
  std::vector<Value> items;
  if (const std::vector<Value> *list = sequence_items(value))
    items = *list;
  if (const Dict *dict = object<Dict>(value))
    for (const auto &[name, item] : dict->items)
      items.push_back(item);
  if (items.empty())
    return data_argument(call, value, "the labels");
  DataArray *first = data_argument(call, items[0], "the labels");
  for (const Value &item : items) {
    const DataArray *other = data_argument(call, item, "the labels");
    if (!same_samples(*first, *other) || first->one_hot != other->one_hot)
      throw CompileError(call.location,
                         "{}: the outputs must be given the same labels, got {} and {}",
                         call.native.name(), first->str(), other->str());
  }
  return first;
}

/// Of x and y, or of a tf.data.Dataset alone.
SampleSet sample_set(const Call &call, const Value &x, const Value &y) {
  SampleSet set;
  if (const auto dataset = dataset_contents(x)) {
    if (!std::holds_alternative<None>(y))
      throw CompileError(call.location, "{}: a data set holds the labels, too", call.native.name());
    if (dataset->batch_size == 0)
      throw CompileError(call.location, "{}: the data set must be in batches: .batch(32)",
                         call.native.name());
    set.images = dataset->images;
    set.labels = dataset->labels;
  } else {
    set.images = data_argument(call, x, "the samples");
    if (std::holds_alternative<None>(y))
      throw CompileError(call.location, "{}: the labels are missing", call.native.name());
    set.labels = labels_argument(call, y);
  }
  set.location = call.location;
  if (set.images->labels)
    throw CompileError(call.location, "{}: expected the samples, got {}", call.native.name(),
                       set.images->str());
  if (set.images->shape[0] != set.labels->shape[0])
    throw CompileError(call.location, "{} gets {} samples and {} labels", call.native.name(),
                       set.images->shape[0], set.labels->shape[0]);
  if (!same_samples(*set.images, *set.labels))
    throw CompileError(call.location,
                       "{} gets samples (picked on line {}) and labels (picked on line {}) that do "
                       "not belong together",
                       call.native.name(), set.images->location.line, set.labels->location.line);
  if (set.images->shape[0] == 0)
    throw CompileError(call.location, "{} gets no samples", call.native.name());
  return set;
}

std::optional<SampleSet> validation_set(const Call &call) {
  const Value &value = call.arguments["validation_data"];
  if (std::holds_alternative<None>(value))
    return std::nullopt;
  if (const Opaque *unknown = object<Opaque>(value))
    fail_unknown(*unknown, call.location, "the validation data");
  if (dataset_contents(value))
    return sample_set(call, value, None{});
  const std::vector<Value> *items = sequence_items(value);
  if (!items || items->size() != 2)
    throw CompileError(call.location, "fit: validation_data must be (x, y), got {}",
                       describe(value));
  return sample_set(call, (*items)[0], (*items)[1]);
}

void warn_replaced(Interpreter &interpreter, const Call &call) {
  const KerasModel *before = interpreter.keras().chosen_model();
  if (!before || !before->fit)
    return;
  interpreter.warn(call.location,
                   before == &self(call)
                       ? fmt::format("this fit() replaces the one on line {}: the program trains "
                                     "once",
                                     before->fit->location.line)
                       : fmt::format("model '{}' fit on line {} is not part of the program: the "
                                     "last model that is fit is",
                                     before->layer.name, before->fit->location.line));
}

Value call_fit(Interpreter &interpreter, const Call &call) {
  interpreter.require_certain(call.location, "this fit()");
  KerasModel &model = self(call);
  if (!model.compiled)
    throw CompileError(call.location, "model '{}' must be compiled before fit()", model.layer.name);
  if (model.loaded.known())
    throw CompileError(call.location,
                       "training that starts from another model's weights (loaded on line {}) is "
                       "not supported: use --weights=FILE",
                       model.loaded.line);
  const Arguments &arguments = call.arguments;
  FitRecord record;
  record.train = sample_set(call, arguments["x"], arguments["y"]);
  record.validation = validation_set(call);
  record.validation_split = record.validation ? 0 : arguments.number("validation_split");
  if (!arguments.is_none("batch_size"))
    record.batch_size = arguments.integer("batch_size");
  record.epochs = arguments.integer("epochs");
  record.shuffle = arguments.boolean("shuffle");
  if (const auto dataset = dataset_contents(arguments["x"])) {
    record.batch_size = dataset->batch_size;
    record.shuffle = dataset->shuffle;
  }
  record.location = call.location;
  read_callbacks(interpreter, call, model, record);
  warn_replaced(interpreter, call);
  if (model.inputs.empty()) {
    Shape shape = record.train.images->sample_shape();
    shape.insert(shape.begin(), kBatch);
    interpreter.keras().build(model, shape, call.location);
  }
  if (model.inputs.size() != 1)
    throw CompileError(call.location, "fit: training a model with {} inputs is not supported",
                       model.inputs.size());
  model.fit = std::move(record);
  interpreter.keras().choose(model);
  return interpreter.opaque("fit", call.location);
}

Value call_evaluate(Interpreter &interpreter, const Call &call) {
  interpreter.require_certain(call.location, "this evaluate()");
  self(call).evaluated.push_back(sample_set(call, call.arguments["x"], call.arguments["y"]));
  return interpreter.opaque("evaluate", call.location);
}

/// What is predicted is chosen when the program runs.
Value call_predict(Interpreter &interpreter, const Call &call) {
  return interpreter.opaque("predict", call.location);
}

} // namespace

OptimizerSpec common_optimizer(const Configured &optimizer, const char *rate, const char *rho,
                               const char *epsilon) {
  const Arguments &arguments = optimizer.arguments;
  const std::string_view name = optimizer.type->name();
  OptimizerSpec spec;
  spec.kind = optimizer_kind(name);
  const auto read = [&](const char *argument, auto &field) {
    if (arguments.has(argument) && is_number(arguments[argument]))
      field = static_cast<std::decay_t<decltype(field)>>(arguments.number(argument));
  };
  read(rate, spec.learning_rate);
  if (!(spec.learning_rate >= 0))
    throw CompileError(optimizer.location, "{}: {} must not be negative, got {}", name, rate,
                       spec.learning_rate);
  read("momentum", spec.momentum);
  read(rho, spec.rho);
  read(epsilon, spec.epsilon);
  read("initial_accumulator_value", spec.initial_accumulator);
  read("momentum_decay", spec.momentum_decay);
  spec.nesterov = arguments.has("nesterov") && arguments.boolean("nesterov");
  return spec;
}

std::vector<Native> training_methods() {
  using Kind = ArgumentKind;
  const ArgumentSpec x = required("x", Kind::any);
  const ArgumentSpec batch_size = optional("batch_size", Kind::positive);
  const ArgumentSpec verbose = optional("verbose", Kind::ignored);
  const ArgumentSpec sample_weight = optional("sample_weight", Kind::unsupported);
  const ArgumentSpec callbacks = optional("callbacks", Kind::any);
  return {
      {"model.compile",
       {optional("optimizer", Kind::any, "rmsprop"), optional("loss", Kind::any),
        optional("metrics", Kind::any), optional("loss_weights", Kind::any),
        optional("weighted_metrics", Kind::unsupported), optional("run_eagerly", Kind::ignored),
        optional("steps_per_execution", Kind::ignored), optional("jit_compile", Kind::ignored),
        optional("auto_scale_loss", Kind::ignored)},
       call_compile},
      {"model.fit",
       {x, optional("y", Kind::any), batch_size, optional("epochs", Kind::positive, 1), verbose,
        callbacks, optional("validation_split", Kind::fraction, Value(0.0)),
        optional("validation_data", Kind::any), optional("shuffle", Kind::boolean, Value(true)),
        optional("class_weight", Kind::unsupported), sample_weight,
        optional("initial_epoch", Kind::unsupported, 0),
        optional("steps_per_epoch", Kind::unsupported),
        optional("validation_steps", Kind::unsupported),
        optional("validation_batch_size", Kind::ignored),
        optional("validation_freq", Kind::unsupported, 1),
        optional("max_queue_size", Kind::ignored), optional("workers", Kind::ignored),
        optional("use_multiprocessing", Kind::ignored)},
       call_fit},
      {"model.evaluate",
       {x, optional("y", Kind::any), batch_size, verbose, sample_weight,
        optional("steps", Kind::unsupported), callbacks, optional("return_dict", Kind::ignored)},
       call_evaluate},
      {"model.predict",
       {x, batch_size, verbose, optional("steps", Kind::ignored), callbacks},
       call_predict}};
}

} // namespace sinter

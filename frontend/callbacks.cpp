// What the callbacks of fit() say about the training loop.
#include "frontend/classes.h"
#include "frontend/interpreter.h"
#include "frontend/keras_session.h"
#include "frontend/modules.h"
#include "frontend/training.h"

#include <cmath>

namespace sinter {

namespace {

/// The part that all of these have: what is monitored, and whether it should fall or rise.
template <typename Spec> Spec monitoring(const Arguments &arguments) {
  Spec spec;
  spec.monitor = arguments.text("monitor");
  spec.mode = arguments.text("mode");
  return spec;
}

EarlyStoppingSpec early_stopping(const Arguments &arguments) {
  auto spec = monitoring<EarlyStoppingSpec>(arguments);
  spec.patience = arguments.integer("patience");
  spec.min_delta = std::abs(arguments.real("min_delta"));
  spec.restore_best_weights = arguments.boolean("restore_best_weights");
  return spec;
}

CheckpointSpec checkpoint(const Arguments &arguments) {
  auto spec = monitoring<CheckpointSpec>(arguments);
  spec.filepath = arguments.text("filepath");
  spec.save_best_only = arguments.boolean("save_best_only");
  return spec;
}

PlateauSpec plateau(const Arguments &arguments) {
  auto spec = monitoring<PlateauSpec>(arguments);
  spec.factor = arguments.number("factor");
  spec.patience = arguments.integer("patience");
  spec.cooldown = arguments.integer("cooldown");
  spec.min_delta = arguments.real("min_delta");
  spec.min_rate = arguments.real("min_lr");
  return spec;
}

/// LearningRateScheduler(schedule): the function is asked for every epoch's rate now. It gets the
/// epoch and, when it takes two arguments, the rate so far.
EpochRates epoch_rates(Interpreter &interpreter, const Configured &callback, int64_t epochs,
                       double rate) {
  const Value &schedule = callback.arguments["schedule"];
  const Function *function = object<Function>(schedule);
  if (!function)
    throw CompileError(callback.location,
                       "LearningRateScheduler needs a function of the script, got {}",
                       describe(schedule));
  EpochRates rates;
  for (int64_t epoch = 0; epoch < epochs; ++epoch) {
    CallArguments arguments;
    arguments.positional.push_back(epoch);
    if (function->parameters->size() > 1)
      arguments.positional.push_back(rate);
    const Value result = interpreter.call(schedule, arguments, callback.location);
    rates.values.push_back(checked_rate(result, epoch, callback.location));
    rate = static_cast<double>(rates.values.back()); // a variable of float32 in Keras
  }
  return rates;
}

/// Sets a part of the record, once.
template <typename Spec>
void set(std::optional<Spec> &part, Spec spec, const Configured &callback) {
  if (part)
    throw CompileError(callback.location, "two {} callbacks are not supported",
                       callback.type->name());
  part = std::move(spec);
}

void read_callback(Interpreter &interpreter, const Configured &callback, KerasModel &model,
                   FitRecord &record) {
  const std::string_view name = callback.type->name();
  const OptimizerSpec &optimizer = model.compiled->optimizer;
  if (name == "EarlyStopping") {
    set(record.early_stopping, early_stopping(callback.arguments), callback);
  } else if (name == "ModelCheckpoint") {
    set(record.checkpoint, checkpoint(callback.arguments), callback);
    interpreter.keras().remember_saved(record.checkpoint->filepath, model);
  } else if (optimizer.schedule) {
    throw CompileError(callback.location,
                       "{} cannot change the learning rate of an optimizer with a schedule", name);
  } else if (name == "ReduceLROnPlateau") {
    set(record.plateau, plateau(callback.arguments), callback);
  } else {
    set(record.epoch_rates,
        epoch_rates(interpreter, callback, record.epochs,
                    static_cast<double>(optimizer.learning_rate)),
        callback);
  }
  if (record.plateau && record.epoch_rates)
    throw CompileError(callback.location,
                       "LearningRateScheduler and ReduceLROnPlateau together are not supported");
}

/// A callback of the script's class: what it reports is skipped; what it does to the training is an
/// error where it does it (Interpreter::assign_attribute).
void read_own_callback(Interpreter &interpreter, Instance &callback,
                       const SourceLocation &location) {
  interpreter.skip(location, fmt::format("callback {} is skipped: the program does not call it",
                                         callback.type->name));
  callback.fields.emplace_back("model", interpreter.opaque("the callback's model", location));
  callback.fields.emplace_back("params", interpreter.opaque("the callback's params", location));
  for (const char *event :
       {"on_train_begin", "on_epoch_begin", "on_train_batch_begin", "on_batch_begin",
        "on_train_batch_end", "on_batch_end", "on_epoch_end", "on_train_end"}) {
    const Function *method = find_method(*callback.type, event);
    if (!method)
      continue;
    CallArguments unknown;
    for (size_t i = 1; i < method->parameters->size(); ++i)
      unknown.positional.emplace_back(interpreter.opaque(event, location));
    interpreter.call(bind_method(interpreter, *method, &callback), unknown, location);
  }
}

} // namespace

float checked_rate(const Value &value, int64_t epoch, const SourceLocation &location) {
  if (const Opaque *unknown = object<Opaque>(value))
    fail_unknown(*unknown, location, "the learning rate");
  const float rate = is_number(value) ? static_cast<float>(to_number(value)) : -1;
  if (!(rate >= 0) || std::isinf(rate))
    throw CompileError(location,
                       "the learning rate of epoch {} must be a number of at least 0, got {}",
                       epoch, describe(value));
  return rate;
}

void read_callbacks(Interpreter &interpreter, const Call &call, KerasModel &model,
                    FitRecord &record) {
  const Value &value = call.arguments["callbacks"];
  if (std::holds_alternative<None>(value))
    return;
  const std::vector<Value> *items = sequence_items(value);
  for (const Value &item : items ? *items : std::vector<Value>{value}) {
    if (const Opaque *unknown = object<Opaque>(item)) {
      if (!is_skipped(unknown->origin))
        fail_unknown(*unknown, call.location, "a callback");
      continue; // skipped with a warning where it was made
    }
    if (Instance *own = object<Instance>(item); own && own->type->callback) {
      read_own_callback(interpreter, *own, call.location);
      continue;
    }
    const Configured *callback = object<Configured>(item);
    if (!callback || callback->type->family != Family::callback)
      throw CompileError(call.location, "fit: callbacks must be callbacks, got {}", describe(item));
    read_callback(interpreter, *callback, model, record);
  }
}

} // namespace sinter

#include "frontend/torch_schedulers.h"

#include "frontend/configured.h"
#include "frontend/interpreter.h"
#include "frontend/keras_session.h"
#include "frontend/training.h"

#include <algorithm>
#include <cmath>

namespace sinter {

namespace {

using Kind = ArgumentKind;

const Configured &optimizer_of(const Configured &scheduler) {
  const Configured *optimizer = object<Configured>(scheduler.arguments["optimizer"]);
  if (!optimizer || optimizer->type->family != Family::optimizer || !optimizer->arguments.has("lr"))
    throw CompileError(scheduler.location, "{} needs an optimizer of torch.optim, got {}",
                       scheduler.type->name(), describe(scheduler.arguments["optimizer"]));
  return *optimizer;
}

/// lr_lambda(epoch), of a function or a list of only one.
double lambda_factor(Interpreter &interpreter, const Configured &scheduler, int64_t epoch) {
  const Value &given = scheduler.arguments["lr_lambda"];
  const std::vector<Value> *functions = sequence_items(given);
  const Value &function = functions && functions->size() == 1 ? functions->front() : given;
  const Value factor = interpreter.call(function, {{epoch}, {}}, scheduler.location);
  if (const Opaque *unknown = object<Opaque>(factor))
    fail_unknown(*unknown, scheduler.location, "the learning rate");
  if (!is_number(factor))
    throw CompileError(scheduler.location, "the factor of epoch {} must be a number, got {}", epoch,
                       describe(factor));
  return to_number(factor);
}

/// lowest + (first - lowest) * (1 + cos(pi * epoch / T)) / 2 as a function of the rate before, as
/// torch has it, so that other schedulers may change the rate in between.
double annealed(const Arguments &arguments, int64_t epoch, double rate, double first) {
  const int64_t period = arguments.integer("T_max");
  const double lowest = arguments.number("eta_min");
  const double step = std::acos(-1.0) / static_cast<double>(period);
  if (epoch == 0)
    return rate;
  if ((epoch - 1 - period) % (2 * period) == 0) // the one before is the lowest: 0 / 0
    return rate + (first - lowest) * (1 - std::cos(step)) / 2;
  const auto height = [&](int64_t at) { return 1 + std::cos(step * static_cast<double>(at)); };
  return height(epoch) / height(epoch - 1) * (rate - lowest) + lowest;
}

/// How many of MultiStepLR's milestones an epoch is.
int64_t count_milestones(const Configured &scheduler, int64_t epoch) {
  const Value &given = scheduler.arguments["milestones"];
  const std::vector<Value> *milestones = sequence_items(given);
  if (!milestones)
    throw CompileError(scheduler.location, "MultiStepLR needs milestones as a list, got {}",
                       describe(given));
  return std::count_if(milestones->begin(), milestones->end(),
                       [&](const Value &milestone) { return equal(milestone, epoch); });
}

/// An epoch's rate, from the one before it and the optimizer's first.
double next_rate(Interpreter &interpreter, const Configured &scheduler, int64_t epoch, double rate,
                 double first) {
  const Arguments &arguments = scheduler.arguments;
  const std::string_view name = scheduler.type->name();
  if (name == "LambdaLR")
    return first * lambda_factor(interpreter, scheduler, epoch);
  if (name == "CosineAnnealingLR")
    return annealed(arguments, epoch, rate, first);
  if (name == "MultiStepLR")
    return rate * std::pow(arguments.number("gamma"),
                           static_cast<double>(count_milestones(scheduler, epoch)));
  const bool lowers = name == "ExponentialLR" || epoch % arguments.integer("step_size") == 0;
  return lowers && epoch > 0 ? rate * arguments.number("gamma") : rate;
}

Value make_scheduler(Interpreter &interpreter, const Call &call) {
  interpreter.require_certain(call.location, "making this scheduler");
  const Value scheduler = configure(interpreter, call);
  interpreter.keras().torch.rates.add(interpreter, *object<Configured>(scheduler));
  return scheduler;
}

/// scheduler.get_last_lr()
Value call_get_last_rate(Interpreter &interpreter, const Call &call) {
  const Configured &scheduler = *object<Configured>(call.self);
  if (scheduler.type->family != Family::scheduler)
    throw CompileError(call.location, "{} has no get_last_lr()", describe(call.self));
  return interpreter.list({*interpreter.keras().torch.rates.of(optimizer_of(scheduler))});
}

} // namespace

void TorchRates::add(Interpreter &interpreter, const Configured &scheduler) {
  const Configured &optimizer = optimizer_of(scheduler);
  rates_.emplace(&optimizer, optimizer.arguments.number("lr"));
  epochs_[&scheduler] = -1;
  step(interpreter, scheduler, scheduler.location);
}

void TorchRates::step(Interpreter &interpreter, const Configured &scheduler,
                      const SourceLocation &location) {
  if (interpreter.in_batches())
    throw CompileError(location,
                       "{}.step() in a loop over batches is not supported: it must be "
                       "called once an epoch",
                       scheduler.type->name());
  const Configured &optimizer = optimizer_of(scheduler);
  double &rate = rates_.at(&optimizer);
  const int64_t epoch = ++epochs_.at(&scheduler);
  rate = next_rate(interpreter, scheduler, epoch, rate, optimizer.arguments.number("lr"));
  checked_rate(rate, epoch, location);
}

std::optional<double> TorchRates::of(const Configured &optimizer) const {
  const auto found = rates_.find(&optimizer);
  return found == rates_.end() ? std::nullopt : std::optional(found->second);
}

std::vector<Native> torch_scheduler_natives() {
  const ArgumentSpec gamma = optional("gamma", Kind::number, Value(0.1));
  const auto entry = [](const char *path, std::vector<ArgumentSpec> own) -> Native {
    std::vector<ArgumentSpec> all = {required("optimizer", Kind::any)};
    all.insert(all.end(), own.begin(), own.end());
    all.push_back(optional("last_epoch", Kind::unsupported, -1));
    all.push_back(optional("verbose", Kind::ignored));
    return {path, std::move(all), make_scheduler, Family::scheduler};
  };
  return {entry("torch.optim.lr_scheduler.StepLR", {required("step_size", Kind::positive), gamma}),
          entry("torch.optim.lr_scheduler.MultiStepLR", {required("milestones", Kind::any), gamma}),
          entry("torch.optim.lr_scheduler.ExponentialLR", {required("gamma", Kind::number)}),
          entry("torch.optim.lr_scheduler.CosineAnnealingLR",
                {required("T_max", Kind::positive), optional("eta_min", Kind::number, 0)}),
          entry("torch.optim.lr_scheduler.LambdaLR", {required("lr_lambda", Kind::any)}),
          {"object.get_last_lr", {}, call_get_last_rate}};
}

} // namespace sinter

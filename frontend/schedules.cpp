#include "frontend/schedules.h"

#include "frontend/configured.h"
#include "ir/diagnostics.h"

#include <algorithm>
#include <cmath>

namespace sinter {

namespace {

using Kind = ArgumentKind;

[[noreturn]] void fail(const Configured &schedule, const std::string &text) {
  throw CompileError(schedule.location, "{} {}", schedule.type->name(), text);
}

/// An argument that the formulas divide by, or that must not turn a rate's sign.
double positive(const Configured &schedule, const char *name) {
  const double value = schedule.arguments.number(name);
  if (!(value > 0))
    fail(schedule, fmt::format("needs {} above 0, got {}", name, value));
  return value;
}

std::vector<double> numbers(const Configured &schedule, const char *name) {
  std::vector<double> values;
  const std::vector<Value> *items = sequence_items(schedule.arguments[name]);
  for (const Value &item : items ? *items : std::vector<Value>{None{}}) {
    if (!is_number(item) || !std::isfinite(to_number(item)))
      fail(schedule, fmt::format("needs {} as a list of numbers, got {}", name,
                                 describe(schedule.arguments[name])));
    values.push_back(to_number(item));
  }
  return values;
}

void read_piecewise(const Configured &schedule, OptimizerSpec &spec) {
  const std::vector<double> boundaries = numbers(schedule, "boundaries");
  const std::vector<double> values = numbers(schedule, "values");
  if (values.size() != boundaries.size() + 1)
    fail(schedule, fmt::format("needs one more of values than of boundaries, got {} and {}",
                               values.size(), boundaries.size()));
  if (!std::is_sorted(boundaries.begin(), boundaries.end()))
    fail(schedule, "needs boundaries that rise");
  const double largest = *std::max_element(values.begin(), values.end());
  const double base = values[0] > 0 ? values[0] : largest;
  if (!(base > 0) || *std::min_element(values.begin(), values.end()) < 0)
    fail(schedule, "needs values of at least 0, and one above");
  spec.learning_rate = static_cast<float>(base);
  constexpr double kNever = 1e18; // steps
  for (double boundary : boundaries)
    spec.schedule->boundaries.push_back(
        static_cast<int64_t>(std::clamp(boundary, -kNever, kNever)));
  for (double value : values)
    spec.schedule->factors.push_back(static_cast<float>(value / base));
}

void read_cosine(const Configured &schedule, OptimizerSpec &spec) {
  const Arguments &arguments = schedule.arguments;
  spec.schedule->end = arguments.number("alpha");
  if (arguments.is_none("warmup_target")) {
    spec.learning_rate = static_cast<float>(positive(schedule, "initial_learning_rate"));
    return;
  }
  const double target = positive(schedule, "warmup_target");
  spec.learning_rate = static_cast<float>(target);
  spec.schedule->warmup_steps = arguments.number("warmup_steps");
  spec.schedule->start = arguments.number("initial_learning_rate") / target;
}

} // namespace

void read_schedule(const Configured &schedule, OptimizerSpec &spec) {
  const Arguments &arguments = schedule.arguments;
  const std::string_view name = schedule.type->name();
  ScheduleSpec &result = spec.schedule.emplace();
  if (name == "PiecewiseConstantDecay") {
    result.kind = "piecewise_constant";
    read_piecewise(schedule, spec);
    return;
  }
  result.decay_steps = positive(schedule, "decay_steps");
  if (name == "CosineDecay") {
    result.kind = "cosine_decay";
    read_cosine(schedule, spec);
    return;
  }
  const double initial = positive(schedule, "initial_learning_rate");
  spec.learning_rate = static_cast<float>(initial);
  if (name == "PolynomialDecay") {
    result.kind = "polynomial_decay";
    result.power = positive(schedule, "power");
    result.end = arguments.number("end_learning_rate") / initial;
    return;
  }
  result.kind = name == "ExponentialDecay" ? "exponential_decay" : "inverse_time_decay";
  result.decay_rate = positive(schedule, "decay_rate");
  result.staircase = arguments.boolean("staircase");
}

std::vector<Native> schedule_natives() {
  const ArgumentSpec initial = required("initial_learning_rate", Kind::number);
  const ArgumentSpec steps = required("decay_steps", Kind::number);
  const ArgumentSpec rate = required("decay_rate", Kind::number);
  const ArgumentSpec staircase = optional("staircase", Kind::boolean, Value(false));
  const ArgumentSpec name = optional("name", Kind::ignored);
  const auto entry = [](const char *path, std::vector<ArgumentSpec> arguments) -> Native {
    return {path, std::move(arguments), configure, Family::schedule};
  };
  return {
      entry("keras.optimizers.schedules.ExponentialDecay", {initial, steps, rate, staircase, name}),
      entry("keras.optimizers.schedules.InverseTimeDecay", {initial, steps, rate, staircase, name}),
      entry("keras.optimizers.schedules.PolynomialDecay",
            {initial, steps, optional("end_learning_rate", Kind::number, Value(0.0001)),
             optional("power", Kind::number, Value(1.0)),
             optional("cycle", Kind::unsupported, Value(false)), name}),
      entry("keras.optimizers.schedules.CosineDecay",
            {initial, steps, optional("alpha", Kind::number, Value(0.0)), name,
             optional("warmup_target", Kind::number),
             optional("warmup_steps", Kind::non_negative, 0)}),
      entry("keras.optimizers.schedules.PiecewiseConstantDecay",
            {required("boundaries", Kind::any), required("values", Kind::any), name})};
}

} // namespace sinter

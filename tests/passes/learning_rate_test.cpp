// Schedules against the values that keras.optimizers.schedules gives.
#include "backends/reference/interpreter.h"
#include "passes/learning_rate.h"

#include <doctest/doctest.h>

using namespace sinter;

namespace {

/// The rate of a step when 0.1 is that of the schedule; `done` steps were taken before.
double rate_after(const ScheduleSpec &spec, int done) {
  Graph graph;
  const TensorType scalar{ElementType::f32, {}, 0};
  const NodeId rate = graph.append(OpKind::input, {}, InputAttrs{"rate", "learning_rate", scalar});
  const NodeId step = graph.append(OpKind::input, {}, InputAttrs{"step", "step", scalar});
  const NodeId result = append_schedule(graph, spec, rate, step);
  const auto value = [&](double number) {
    Array array(scalar, 1);
    array[0] = number;
    return array;
  };
  const std::vector<Array> values =
      evaluate(graph, 1, {{"rate", value(0.1)}, {"step", value(done + 1)}}, {result});
  return values[static_cast<size_t>(result.index)][0];
}

ScheduleSpec schedule(const char *kind, double steps) {
  ScheduleSpec spec;
  spec.kind = kind;
  spec.decay_steps = steps;
  return spec;
}

doctest::Approx about(double value) { return doctest::Approx(value).epsilon(1e-6); }

} // namespace

TEST_CASE("exponential and inverse time decay, smooth and in stairs") {
  ScheduleSpec spec = schedule("exponential_decay", 10);
  spec.decay_rate = 0.25;
  CHECK(rate_after(spec, 0) == about(0.1));
  CHECK(rate_after(spec, 5) == about(0.05));
  spec.staircase = true;
  CHECK(rate_after(spec, 9) == about(0.1));
  CHECK(rate_after(spec, 10) == about(0.025));
  spec = schedule("inverse_time_decay", 10);
  spec.decay_rate = 0.5;
  CHECK(rate_after(spec, 20) == about(0.05));
  CHECK(rate_after(spec, 5) == about(0.08));
  spec.staircase = true;
  CHECK(rate_after(spec, 5) == about(0.1));
}

TEST_CASE("polynomial decay ends") {
  ScheduleSpec spec = schedule("polynomial_decay", 100);
  spec.power = 2;
  spec.end = 0.1;
  CHECK(rate_after(spec, 0) == about(0.1));
  CHECK(rate_after(spec, 50) == about(0.09 * 0.25 + 0.01));
  CHECK(rate_after(spec, 1000) == about(0.01));
}

TEST_CASE("cosine decay, with and without a warm-up") {
  ScheduleSpec spec = schedule("cosine_decay", 1000);
  spec.end = 0.1;
  CHECK(rate_after(spec, 0) == about(0.1));
  CHECK(rate_after(spec, 500) == about(0.055));
  CHECK(rate_after(spec, 2000) == about(0.01));
  spec = schedule("cosine_decay", 100);
  spec.warmup_steps = 10;
  spec.start = 0.2;
  CHECK(rate_after(spec, 0) == about(0.02));
  CHECK(rate_after(spec, 5) == about(0.06));
  CHECK(rate_after(spec, 10) == about(0.1));
  CHECK(rate_after(spec, 60) == about(0.05));
}

TEST_CASE("a piecewise constant rate changes behind its boundaries") {
  ScheduleSpec spec = schedule("piecewise_constant", 1);
  spec.boundaries = {100, 200};
  spec.factors = {1, 0.5F, 0.25F};
  CHECK(rate_after(spec, 100) == about(0.1));
  CHECK(rate_after(spec, 101) == about(0.05));
  CHECK(rate_after(spec, 200) == about(0.05));
  CHECK(rate_after(spec, 201) == about(0.025));
}

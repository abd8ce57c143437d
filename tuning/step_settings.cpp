#include "tuning/step_settings.h"

extern "C" {
#include "runtime/profile.h"
#include "runtime/thread_pool.h"
}

#include <algorithm>
#include <fmt/format.h>

namespace sinter {

namespace {

/// The share of the time that one setting's steps may take in turns.
constexpr double kLongestTurns = 0.08;
/// As many samples show how long a larger batch takes.
constexpr int32_t kFewSamples = 4;

struct Measured {
  StepSetting setting;
  double step_seconds, opening_seconds;
};

/// With no more samples than let a step take `longest`, but for the few that are measured.
Measured measure(const TimedProgram &program, StepSetting setting, double longest) {
  const StepSetting few{setting.phase, std::min(setting.batch, kFewSamples), setting.threads};
  const double begin = sinter_seconds();
  StepMemory memory(program, few);
  memory.run(program); // touches its pages, prepares parameters
  const double opening = sinter_seconds() - begin;
  const double sample = memory.run(program).seconds / few.batch;
  while (setting.batch > few.batch && setting.batch * sample > longest)
    setting.batch = std::max(few.batch, setting.batch / 2);
  return {setting, setting.batch * sample, opening};
}

} // namespace

std::vector<StepSetting> default_settings(const Model &model, bool inference, bool training) {
  const int32_t processors = sinter_processor_count();
  std::vector<StepSetting> settings;
  if (inference) {
    settings.push_back({SINTER_INFER, 1, 1});
    if (processors > 1) // what gains on one thread may leave nothing for the others to do
      settings.push_back({SINTER_INFER, 1, processors});
    if (model.training)
      settings.push_back(
          {SINTER_INFER, static_cast<int32_t>(model.training->batch_size), processors});
  }
  if (training && model.training)
    settings.push_back(
        {SINTER_TRAIN, static_cast<int32_t>(model.training->batch_size), processors});
  return settings;
}

double FittedSettings::seconds_in_turns(double seconds) const {
  double sum = 0;
  for (const double step : step_seconds)
    sum += sinter::seconds_in_turns(step, seconds);
  return sum;
}

FittedSettings fit_settings(const TimedProgram &program, const std::vector<StepSetting> &settings,
                            double seconds, const std::function<void(const std::string &)> &log) {
  const double longest = kLongestTurns * seconds / seconds_in_turns(/*step=*/1, 0);
  std::vector<Measured> measured;
  for (const StepSetting &setting : settings)
    measured.push_back(measure(program, setting, longest));
  const auto quickest =
      std::min_element(measured.begin(), measured.end(), [](const Measured &a, const Measured &b) {
        return a.step_seconds < b.step_seconds;
      });
  FittedSettings result;
  for (auto m = measured.begin(); m != measured.end(); ++m) {
    if (m->step_seconds > longest && m != quickest) {
      if (log)
        log(fmt::format("{} is left out: a step takes {:.2f} s", m->setting.text(),
                        m->step_seconds));
      continue;
    }
    result.all.push_back(m->setting);
    result.step_seconds.push_back(m->step_seconds);
    result.opening_seconds += m->opening_seconds;
  }
  return result;
}

} // namespace sinter

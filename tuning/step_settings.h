// Which steps a search measures.
#pragma once

#include "ir/model.h"
#include "tuning/timed_program.h"

#include <functional>
#include <string>
#include <vector>

namespace sinter {

/// The settings that are measured unless the user says which: a sample on one thread and on all of
/// them, and the batch of the model's training, where it has one, on all of them.
std::vector<StepSetting> default_settings(const Model &, bool inference, bool training);

/// Settings whose steps can be measured in the time that there is.
struct FittedSettings {
  std::vector<StepSetting> all;
  std::vector<double> step_seconds; // of each, about
  double opening_seconds = 0;       // of memory for all of them

  /// What it takes to time two programs in turns, for so many seconds a setting.
  double seconds_in_turns(double seconds) const;
};

/// Of a search of so many seconds: steps that would take too long are of fewer samples, or left out
/// and logged. One setting stays in any case.
FittedSettings fit_settings(const TimedProgram &, const std::vector<StepSetting> &, double seconds,
                            const std::function<void(const std::string &)> &log);

} // namespace sinter

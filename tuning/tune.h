// The search behind `sinter tune`: which algorithms and which schedules' choices make whole steps
// of a model faster on this machine than what the cost models choose.
//
// First the algorithms of convolutions: the program is built with each of them for all convolutions
// at once, and each convolution keeps its fastest. Then the kernels: in each round every kernel
// that takes a part of the time worth looking at tries its next option, all in one program, whose
// steps take turns with those of the program as it was, in the same memory. A choice stays when it
// is clearly faster somewhere and slower nowhere; at last all of them are measured once more,
// compared with the float64 reference, and kept only if whole steps are faster, too.
#pragma once

#include "passes/pipeline.h"
#include "tuning/step_settings.h"
#include "tuning/tuning.h"

#include <functional>

namespace sinter {

struct TuneOptions {
  std::string target = "host"; // its best variant, which must run here, is what is tuned
  std::string cache_directory;
  ProgramOptions program;            // without tuned algorithms: those are the search's
  Tuning known;                      // what was found before: its choices are tried first
  std::vector<StepSetting> settings; // what is measured
  double seconds = 60;               // for everything but a compilation that takes longer
  std::function<void(const std::string &)> log;
};

/// A setting's whole step, before and after.
struct TunedStep {
  StepSetting setting;
  double estimated_seconds = 0, seconds = 0;
};

struct TuneResult {
  std::vector<TuningEntry> found;     // what is better than the cost model
  std::vector<TuningEntry> withdrawn; // what is not, and may have been known; with `found` alone
  std::vector<TunedStep> steps;
  size_t candidates = 0; // that were measured
};

TuneResult tune(const Model &, const TuneOptions &);

} // namespace sinter

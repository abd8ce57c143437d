// Which algorithm computes each convolution of a model the fastest.
#pragma once

#include "passes/choose_algorithms.h"
#include "tuning/kernel_search.h"
#include "tuning/timed_program.h"

#include <map>

namespace sinter {

/// The plan that a phase's steps run.
const Plan &plan_of(const Program &, int32_t phase);

/// Seconds of each convolution that has a choice of algorithms, by description: of the kernels that
/// compute it, and in training of those that transform its filter.
std::map<std::string, double> convolution_seconds(const Plan &, bool training, const StepTime &);

/// The tile of each of them.
std::map<std::string, int64_t> convolution_tiles(const Plan &, bool training);

/// What was measured for one convolution with the best tile so far.
struct TimedConvolution {
  int64_t tile = 0;
  Ratios ratios;
  double seconds = 0, estimated_seconds = 0; // in the setting that gains the most
};

/// Takes in how a convolution did with a tile, beside the cost model's choice, setting by setting.
void consider_tile(TimedConvolution &best, int64_t tile, const std::vector<double> &seconds,
                   const std::vector<double> &estimated_seconds);

} // namespace sinter

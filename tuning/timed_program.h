// Whole steps of a program, timed in the compiler's process: what a kernel takes depends on what
// ran before it, on where its values lie, and on filters that come from memory.
#pragma once

#include "backends/halide/kernels.h"
#include "ir/program.h"
#include "runtime/sinter_runtime.h"

#include <memory>
#include <string>
#include <vector>

namespace sinter {

/// Steps of a phase, of so many samples on so many threads.
struct StepSetting {
  int32_t phase = SINTER_INFER;
  int32_t batch = 1;
  int32_t threads = 1;

  std::string text() const; // "inference, batch 1, 1 thread"
};

/// Where a program is built, and for what.
struct TimedProgramOptions {
  std::string target = "host";
  std::string cache_directory;
  KernelTuning tuning;
};

/// A program as a loaded library.
class TimedProgram {
public:
  TimedProgram(const Program &, const TimedProgramOptions &);
  ~TimedProgram();
  TimedProgram(const TimedProgram &) = delete;
  TimedProgram &operator=(const TimedProgram &) = delete;

private:
  friend class StepMemory;
  struct Library;
  std::unique_ptr<Library> library_;
};

/// One measured step.
struct StepTime {
  double seconds = 0;
  std::vector<double> kernels; // seconds, in the plan's order
};

/// A context of one program with parameters, data and threads; programs whose plans are the same
/// run in it, too.
class StepMemory {
public:
  /// Throws CompileError when there is not enough memory.
  StepMemory(const TimedProgram &, const StepSetting &);
  ~StepMemory();
  StepMemory(const StepMemory &) = delete;
  StepMemory &operator=(const StepMemory &) = delete;

  StepTime run(const TimedProgram &);

private:
  struct Data;
  std::unique_ptr<Data> data_;
};

/// A program and the memory that it runs in.
struct Contender {
  const TimedProgram *program;
  StepMemory *memory;
};

/// Of many steps: what they take undisturbed, and what they take as the machine is. Other work only
/// adds time, but it adds more to some programs than to others: those whose threads wait for each
/// other.
struct StepTimes {
  StepTime undisturbed; // a low quantile
  StepTime typical;     // the median
};

/// Times of steps that take turns, for about so many seconds, but a few rounds at least.
std::vector<StepTimes> time_in_turns(const std::vector<Contender> &, double seconds);
/// What that takes for two whose steps are of so many seconds.
double seconds_in_turns(double step, double seconds);

} // namespace sinter

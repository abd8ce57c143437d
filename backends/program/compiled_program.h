// A program whose kernels are compiled: what the host module is emitted from.
#pragma once

#include "backends/halide/kernels.h"
#include "backends/program/interface.h"

#include <string>
#include <vector>

namespace sinter {

struct CompiledPhase {
  const Plan *plan = nullptr;                     // nullptr: not part of this program
  std::vector<std::vector<KernelObject>> kernels; // [variant][kernel of the plan]
};

struct CompiledProgram {
  const Program &program;
  Interface interface;
  std::string prefix; // of every public symbol
  std::string target; // as the user named it
  std::vector<Variant> variants;
  CompiledPhase phases[4]; // by sinter_phase
};

} // namespace sinter

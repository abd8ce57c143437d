// Keeps a program within a limit of memory.
//
// A training step that needs more drops activations and computes them again in its backward part
// (passes/recompute_activations.h). Which ones is a search over plans, as what counts is the plan's
// arena: one value after another, by bytes freed for the work of computing it again, as long as the
// arena shrinks; for deep networks runs between values kept at regular distances; and, where none
// of that fits, changes of single values of the best of it. Of what fits the choice with the least
// work is taken, after values whose dropping was not needed came back.
//
// Inference and evaluation have nothing to compute again: they fit or they do not.
#pragma once

#include "ir/program.h"

#include <functional>

namespace sinter {

struct MemoryLimit {
  int64_t bytes = 0; // of measure_memory's total
  int64_t batch = 1;
};

/// `plan` makes the plan of a training graph. Throws CompileError with what is asked for and the
/// least that is possible.
void limit_memory(Program &, const MemoryLimit &, const std::function<Plan(Graph)> &plan);

} // namespace sinter

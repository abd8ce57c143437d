// What a program needs of memory, before it runs.
#pragma once

#include "ir/program.h"

namespace sinter {

/// What a program is asked to do. Who trains evaluates, too, and who evaluates infers.
enum class Use { inference, evaluation, training };
const char *name(Use);

/// In bytes, for one batch; the largest number there is where they cannot be counted. The context's
/// memory and the tensors that go in and out; what kernels ask for while they run comes on top, as
/// do the program itself and its data set.
struct ProgramMemory {
  int64_t weights = 0;   // and statistics
  int64_t prepared = 0;  // filters in the form that kernels want, made of the weights
  int64_t optimizer = 0; // its state: training's alone
  int64_t arena = 0;     // activations and gradients, of the phase with the largest
  int64_t buffers = 0;   // a batch of inputs, labels and predictions

  int64_t total() const;
};

/// Requires: a plan of that use.
ProgramMemory measure_memory(const Program &, Use, int64_t batch);
/// All that the program has plans for.
std::vector<Use> uses(const Program &);

/// The batch of a program that is not told another one, as sinter_batch_size of the runtime.
int64_t usual_batch(const Model &);

} // namespace sinter

// What a program looks like from outside: its tensors, labels, metrics and what it monitors. The
// tables, the header and the description all read it from here.
#pragma once

#include "ir/diagnostics.h"
#include "ir/program.h"

#include <optional>
#include <string>
#include <vector>

namespace sinter {

/// The value that decides which epoch is best.
struct Monitor {
  int metric = 0; // index into Interface::metrics
  bool validation = false;
  bool maximize = false;
  float min_delta = 0; // an improvement is more than this
};

struct Interface {
  TensorType input, output;         // batched
  std::optional<TensorType> label;  // batched; nothing when the model has no loss
  int64_t class_limit = 0;          // > 0: labels are class numbers below it
  std::vector<std::string> metrics; // "loss" first; empty when the model has no loss
  bool output_is_probability = false;
  Monitor monitor; // of training: best weights, checkpoint, early stopping
};

/// Throws CompileError when the program cannot be fed through one input, one label and one
/// prediction, or monitors a metric that it has not. Warns when the validation it monitors is not
/// there, and when checkpoint and early stopping disagree.
Interface describe_interface(const Program &, Diagnostics &);

/// Epochs without improvement that end the training. Keras looks at the patience only after an
/// epoch that was no improvement, so 0 means the same as 1.
int64_t effective_patience(const EarlyStoppingSpec &);

/// Extents of a batched type without the batch.
Shape sample_shape(const TensorType &);

} // namespace sinter

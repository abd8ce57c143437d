// What a program looks like from outside: its tensors, labels, metrics and what it monitors. The
// tables, the header and the description all read it from here.
#pragma once

#include "ir/diagnostics.h"
#include "ir/program.h"

#include <string>
#include <vector>

namespace sinter {

/// One tensor that a program takes or gives.
struct Port {
  std::string name; // the model's own: "image", "prediction"
  /// Its parameter in C: "x", "labels" and "y" where there is one of its sort, else "x_image",
  /// "label_age", "y_boxes".
  std::string argument;
  /// Its part of the header's macros: "INPUT", "LABEL" and "OUTPUT", else "INPUT_IMAGE".
  std::string macro;
  TensorType type;
  int64_t class_limit = 0;     // of a label, > 0: class numbers below it
  bool is_probability = false; // of an output: it ends in a softmax or sigmoid
  bool channels_first = false; // of an input: pictures are fed as [C,H,W]
};

/// A value by which epochs are judged.
struct Monitor {
  int metric = 0; // index into Interface::metrics
  bool validation = false;
  bool maximize = false;
  float min_delta = 0; // an improvement is more than this
};

struct Interface {
  std::vector<Port> inputs, labels, outputs; // in the order of the arguments
  std::vector<std::string> metrics;          // "loss" first; empty when the model has no loss
  Monitor stopping;                          // of training: when to stop
  Monitor checkpoint;                        // of training: the weights to keep
  Monitor plateau;                           // of training: when to lower the learning rate

  /// Whether any tensor has a batch; if not, every call computes one sample.
  bool batched() const;
};

/// Throws CompileError when there is nothing to compute, the loss needs no label, or something is
/// monitored that is no metric. Warns when the validation to monitor is
/// not there, and when the weights that early stopping restores are not those that are kept.
Interface describe_interface(const Program &, Diagnostics &);

/// Epochs without improvement that end the training. Keras looks at the patience only after an
/// epoch that was no improvement, so 0 means the same as 1.
int64_t effective_patience(const EarlyStoppingSpec &);

/// As macros are spelled.
std::string capitals(std::string text);

/// Extents without the batch, if there is one.
Shape sample_shape(const TensorType &);

} // namespace sinter

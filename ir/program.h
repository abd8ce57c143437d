// A whole program before code generation: the model, its parameters and one plan per phase.
#pragma once

#include "ir/model.h"
#include "ir/plan.h"

namespace sinter {

/// A persistent tensor of the program, shared by all its plans by name.
struct ParameterSlot {
  ParameterAttrs attrs; // name, role, initializer; attrs.type carries the storage block
  int64_t offset = 0;   // bytes from the start of the parameter region, 64-aligned
  int64_t bytes = 0;    // of storage
};

/// Activations that the training step computes again in its backward part to fit a limit.
struct Recomputed {
  int64_t values = 0;
  int64_t bytes_before = 0, bytes = 0; // of all the memory of training with this batch
  int64_t batch = 0;
  double more_flops = 0; // of a step, as a part of those without
};

struct Program {
  std::string name;       // C identifier: the prefix of every symbol
  Model model;            // after choose_layout
  std::string model_text; // as it was given, without locations; "": too long
  /// Weights and statistics first, then what is prepared from them, then optimizer state.
  std::vector<ParameterSlot> parameters;
  int64_t parameter_bytes = 0;
  std::optional<Plan> prepare; // from parameters alone; before infer and eval when those changed
  Plan infer;
  std::optional<Plan> eval;  // with a loss
  std::optional<Plan> train; // with training settings, unless --no-train
  std::optional<Recomputed> recomputed;
};

} // namespace sinter

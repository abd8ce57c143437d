// Compiled gradients against central differences of the loss in float64.
#pragma once

#include "backends/reference/interpreter.h"
#include "backends/verify/kernel_library.h"

#include <string>
#include <vector>

namespace sinter {

/// A gradient passes when every probe agrees with the central difference to within this fraction
/// of the gradient's size (its norm for a directional derivative, its largest element for single
/// elements). Gradients that are tiny beside the model's largest are held to its thousandth.
constexpr double kGradientTolerance = 1e-3;

struct GradientCheck {
  std::string parameter;
  double max_rel_error = 0;
  bool ok = true;
};

/// `plan` (number `plan_index` of the library) returns "loss" and a "gradient:NAME" for every
/// trainable parameter. Runs its kernels in float32 and compares each gradient with differences of
/// the loss, evaluated in float64 at the same point: along the gradient itself (which shows a wrong
/// scale), along random directions (wrong shape) and at single elements.
///
/// Where they disagree the step is made smaller, twice: it may have met a kink (relu, max). When
/// all gradients are zero none is ok: nothing was checked.
std::vector<GradientCheck> check_gradients(const KernelLibrary &, size_t plan_index, const Plan &,
                                           int64_t batch, const NamedArrays &inputs, uint64_t seed);

} // namespace sinter

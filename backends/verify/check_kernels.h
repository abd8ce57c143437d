// Compiled kernels against the reference interpreter, kernel by kernel.
#pragma once

#include "backends/reference/interpreter.h"
#include "backends/verify/kernel_library.h"

#include <functional>
#include <string>
#include <vector>

namespace sinter {

/// A kernel passes when every float32 output differs from the float64 reference by at most this
/// fraction of the output's largest magnitude. It bounds the rounding of float32 sums of some ten
/// thousand terms; a wrong element is off by far more.
constexpr double kKernelTolerance = 2e-5;
/// The same where a kernel rounds to bf16 what it has computed, as float32's rounding may decide
/// which of two neighbours a value becomes: they differ by its 128th part, in a sum of many
/// products.
constexpr double kBf16Tolerance = 1e-3;
/// Below half a unit in the last place of 1, errors are absolute: what is left when numbers near 1
/// cancel (the logarithm of a probability clipped to 1 - 1e-7) has no more digits.
constexpr double kAbsoluteTolerance = 6e-8;
/// Integer outputs are exact, but a maximum of two values that agree to float32's precision may
/// be found in either place: this share of them may differ.
constexpr double kIndexTolerance = 1e-3;

struct KernelCheck {
  std::string name;
  std::string algorithm;
  double max_abs_error = 0;
  double max_rel_error = 0; // of float32: to the largest magnitude; of integers: the share
  bool ok = true;
  std::string problem; // what else is wrong: a write out of bounds, a value that is not finite
};

/// Runs each kernel of plan number `plan_index` of the library on the reference's values, rounded
/// to float32, and compares what it writes. With `wanted`, those kernels alone, on what the others
/// compute when compiled: the reference takes its time.
std::vector<KernelCheck> check_kernels(const KernelLibrary &, size_t plan_index, const Plan &,
                                       int64_t batch, const NamedArrays &inputs,
                                       const std::function<bool(size_t kernel)> &wanted = {});

} // namespace sinter

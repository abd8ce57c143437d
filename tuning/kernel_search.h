// The walk through one kernel's choices: decision by decision, each option of one beside the best
// of those before it.
#pragma once

#include "backends/halide/kernels.h"

#include <optional>

namespace sinter {

/// What a choice makes of a kernel's times, undisturbed and typical, in each setting in which the
/// kernel runs: their share of what the cost model's choice takes.
using Ratios = std::vector<double>;

/// Whether times `a` are clearly better than `b`: faster by more than noise somewhere, and no
/// slower anywhere.
bool is_faster(const Ratios &a, const Ratios &b);

class KernelSearch {
public:
  /// Of kernel number `kernel` of a plan, which must outlive it; `known` is tried first.
  KernelSearch(const Plan &, int kernel, const Variant &, const KernelChoice &known);

  /// What to measure next; nothing when all has been.
  std::optional<KernelChoice> next();
  /// How what `next` returned did.
  void report(const Ratios &);

  const KernelChoice &best() const { return best_; } // empty: the cost model's
  const Ratios &best_ratios() const { return best_ratios_; }
  void forget() { best_ = {}; }
  /// The cost model's own numbers.
  KernelChoice estimated() const;

private:
  const Plan &plan_;
  int kernel_;
  Variant variant_;
  KernelChoice known_;
  KernelChoice best_, trial_;
  Ratios best_ratios_;
  std::vector<Decision> decisions_; // given best_
  size_t decision_ = 0, option_ = 0;
};

} // namespace sinter

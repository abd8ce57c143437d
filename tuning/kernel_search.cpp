#include "tuning/kernel_search.h"

#include "ir/diagnostics.h"

namespace sinter {

namespace {

/// A gain below this is noise, and so is a loss.
constexpr double kClearGain = 0.97;
constexpr double kNoLoss = 1.01;

} // namespace

bool is_faster(const Ratios &a, const Ratios &b) {
  SINTER_ASSERT(a.size() == b.size(), "{} settings and {}", a.size(), b.size());
  bool gains = false;
  for (size_t i = 0; i < a.size(); ++i) {
    if (!(a[i] <= kNoLoss * b[i]))
      return false;
    gains = gains || a[i] < kClearGain * b[i];
  }
  return gains;
}

KernelSearch::KernelSearch(const Plan &plan, int kernel, const Variant &variant,
                           const KernelChoice &known)
    : plan_(plan), kernel_(kernel), variant_(variant), known_(known),
      decisions_(kernel_decisions(plan, kernel, variant, {})) {}

std::optional<KernelChoice> KernelSearch::next() {
  if (!known_.empty()) {
    trial_ = std::exchange(known_, {});
    return trial_;
  }
  for (; decision_ < decisions_.size(); ++decision_, option_ = 0) {
    const Decision &decision = decisions_[decision_];
    option_ += option_ == decision.taken ? 1 : 0;
    if (option_ >= decision.options.size())
      continue;
    trial_ = best_;
    for (const auto &[name, value] : decision.choice(option_++))
      trial_[name] = value;
    return trial_;
  }
  return std::nullopt;
}

void KernelSearch::report(const Ratios &ratios) {
  if (best_ratios_.empty())
    best_ratios_ = Ratios(ratios.size(), 1);
  if (!is_faster(ratios, best_ratios_))
    return;
  best_ = trial_;
  best_ratios_ = ratios;
  // Later decisions may be others now; of this one the same options are left.
  const size_t tried = decision_ < decisions_.size() ? decisions_[decision_].taken : 0;
  decisions_ = kernel_decisions(plan_, kernel_, variant_, best_);
  if (decision_ < decisions_.size())
    decisions_[decision_].taken = tried;
}

KernelChoice KernelSearch::estimated() const {
  KernelChoice choice;
  for (const Decision &decision : kernel_decisions(plan_, kernel_, variant_, {}))
    for (const auto &[name, value] : decision.choice(decision.taken))
      choice[name] = value;
  return choice;
}

} // namespace sinter

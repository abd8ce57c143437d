// Prefetches: a sum asks for the part of an operand that it will need next, while it works on this
// one. A network's filters come from memory, and the processor's own prefetchers follow a stream
// only once it has missed.
#pragma once

#include "backends/halide/cpu/kernel_schedule.h"

#include <Halide.h>

namespace sinter {

/// Adds them at the end of lowering. Halide's own prefetch() takes the bytes of a line for
/// elements (Halide 14), and so asks for one line in four of a float's.
class InsertPrefetches : public Halide::Internal::IRMutator {
public:
  explicit InsertPrefetches(const KernelSchedule &schedule)
      : prefetches_(schedule.prefetches), early_reads_(schedule.early_reads) {}

private:
  using IRMutator::visit;
  Halide::Internal::Stmt visit(const Halide::Internal::For *) override;
  const Halide::Internal::For *find_rounds(const std::string &variable) const;
  Halide::Internal::Stmt with_prefetch(const Halide::Internal::For *, const Prefetch &) const;

  std::vector<Prefetch> prefetches_;
  std::vector<EarlyRead> early_reads_;
  std::vector<const Halide::Internal::For *> around_; // outermost first
};

} // namespace sinter

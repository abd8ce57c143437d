// What is known about kernels and convolutions from measurements: the user's database for this
// CPU, then the table that comes with the compiler.
#pragma once

#include "backends/halide/kernels.h"
#include "passes/choose_algorithms.h"
#include "tuning/tuning_database.h"

#include <memory>

namespace sinter {

/// The table that comes with the compiler, measured on some CPU of each instruction set.
const TuningDatabase &shipped_tuning();

class Tuning {
public:
  /// Knows nothing.
  Tuning() = default;
  /// Entries of `own` count for this CPU alone; those of `shipped` where `own` has none.
  Tuning(TuningDatabase own, TuningDatabase shipped);

  /// The same as functions, for compile_kernels and the passes; they share the databases.
  KernelTuning kernels() const;
  /// One graph serves every variant of a program: `target` is the best of them.
  TunedAlgorithms algorithms(const std::string &target) const;
  /// The entry behind what algorithms() says, or null.
  const TuningEntry *convolution(const std::string &description, const std::string &target) const;

  /// Tells whether two of them say the same.
  std::string fingerprint() const;

private:
  struct Tables;
  std::shared_ptr<const Tables> tables_;
};

} // namespace sinter

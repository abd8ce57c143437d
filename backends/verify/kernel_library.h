// Compiled kernels, loaded into this process and called on Arrays: how `sinter verify` and the
// property tests run the code that programs contain.
#pragma once

#include "backends/halide/kernels.h"
#include "backends/reference/array.h"

#include <memory>
#include <vector>

namespace sinter {

class KernelLibrary {
public:
  /// Compiles the kernels of all plans for one variant (through the cache of the options) and
  /// loads them, beside a pool of `threads` threads to run them on. The plans must outlive it.
  KernelLibrary(std::vector<const Plan *> plans, const Variant &, const KernelOptions &,
                int threads = 1);
  ~KernelLibrary();
  KernelLibrary(const KernelLibrary &) = delete;
  KernelLibrary &operator=(const KernelLibrary &) = delete;

  /// Calls kernel `kernel` of plan `plan` on its inputs, in order, rounded to their element types,
  /// and returns its outputs. An output that the plan places over an input is computed in place.
  /// Throws InternalError when the kernel fails, writes out of bounds, or leaves a padding lane of
  /// a blocked output other than zero.
  std::vector<Array> run(size_t plan, size_t kernel, int64_t batch,
                         const std::vector<const Array *> &inputs) const;

  const KernelObject &object(size_t plan, size_t kernel) const { return objects_[plan][0][kernel]; }

private:
  struct Loaded; // the linked code and the pool
  std::vector<const Plan *> plans_;
  std::vector<std::vector<std::vector<KernelObject>>> objects_; // one variant
  std::unique_ptr<Loaded> loaded_;
};

} // namespace sinter

// The loops of definitions as blocks of threads.
#pragma once

#include <Halide.h>
#include <vector>

namespace sinter {

/// Makes one loop of the definition's loops over `vars`, in their order, innermost first, and has a
/// thread run each iteration; a definition without loops is run by one thread. Its other loops lie
/// inside. Returns the loop over threads.
template <typename Definition>
Halide::Var spread_over_threads(Definition definition, const std::vector<Halide::Var> &vars) {
  constexpr int threads = 128; // enough to hide memory's latency, few enough for small results
  const Halide::Var block("block"), thread("thread"), elements("elements");
  if (vars.empty()) {
    definition.split(Halide::Var::outermost(), Halide::Var::outermost(), thread, 1)
        .split(Halide::Var::outermost(), Halide::Var::outermost(), block, 1)
        .gpu_blocks(block)
        .gpu_threads(thread);
    return thread;
  }
  Halide::Var all = vars[0];
  for (size_t d = 1; d < vars.size(); ++d) {
    const Halide::Var fused(elements.name() + std::to_string(d));
    definition.fuse(all, vars[d], fused);
    all = fused;
  }
  definition.split(all, block, thread, threads, Halide::TailStrategy::GuardWithIf)
      .gpu_blocks(block)
      .gpu_threads(thread);
  return thread;
}

} // namespace sinter

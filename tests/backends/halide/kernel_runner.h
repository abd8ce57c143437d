// Compiles one kernel, loads it into this process and runs it on arrays, so that it can be held
// against the reference interpreter. Buffers end at a page that faults; scratch memory is handed
// out full of NaN; parallel loops run backwards on a set number of threads.
#pragma once

#include "backends/halide/kernels.h"
#include "backends/reference/interpreter.h"

#include <map>
#include <string>
#include <vector>

namespace sinter {

/// A plan with one kernel that computes everything: the graph's outputs, then its updates, or its
/// last node when it names none.
Plan single_kernel_plan(const Graph &);

struct RunnerOptions {
  std::string target = "host";
  bool checked = false;
};

class KernelRunner {
public:
  explicit KernelRunner(const Plan &, const RunnerOptions & = {});
  ~KernelRunner();
  KernelRunner(const KernelRunner &) = delete;
  KernelRunner &operator=(const KernelRunner &) = delete;

  /// The outputs, in order. `in_place` maps an output's position to the input whose memory it
  /// takes.
  std::vector<Array> run(const NamedArrays &leaves, int64_t batch, int threads = 1,
                         const std::map<size_t, size_t> &in_place = {}) const;
  const KernelObject &object() const { return object_; }

private:
  Plan plan_;
  KernelObject object_;
  void *library_ = nullptr;
  void *function_ = nullptr;
};

/// Values for every leaf of a graph, drawn from a generator with this seed: parameters and data in
/// [-1, 1), class indices and rng keys small integers.
NamedArrays random_leaves(const Graph &, int64_t batch, unsigned seed);

/// Compiles the graph as one kernel, checked and unchecked, and compares each run with the
/// reference: largest difference over the largest reference value must be below `tolerance`.
void check_kernel(const std::string &graph_text, const std::vector<int64_t> &batches,
                  const std::string &target = "host", double tolerance = 1e-5);

} // namespace sinter

// Runs a sequence of passes: verify, time, print on change, and a reproducer on failure.
#pragma once

#include "ir/diagnostics.h"
#include "ir/plan.h"

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace sinter {

/// A graph pass: a free function with a name ("fold-constants") and a one-line summary.
struct Pass {
  std::string_view name;
  std::string_view summary;
  std::function<void(Graph &)> run;
  /// Whether a CompileError thrown by the pass is about the user's model ("argmax has no
  /// gradient", "adam_update expects epsilon of at least 0"); anywhere else it means that the pass
  /// built an ill-typed node.
  bool may_reject = false;
};

/// A pass over plans: fusion, or memory.
struct PlanPass {
  std::string_view name;
  std::string_view summary;
  std::function<void(Plan &)> run;
};

struct PassOptions {
  bool verify = true;
  std::string print_after; // a pass's name, "all", or ""
  bool time = false;
  std::string reproducer; // path of the .sir written when a pass fails; "" for none
  std::function<void(const std::string &)> log; // where prints and times go
};

/// Runs `passes` in order on `graph`. A failure inside a pass is ours: InternalError naming the
/// pass, with the reproducer: the graph before it, headed by `// passes: ` and the names of the
/// pass and those after it.
void run_passes(Graph &graph, const std::vector<Pass> &passes, const PassOptions &);
/// The same on a plan.
void run_passes(Plan &plan, const std::vector<PlanPass> &passes, const PassOptions &);

} // namespace sinter

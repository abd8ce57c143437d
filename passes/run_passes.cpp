#include "passes/run_passes.h"

#include "ir/print.h"
#include "ir/verify.h"

#include <chrono>
#include <fstream>
#include <optional>

namespace sinter {

namespace {

void log(const PassOptions &options, const std::string &text) {
  if (options.log)
    options.log(text);
}

const Graph &graph_of(const Graph &graph) { return graph; }
const Graph &graph_of(const Plan &plan) { return plan.graph; }
bool may_reject(const Pass &pass) { return pass.may_reject; }
bool may_reject(const PlanPass &) { return false; }

/// Best effort: the error that is on its way matters more than a reproducer that cannot be
/// written. Says what was done, for the end of the error text.
template <typename AnyPass>
std::string write_reproducer(const Graph &before, const std::vector<AnyPass> &passes, size_t failed,
                             const std::string &path) {
  if (path.empty())
    return "";
  std::ofstream file(path);
  file << "// passes: ";
  for (size_t i = failed; i < passes.size(); ++i)
    file << (i > failed ? "," : "") << passes[i].name;
  file << "\n" << print(before);
  return file.flush() ? fmt::format(" (reproducer: {})", path)
                      : fmt::format(" (no reproducer: cannot write {})", path);
}

template <typename Subject, typename AnyPass>
void run_and_verify(Subject &subject, const AnyPass &pass, const PassOptions &options) {
  const auto start = std::chrono::steady_clock::now();
  pass.run(subject);
  if (options.verify)
    verify(subject);
  const std::chrono::duration<double, std::milli> time = std::chrono::steady_clock::now() - start;
  if (options.time)
    log(options, fmt::format("{:<34}{:9.3f} ms\n", pass.name, time.count()));
}

template <typename Subject>
void print_change(const std::string &before, const Subject &after, std::string_view name,
                  const PassOptions &options) {
  const std::string text = print(after);
  log(options, text == before ? fmt::format("// after {}: no change\n", name)
                              : fmt::format("// after {}\n{}", name, text));
}

/// The graph as a reproducer would need it; a plan's is the same afterwards.
std::optional<Graph> kept_for_reproducer(const Graph &graph, const PassOptions &options) {
  return options.reproducer.empty() ? std::nullopt : std::optional(graph);
}
std::optional<Graph> kept_for_reproducer(const Plan &, const PassOptions &) { return {}; }

template <typename Subject, typename AnyPass>
void run_all(Subject &subject, const std::vector<AnyPass> &passes, const PassOptions &options) {
  for (size_t i = 0; i < passes.size(); ++i) {
    const AnyPass &pass = passes[i];
    const bool printed = options.print_after == "all" || options.print_after == pass.name;
    const std::string text_before = printed ? print(subject) : "";
    const std::optional<Graph> kept = kept_for_reproducer(subject, options);
    const auto fail = [&](const std::string &why) {
      throw InternalError(fmt::format(
          "pass {}: {}{}", pass.name, why,
          write_reproducer(kept ? *kept : graph_of(subject), passes, i, options.reproducer)));
    };
    try {
      run_and_verify(subject, pass, options);
    } catch (const CompileError &error) {
      if (may_reject(pass))
        throw;
      fail(error.what());
    } catch (const std::exception &error) {
      fail(error.what());
    }
    if (printed)
      print_change(text_before, subject, pass.name, options);
  }
}

} // namespace

void run_passes(Graph &graph, const std::vector<Pass> &passes, const PassOptions &options) {
  run_all(graph, passes, options);
}

void run_passes(Plan &plan, const std::vector<PlanPass> &passes, const PassOptions &options) {
  run_all(plan, passes, options);
}

} // namespace sinter

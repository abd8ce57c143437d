#include "passes/run_passes.h"

#include "ir/print.h"
#include "ir/verify.h"

#include <chrono>
#include <fstream>

namespace sinter {

namespace {

void log(const PassOptions &options, const std::string &text) {
  if (options.log)
    options.log(text);
}

/// Best effort: the error that is on its way matters more than a reproducer that cannot be
/// written. Says what was done, for the end of the error text.
std::string write_reproducer(const Graph &before, const std::vector<Pass> &passes, size_t failed,
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

void run_and_verify(Graph &graph, const Pass &pass, const PassOptions &options) {
  pass.run(graph);
  if (options.verify)
    verify(graph);
}

} // namespace

void run_passes(Graph &graph, const std::vector<Pass> &passes, const PassOptions &options) {
  using Clock = std::chrono::steady_clock;
  for (size_t i = 0; i < passes.size(); ++i) {
    const Pass &pass = passes[i];
    const Graph before = graph;
    const auto fail = [&](const std::string &why) {
      throw InternalError(fmt::format("pass {}: {}{}", pass.name, why,
                                      write_reproducer(before, passes, i, options.reproducer)));
    };
    const Clock::time_point start = Clock::now();
    try {
      run_and_verify(graph, pass, options);
    } catch (const CompileError &error) {
      if (pass.may_reject)
        throw;
      fail(error.what());
    } catch (const std::exception &error) {
      fail(error.what());
    }
    if (options.time)
      log(options,
          fmt::format("{:<34}{:9.3f} ms\n", pass.name,
                      std::chrono::duration<double, std::milli>(Clock::now() - start).count()));
    if (options.print_after == "all" || options.print_after == pass.name) {
      const std::string text = print(graph);
      log(options, text == print(before) ? fmt::format("// after {}: no change\n", pass.name)
                                         : fmt::format("// after {}\n{}", pass.name, text));
    }
  }
}

} // namespace sinter

// Who is to blame decides message and exit code.
#include "tool_support.h"
#include "tools/report_errors.h"

#include <doctest/doctest.h>
#include <new>

using namespace sinter;

namespace {

template <typename Error> ToolRun report(const Error &error) {
  std::ostringstream err;
  ToolRun run;
  run.code = run_reporting_errors([&]() -> int { throw error; }, err);
  run.err = err.str();
  return run;
}

} // namespace

TEST_CASE("a user's error shows its line and a caret under the column") {
  const ScriptFolder scripts;
  const std::string path = scripts.write("x.py", "a = 1\n\tb = \"\xC3\xA9\" + c\r\n");
  const SourceLocation location{std::make_shared<const std::string>(path), 2, 12};
  const ToolRun run = report(CompileError(location, "c is not defined"));
  CHECK(run.code == kExitUserError);
  CHECK(run.err == path + ":2:12: error: c is not defined\n"
                          "  2 | \tb = \"\xC3\xA9\" + c\n"
                          "    | \t          ^\n");
}

TEST_CASE("an error without a place, or in a file that is gone, is one line") {
  CHECK(report(CompileError({}, "no such thing")).err == "error: no such thing\n");
  const SourceLocation gone{std::make_shared<const std::string>("/nowhere/x.py"), 3, 1};
  CHECK(report(CompileError(gone, "bad")).err == "/nowhere/x.py:3:1: error: bad\n");
}

TEST_CASE("exit codes tell the user's faults from bugs") {
  CHECK(report(InternalError("a.cpp:1: internal error: x")).code == kExitBug);
  CHECK(report(std::runtime_error("x")).code == kExitBug);
  CHECK(report(std::bad_alloc()).code == kExitUserError);
  CHECK(report(std::bad_alloc()).err == "error: out of memory\n");
  CHECK(report(std::system_error(ENOSPC, std::generic_category(), "write")).code == kExitUserError);
}

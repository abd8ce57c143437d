// The one place where errors become messages and exit codes.
#pragma once

#include <functional>
#include <iosfwd>

namespace sinter {

constexpr int kExitOk = 0;
constexpr int kExitUserError = 1; // the user's input is at fault
constexpr int kExitUsage = 2;     // wrong command line
constexpr int kExitBug = 70;      // a bug in Sinter (EX_SOFTWARE of sysexits.h)

/// Runs `action` and returns its exit code; an exception becomes a message on `err` and the code
/// of its class. A CompileError is followed by its source line and a caret under the column.
int run_reporting_errors(const std::function<int()> &action, std::ostream &err);

} // namespace sinter

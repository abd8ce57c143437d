// The two kinds of error, by blame, and warnings.
//
// The user's fault is a CompileError with a location: `file:line:col: error: text`, exit code 1.
// Our fault is an InternalError, raised by SINTER_ASSERT, exit code 70. Both are caught in
// tools/ alone. Texts are lower case, without a final period, and show both values.
#pragma once

#include "ir/source_location.h"

#include <fmt/core.h>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace sinter {

class CompileError : public std::runtime_error {
public:
  CompileError(SourceLocation location, const std::string &text);

  template <typename... Args>
  CompileError(SourceLocation location, fmt::format_string<Args...> format, Args &&...args)
      : CompileError(std::move(location),
                     std::string(fmt::format(format, std::forward<Args>(args)...))) {}

  const SourceLocation &location() const { return location_; }
  /// The message without the location.
  const std::string &text() const { return text_; }

private:
  SourceLocation location_;
  std::string text_;
};

class InternalError : public std::logic_error {
public:
  using std::logic_error::logic_error;
};

[[noreturn]] void raise_internal_error(const char *file, int line, const std::string &text);

/// Collects warnings; passed in by the caller, never global.
class Diagnostics {
public:
  void warn(const SourceLocation &location, const std::string &text);
  const std::vector<std::string> &warnings() const { return warnings_; }

private:
  std::vector<std::string> warnings_; // "file:line:col: warning: text"
};

} // namespace sinter

/// Checks an invariant of Sinter itself; on in release builds too.
#define SINTER_ASSERT(condition, ...)                                                              \
  do {                                                                                             \
    if (!(condition))                                                                              \
      ::sinter::raise_internal_error(__FILE__, __LINE__,                                           \
                                     #condition ": " + ::fmt::format(__VA_ARGS__));                \
  } while (false)

#define SINTER_UNREACHABLE(...)                                                                    \
  ::sinter::raise_internal_error(__FILE__, __LINE__, ::fmt::format(__VA_ARGS__))

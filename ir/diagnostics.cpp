#include "ir/diagnostics.h"

namespace sinter {

std::string SourceLocation::str() const {
  if (!file)
    return "";
  return line > 0 ? fmt::format("{}:{}:{}", *file, line, column) : *file;
}

namespace {

std::string with_location(const SourceLocation &location, const char *severity,
                          const std::string &text) {
  const std::string where = location.str();
  return where.empty() ? fmt::format("{}: {}", severity, text)
                       : fmt::format("{}: {}: {}", where, severity, text);
}

} // namespace

CompileError::CompileError(SourceLocation location, const std::string &text)
    : std::runtime_error(with_location(location, "error", text)), location_(std::move(location)),
      text_(text) {}

void raise_internal_error(const char *file, int line, const std::string &text) {
  throw InternalError(fmt::format("{}:{}: internal error: {}", file, line, text));
}

void Diagnostics::warn(const SourceLocation &location, const std::string &text) {
  warnings_.push_back(with_location(location, "warning", text));
}

} // namespace sinter

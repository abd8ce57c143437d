#include "ir/diagnostics.h"

namespace sinter {

std::string SourceLocation::str() const {
  if (!file)
    return "";
  return line > 0 ? fmt::format("{}:{}:{}", *file, line, column) : *file;
}

namespace {

/// Messages quote names from files, and files come from strangers: what would steer a terminal is
/// spelled out, and no message fills it.
std::string printable(const std::string &text) {
  constexpr size_t kLongest = 20'000;
  std::string result;
  for (const char c : text) {
    const auto code = static_cast<unsigned char>(c);
    if ((code < 0x20 && c != '\n' && c != '\t') || code == 0x7f)
      result += fmt::format("\\x{:02x}", code);
    else
      result += c;
    if (result.size() > kLongest)
      return result + "...";
  }
  return result;
}

std::string with_location(const SourceLocation &location, const char *severity,
                          const std::string &text) {
  const std::string where = location.str();
  return where.empty() ? fmt::format("{}: {}", severity, printable(text))
                       : fmt::format("{}: {}: {}", where, severity, printable(text));
}

} // namespace

CompileError::CompileError(SourceLocation location, const std::string &text)
    : std::runtime_error(with_location(location, "error", text)), location_(std::move(location)),
      text_(printable(text)) {}

void raise_internal_error(const char *file, int line, const std::string &text) {
  throw InternalError(fmt::format("{}:{}: internal error: {}", file, line, text));
}

void Diagnostics::warn(const SourceLocation &location, const std::string &text) {
  warnings_.push_back(with_location(location, "warning", text));
}

} // namespace sinter

// format(value, spec): the part of Python's format language that names and messages use,
// [[fill]align][0][width][.precision][type] with type d, s, f, e, g or %.
#include "frontend/interpreter.h"

#include <fmt/format.h>

namespace sinter {

namespace {

struct FormatSpec {
  char align = 0;
  char fill = ' ';
  int width = 0;
  int precision = -1;
  bool comma = false;
  char type = 0;
};

int read_count(const std::string &spec, size_t &at) {
  int count = 0;
  for (; at < spec.size() && spec[at] >= '0' && spec[at] <= '9'; ++at)
    count = std::min(count * 10 + (spec[at] - '0'), 1000);
  return count;
}

bool is_align(char c) { return c == '<' || c == '>' || c == '^'; }

FormatSpec parse_spec(const std::string &spec, const SourceLocation &location) {
  FormatSpec result;
  size_t at = 0;
  if (spec.size() > 1 && is_align(spec[1])) {
    result.fill = spec[0];
    result.align = spec[1];
    at = 2;
  } else if (!spec.empty() && is_align(spec[0])) {
    result.align = spec[at++];
  }
  if (at < spec.size() && spec[at] == '0' && result.align == 0) {
    result.fill = '0';
    result.align = '>';
  }
  result.width = read_count(spec, at);
  if (at < spec.size() && spec[at] == ',') {
    result.comma = true;
    ++at;
  }
  if (at < spec.size() && spec[at] == '.')
    result.precision = read_count(spec, ++at);
  if (at < spec.size())
    result.type = spec[at++];
  if (at != spec.size())
    throw CompileError(location, "the format '{}' is not supported", spec);
  return result;
}

std::string group_thousands(std::string text) {
  const size_t sign = text[0] == '-' ? 1 : 0;
  for (size_t i = std::min(text.find('.'), text.size()); i > sign + 3; i -= 3)
    text.insert(i - 3, ",");
  return text;
}

std::string convert(const Value &value, const FormatSpec &spec, const std::string &source,
                    const SourceLocation &location) {
  const bool real = std::holds_alternative<double>(value);
  const int precision = spec.precision < 0 ? 6 : spec.precision;
  if (spec.type == 0 && (!real || spec.precision < 0))
    return to_text(value);
  if (spec.type == 's' && std::holds_alternative<std::string>(value))
    return to_text(value);
  if (const auto *integer = std::get_if<int64_t>(&value); integer && spec.type == 'd')
    return fmt::format("{}", *integer);
  if (const auto *boolean = std::get_if<bool>(&value); boolean && spec.type == 'd')
    return *boolean ? "1" : "0";
  if (is_number(value)) {
    const double number = to_number(value);
    switch (spec.type) {
    case 'f':
      return fmt::format("{:.{}f}", number, precision);
    case 'e':
      return fmt::format("{:.{}e}", number, precision);
    case 0:
    case 'g':
      return fmt::format("{:.{}g}", number, precision);
    case '%':
      return fmt::format("{:.{}f}%", number * 100, precision);
    default:
      break;
    }
  }
  throw CompileError(location, "the format '{}' does not apply to {}", source, describe(value));
}

} // namespace

std::string format_value(const Value &value, const std::string &spec,
                         const SourceLocation &location) {
  const FormatSpec parsed = parse_spec(spec, location);
  std::string text = convert(value, parsed, spec, location);
  if (parsed.comma && is_number(value))
    text = group_thousands(text);
  const size_t width = static_cast<size_t>(parsed.width);
  if (text.size() >= width)
    return text;
  const size_t missing = width - text.size();
  const char align = parsed.align != 0 ? parsed.align : is_number(value) ? '>' : '<';
  const size_t left = align == '>' ? missing : align == '^' ? missing / 2 : 0;
  return std::string(left, parsed.fill) + text + std::string(missing - left, parsed.fill);
}

} // namespace sinter

#include "frontend/source_file.h"

#include "ir/diagnostics.h"

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace sinter {

namespace {

constexpr std::uintmax_t kMaxBytes = std::uintmax_t{4} << 20; // no script comes near

/// The length of the UTF-8 sequence at `at`, or 0 when it is malformed.
size_t utf8_length(const std::string &text, size_t at) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(at);
  const size_t length = lead < 0x80                    ? 1
                        : lead >= 0xC2 && lead <= 0xDF ? 2
                        : lead >= 0xE0 && lead <= 0xEF ? 3
                        : lead >= 0xF0 && lead <= 0xF4 ? 4
                                                       : 0;
  if (length == 0 || at + length > text.size())
    return 0;
  for (size_t i = 1; i < length; ++i)
    if ((byte(at + i) & 0xC0U) != 0x80U)
      return 0;
  return length;
}

void check_text(const SourceLocation &file, const std::string &text) {
  int line = 1;
  for (size_t i = 0; i < text.size();) {
    const size_t length = utf8_length(text, i);
    if (length == 0 || text[i] == '\0')
      throw CompileError({file.file, line, 1},
                         text[i] == '\0' ? "this is a binary file: the line contains a NUL byte"
                                         : "this line is not UTF-8 text");
    line += text[i] == '\n' ? 1 : 0;
    i += length;
  }
}

/// Columns that a terminal gives a code point: 2 for Hangul, kana, CJK and full-width forms.
int display_width(const std::string &text, size_t at, size_t length) {
  if (length != 3)
    return length == 4 ? 2 : 1;
  const auto bits = [&](size_t i) { return static_cast<unsigned>(text[at + i]) & 0x3FU; };
  const unsigned code = (static_cast<unsigned>(text[at]) & 0x0FU) << 12U | bits(1) << 6U | bits(2);
  const bool wide = (code >= 0x1100 && code <= 0x115F) || (code >= 0x2E80 && code <= 0xA4CF) ||
                    (code >= 0xAC00 && code <= 0xD7A3) || (code >= 0xF900 && code <= 0xFAFF) ||
                    (code >= 0xFE30 && code <= 0xFE6F) || (code >= 0xFF00 && code <= 0xFF60);
  return wide ? 2 : 1;
}

} // namespace

SourceFile read_source_file(const std::string &path) {
  SourceFile file;
  file.name = std::make_shared<const std::string>(path);
  const SourceLocation whole{file.name, 0, 0};
  std::error_code error;
  const auto status = std::filesystem::status(path, error);
  if (!std::filesystem::exists(status))
    throw CompileError(whole, "no such file");
  if (std::filesystem::is_directory(status))
    throw CompileError(whole, "this is a folder, not a model file");
  const std::uintmax_t bytes = std::filesystem::file_size(path, error);
  if (!error && bytes > kMaxBytes)
    throw CompileError(whole, "the file has {} bytes, more than the {} of any model text", bytes,
                       kMaxBytes);
  errno = 0;
  std::ifstream stream(path, std::ios::binary);
  if (!stream)
    throw CompileError(whole, "cannot read the file: {}", std::strerror(errno));
  // A size is unknown for pipes and devices: never read more than the limit.
  file.text.resize(kMaxBytes + 1);
  stream.read(file.text.data(), static_cast<std::streamsize>(file.text.size()));
  file.text.resize(static_cast<size_t>(stream.gcount()));
  return source_from_text(path, std::move(file.text));
}

SourceFile source_from_text(const std::string &name, std::string text) {
  SourceFile file{std::make_shared<const std::string>(name), std::move(text)};
  const SourceLocation whole{file.name, 0, 0};
  if (file.text.size() > kMaxBytes)
    throw CompileError(whole, "the file has more than {} bytes", kMaxBytes);
  if (file.text.compare(0, 3, "\xEF\xBB\xBF") == 0)
    file.text.erase(0, 3);
  check_text(whole, file.text);
  return file;
}

std::string caret_excerpt(const SourceLocation &location, const std::string &text) {
  if (!location.known())
    return "";
  size_t begin = 0;
  for (int line = 1; line < location.line; ++line) {
    begin = text.find('\n', begin);
    if (begin == std::string::npos)
      return "";
    ++begin;
  }
  std::string source = text.substr(begin, text.find('\n', begin) - begin);
  if (!source.empty() && source.back() == '\r')
    source.pop_back();
  std::string margin; // as wide as what stands left of the caret, tabs kept
  size_t at = 0;
  for (int column = 1; column < location.column && at < source.size(); ++column) {
    const size_t length = utf8_length(source, at);
    if (length == 0)
      break;
    margin += source[at] == '\t'
                  ? std::string("\t")
                  : std::string(static_cast<size_t>(display_width(source, at, length)), ' ');
    at += length;
  }
  const std::string number = std::to_string(location.line);
  return fmt::format("  {} | {}\n  {} | {}^\n", number, source, std::string(number.size(), ' '),
                     margin);
}

std::string caret_excerpt(const SourceLocation &location) {
  if (!location.known())
    return "";
  try {
    return caret_excerpt(location, read_source_file(*location.file).text);
  } catch (const CompileError &) {
    return "";
  }
}

} // namespace sinter

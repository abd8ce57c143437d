#include "tools/report_errors.h"

#include "ir/diagnostics.h"

#include <fmt/ostream.h>
#include <fstream>
#include <new>
#include <ostream>
#include <system_error>

namespace sinter {

namespace {

/// Line `number` of a file, from 1; "" when it cannot be had.
std::string source_line(const std::string &path, int number) {
  std::ifstream file(path);
  std::string line;
  for (int i = 0; i < number; ++i)
    if (!std::getline(file, line))
      return "";
  if (!line.empty() && line.back() == '\r')
    line.pop_back();
  return line;
}

/// Blanks as wide as the first `bytes` bytes of `line`: tabs stay tabs, and the continuation bytes
/// of UTF-8 take no room.
std::string indentation(const std::string &line, size_t bytes) {
  std::string blanks;
  for (size_t i = 0; i < bytes && i < line.size(); ++i) {
    const bool continuation = (static_cast<unsigned char>(line[i]) & 0xC0U) == 0x80U;
    if (line[i] == '\t')
      blanks += '\t';
    else if (!continuation)
      blanks += ' ';
  }
  return blanks;
}

void print_source(const SourceLocation &location, std::ostream &err) {
  if (!location.known())
    return;
  const std::string line = source_line(*location.file, location.line);
  if (line.empty())
    return;
  const std::string number = std::to_string(location.line);
  fmt::print(err, "  {} | {}\n", number, line);
  if (location.column > 0)
    fmt::print(err, "  {} | {}^\n", std::string(number.size(), ' '),
               indentation(line, static_cast<size_t>(location.column) - 1));
}

} // namespace

int run_reporting_errors(const std::function<int()> &action, std::ostream &err) {
  try {
    return action();
  } catch (const CompileError &error) {
    fmt::print(err, "{}\n", error.what());
    print_source(error.location(), err);
    return kExitUserError;
  } catch (const std::bad_alloc &) {
    fmt::print(err, "error: out of memory\n");
    return kExitUserError;
  } catch (const std::system_error &error) { // files, processes: the machine's, not a bug
    fmt::print(err, "error: {}\n", error.what());
    return kExitUserError;
  } catch (const InternalError &error) {
    fmt::print(err, "{}\nthis is a bug in sinter\n", error.what());
    return kExitBug;
  } catch (const std::exception &error) {
    fmt::print(err, "internal error: {}\nthis is a bug in sinter\n", error.what());
    return kExitBug;
  }
}

} // namespace sinter

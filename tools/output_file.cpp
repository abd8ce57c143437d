#include "tools/output_file.h"

#include "ir/diagnostics.h"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <unistd.h>

namespace sinter {

namespace {

/// Writes and closes; the reason of a failure, or "".
std::string write_through(const std::string &path, const std::string &text) {
  errno = 0;
  std::ofstream file(path, std::ios::binary);
  file << text;
  file.close();
  return file ? "" : std::strerror(errno ? errno : EIO);
}

} // namespace

void write_file(const std::string &path, const std::string &text) {
  const std::filesystem::file_status status = std::filesystem::status(path);
  const bool device = exists(status) && !is_regular_file(status); // or a pipe, or a directory
  const std::string aside = device ? path : fmt::format("{}.{}.tmp", path, ::getpid());
  std::string reason = write_through(aside, text);
  if (reason.empty() && !device && std::rename(aside.c_str(), path.c_str()) != 0)
    reason = std::strerror(errno);
  if (reason.empty())
    return;
  if (!device)
    std::remove(aside.c_str());
  throw CompileError({}, "cannot write {}: {}", path, reason);
}

std::string read_file(const std::string &path) {
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  if (file.is_open() && std::filesystem::file_size(path) > 0)
    text << file.rdbuf();
  if (!file || !text)
    throw CompileError({}, "cannot read {}: {}", path, std::strerror(errno ? errno : EIO));
  return text.str();
}

TemporaryFolder::TemporaryFolder() {
  path_ = (std::filesystem::temp_directory_path() / "sinter-XXXXXX").string();
  if (!::mkdtemp(path_.data()))
    throw CompileError({}, "cannot make a temporary folder {}: {}", path_, std::strerror(errno));
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored; // a leftover in /tmp harms nobody
  std::filesystem::remove_all(path_, ignored);
}

} // namespace sinter

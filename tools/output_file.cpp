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

void write_file(const std::string &path, const std::string &text) {
  if (std::filesystem::is_directory(path))
    throw CompileError({}, "cannot write {}: is a directory", path);
  const std::string aside = fmt::format("{}.{}.tmp", path, ::getpid());
  errno = 0;
  std::ofstream file(aside, std::ios::binary);
  file << text;
  file.close();
  if (!file || std::rename(aside.c_str(), path.c_str()) != 0) {
    const std::string reason = std::strerror(errno);
    std::remove(aside.c_str());
    throw CompileError({}, "cannot write {}: {}", path, reason);
  }
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

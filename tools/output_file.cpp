#include "tools/output_file.h"

#include "ir/diagnostics.h"

extern "C" {
#include "runtime/atomic_file.h"
#include "runtime/sinter_runtime.h"
}

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace sinter {

void write_file(const std::string &path, const std::string &text) {
  sinter_atomic_clean(path.c_str());
  if (sinter_write_file(path.c_str(), text.data(), text.size()) != SINTER_OK)
    throw CompileError({}, "{}", sinter_last_error());
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

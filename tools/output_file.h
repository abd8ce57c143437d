// Files written whole or not at all, and folders that go when they are done with.
#pragma once

#include <string>

namespace sinter {

/// Writes `text` as runtime/atomic_file.h says: whole or not at all, through links, straight into a
/// device or a pipe. Throws CompileError naming the path when that fails.
void write_file(const std::string &path, const std::string &text);

/// The whole of a file. Throws CompileError when it cannot be read.
std::string read_file(const std::string &path);

/// A new empty folder under the system's temporary one, removed with everything in it.
class TemporaryFolder {
public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder &) = delete;
  TemporaryFolder &operator=(const TemporaryFolder &) = delete;

  const std::string &path() const { return path_; }

private:
  std::string path_;
};

} // namespace sinter

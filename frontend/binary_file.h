// Binary files from anybody, read piece by piece.
#pragma once

#include "ir/source_location.h"

#include <cstdint>
#include <fstream>
#include <string>

namespace sinter {

class BinaryFile {
public:
  /// Opens a regular file: a pipe or a device may never end.
  explicit BinaryFile(const SourceLocation &file);

  uint64_t size() const { return size_; }
  /// The bytes from `offset` on; throws where the file has fewer.
  std::string read(uint64_t offset, uint64_t length);
  /// The whole file; throws when it has more than `limit` bytes.
  std::string read_all(uint64_t limit);

private:
  SourceLocation file_;
  std::ifstream stream_;
  uint64_t size_ = 0;
};

/// Throws unless there is a regular file of that name.
void require_regular_file(const SourceLocation &file);

} // namespace sinter

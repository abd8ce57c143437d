#include "frontend/binary_file.h"

#include "ir/diagnostics.h"

#include <filesystem>

namespace sinter {

void require_regular_file(const SourceLocation &file) {
  std::error_code error;
  if (!std::filesystem::exists(*file.file, error))
    throw CompileError(file, "no such file");
  if (!std::filesystem::is_regular_file(*file.file, error))
    throw CompileError(file, "this is no regular file");
}

BinaryFile::BinaryFile(const SourceLocation &file) : file_(file) {
  require_regular_file(file);
  std::error_code error;
  size_ = std::filesystem::file_size(*file.file, error);
  stream_.open(*file.file, std::ios::binary);
  if (error || !stream_)
    throw CompileError(file, "cannot read the file");
}

std::string BinaryFile::read(uint64_t offset, uint64_t length) {
  if (offset > size_ || length > size_ - offset)
    throw CompileError(file_, "the file ends at byte {}, before byte {}", size_, offset + length);
  std::string bytes(static_cast<size_t>(length), '\0');
  stream_.seekg(static_cast<std::streamoff>(offset));
  if (!stream_.read(bytes.data(), static_cast<std::streamsize>(length)))
    throw CompileError(file_, "cannot read the file");
  return bytes;
}

std::string BinaryFile::read_all(uint64_t limit) {
  if (size_ > limit)
    throw CompileError(file_, "the file has {} bytes, more than {}", size_, limit);
  return read(0, size_);
}

} // namespace sinter

#include "tests/fuzz/fuzz_input.h"

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <unistd.h>

namespace sinter {

namespace {

/// In memory where there is such a folder: a million files are written in a run.
std::string own_path(const char *extension) {
  std::error_code none;
  const std::filesystem::path folder = std::filesystem::is_directory("/dev/shm", none)
                                           ? std::filesystem::path("/dev/shm")
                                           : std::filesystem::temp_directory_path();
  return (folder / ("sinter_fuzz." + std::to_string(::getpid()) + extension)).string();
}

/// The one file of a process, gone at its end.
struct InputFile {
  explicit InputFile(const char *extension) : path(own_path(extension)) {}
  ~InputFile() { ::unlink(path.c_str()); }
  InputFile(const InputFile &) = delete;
  std::string path;
};

} // namespace

std::string fuzz_file(const char *extension, const uint8_t *data, size_t size) {
  static const InputFile input(extension);
  struct Close {
    void operator()(std::FILE *file) const { std::fclose(file); }
  };
  const std::unique_ptr<std::FILE, Close> file(std::fopen(input.path.c_str(), "wb"));
  if (!file || std::fwrite(data, 1, size, file.get()) != size)
    throw std::runtime_error("cannot write " + input.path);
  return input.path;
}

SourceLocation fuzz_location(const std::string &path) {
  return {std::make_shared<const std::string>(path), 0, 0};
}

} // namespace sinter

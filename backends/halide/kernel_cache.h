// Compiled kernels by content: in memory while a program is compiled, on disk between programs.
#pragma once

#include <optional>
#include <string>

namespace sinter {

/// 128 bits of `text` as 32 hexadecimal digits (FNV-1a; entries hold their text, so a collision is
/// found out and costs a compilation, never a wrong kernel).
std::string content_hash(const std::string &text);

struct CachedKernel {
  std::string algorithm;
  int64_t elements_per_sample = 0;
  std::string object;
  std::string unfit; // of the choice in the key, as text
};

/// A folder with a file an entry. Reading a torn, corrupt or foreign file gives nothing; writing
/// is atomic, and a folder that cannot be written to is no error: the cache only saves time.
class KernelCache {
public:
  explicit KernelCache(std::string folder) : folder_(std::move(folder)) {}

  /// `key` is all that decides the object: kernel text, target, version of the schedules.
  std::optional<CachedKernel> load(const std::string &key) const;
  void store(const std::string &key, const CachedKernel &) const;

private:
  std::string path(const std::string &key) const;
  std::string folder_; // "": no cache
};

} // namespace sinter

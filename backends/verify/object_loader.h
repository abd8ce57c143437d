// Links relocatable objects into this process, in memory.
#pragma once

#include <memory>
#include <string>

namespace sinter {

/// Symbols are looked up among the objects, then among the functions that the runtime offers to
/// kernels, then in the process (libc and libm).
class ObjectLoader {
public:
  ObjectLoader();
  ~ObjectLoader();
  ObjectLoader(const ObjectLoader &) = delete;
  ObjectLoader &operator=(const ObjectLoader &) = delete;

  /// `elf` must stay alive no longer than the call.
  void add(const std::string &elf, const std::string &name);
  void *find(const std::string &symbol);

private:
  struct Jit;
  std::unique_ptr<Jit> jit_;
};

} // namespace sinter

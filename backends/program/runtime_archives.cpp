#include "backends/program/runtime_archives.h"

#include "ir/diagnostics.h"

#include <cstdlib>
#include <filesystem>
#include <vector>

namespace sinter {

namespace {

std::vector<std::filesystem::path> folders() {
  if (const char *folder = std::getenv("SINTER_RUNTIME"))
    return {folder};
  std::error_code error;
  const std::filesystem::path self = std::filesystem::read_symlink("/proc/self/exe", error);
  const std::filesystem::path root = self.parent_path().parent_path();
  return {root / "lib" / "sinter", root / "lib"};
}

} // namespace

std::string runtime_archive(const std::string &name) {
  std::string tried;
  for (const std::filesystem::path &folder : folders()) {
    const std::filesystem::path path = folder / ("lib" + name + ".a");
    if (std::filesystem::exists(path))
      return path;
    tried += (tried.empty() ? "" : ", ") + path.string();
  }
  throw CompileError({},
                     "sinter's runtime is not installed, tried {} (SINTER_RUNTIME names another "
                     "folder)",
                     tried);
}

} // namespace sinter

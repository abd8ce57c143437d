// How other builds find a generated library: pkg-config and CMake. Both files find the library
// beside themselves, so the folder may be moved.
#pragma once

#include <string>

namespace sinter {

/// Which libraries lie beside the package files; `stem` is OUT's last component.
struct LibraryPackage {
  std::string stem;
  bool has_static = false;
  bool has_shared = false;
};

/// stem.pc
std::string pkg_config_file(const LibraryPackage &);
/// stemConfig.cmake, which defines the target stem::stem (the static library when there is one)
/// and, when there are both, stem::shared.
std::string cmake_config_file(const LibraryPackage &);

} // namespace sinter

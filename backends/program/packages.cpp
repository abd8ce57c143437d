#include "backends/program/packages.h"

#include <fmt/core.h>

namespace sinter {

std::string pkg_config_file(const LibraryPackage &package) {
  std::string text = fmt::format("prefix=${{pcfiledir}}\n\n"
                                 "Name: {0}\n"
                                 "Description: {0}, a network compiled by Sinter\n"
                                 "Version: 1.0\n"
                                 "Cflags: -I${{prefix}}\n",
                                 package.stem);
  // libSTEM.so knows what it needs; for libSTEM.a the user must name it.
  const char *separator = package.has_shared ? "\nLibs.private:" : "";
  return text + fmt::format("Libs: -L${{prefix}} -l{}{} -lm -lpthread\n", package.stem, separator);
}

namespace {

std::string imported_target(const LibraryPackage &package, const char *target, bool is_static) {
  std::string text =
      fmt::format("if(NOT TARGET {0}::{1})\n"
                  "  add_library({0}::{1} {2} IMPORTED)\n"
                  "  set_target_properties({0}::{1} PROPERTIES\n"
                  "    IMPORTED_LOCATION \"${{CMAKE_CURRENT_LIST_DIR}}/lib{0}.{3}\"\n"
                  "    INTERFACE_INCLUDE_DIRECTORIES \"${{CMAKE_CURRENT_LIST_DIR}}\"",
                  package.stem, target, is_static ? "STATIC" : "SHARED", is_static ? "a" : "so");
  if (is_static)
    text += "\n    IMPORTED_LINK_INTERFACE_LANGUAGES C"
            "\n    INTERFACE_LINK_LIBRARIES \"m;Threads::Threads\"";
  return text + ")\nendif()\n";
}

} // namespace

std::string cmake_config_file(const LibraryPackage &package) {
  std::string text;
  if (package.has_static)
    text += "include(CMakeFindDependencyMacro)\nset(THREADS_PREFER_PTHREAD_FLAG TRUE)\n"
            "find_dependency(Threads)\n\n" +
            imported_target(package, package.stem.c_str(), /*is_static=*/true);
  if (package.has_shared)
    text += imported_target(package, package.has_static ? "shared" : package.stem.c_str(),
                            /*is_static=*/false);
  return text;
}

} // namespace sinter

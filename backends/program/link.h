// The last step: object files and the runtime become an executable or a library.
#pragma once

#include <string>
#include <vector>

namespace sinter {

/// An executable by the system's `cc`, which knows where libc is; only libc, libm, pthread and dl
/// are dynamic. Unused sections are dropped, symbols stripped.
void link_executable(const std::vector<std::string> &objects, const std::string &output);

/// One relocatable object of the objects and what they use of the runtime, in which the functions
/// `exports` alone are global.
void link_relocatable(const std::vector<std::string> &objects,
                      const std::vector<std::string> &exports, const std::string &output);

/// An archive of one object.
void make_archive(const std::string &object, const std::string &member_name,
                  const std::string &output);

/// A shared library that exports the functions `exports` alone. `version_script` is the path of a
/// file to write.
void link_shared(const std::vector<std::string> &objects, const std::vector<std::string> &exports,
                 const std::string &soname, const std::string &version_script,
                 const std::string &output);

} // namespace sinter

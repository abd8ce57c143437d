// Where tests find the source tree and may write. Known to one source file only, so that a cached
// object of any other serves every checkout.
#pragma once

#include <string>

namespace sinter {

/// An absolute path: `source_path("tests/ir/errors")`.
std::string source_path(const std::string &relative);
/// The same below the build folder.
std::string build_path(const std::string &relative);

} // namespace sinter

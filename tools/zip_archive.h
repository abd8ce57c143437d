// Reads zip archives: stored and deflated entries, with 64-bit sizes (as NumPy writes them).
#pragma once

#include <string>
#include <vector>

namespace sinter {

struct ZipEntry {
  std::string name;
  std::string content; // inflated, its CRC checked
};

/// All entries in the order of the directory. Throws CompileError naming `path` for a truncated or
/// malformed archive.
std::vector<ZipEntry> read_zip(const std::string &path, const std::string &bytes);

} // namespace sinter

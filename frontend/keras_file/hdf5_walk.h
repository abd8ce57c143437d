// The half of the HDF5 reader that runs in the child process.
#pragma once

#include <cstdio>
#include <string>
#include <string_view>

namespace sinter {

/// A file at a path, or one in memory.
struct Hdf5Source {
  std::string path;
  std::string_view image; // when there is no path
};

/// Walks the file and writes everything in it to `to` as records:
///
///     'G' name    begins a group       'A' name count text...            an attribute of it
///     'E'         ends it              'D' name type problem rank extent... values...   a dataset
///
/// Numbers are 64 bits wide, texts follow their length, values are float32. The root is a group
/// named "". Returns false when libhdf5 cannot make sense of the file.
bool walk_hdf5(const Hdf5Source &, std::FILE *to);

} // namespace sinter

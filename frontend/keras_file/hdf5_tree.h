// What an HDF5 file holds, as far as Keras's files go: groups, their text attributes, and arrays
// of numbers.
#pragma once

#include "frontend/weights.h"
#include "ir/source_location.h"

#include <cstdio>
#include <map>
#include <string>
#include <vector>

namespace sinter {

/// What cannot be read (text, references, values kept in other files) has a problem instead of
/// values.
struct Hdf5Dataset {
  std::string type; // "f32", "i64": as stored
  WeightArray array;
  std::string problem;
};

struct Hdf5Group {
  /// Texts, and lists of them; others are left out.
  std::map<std::string, std::vector<std::string>> attributes;
  std::map<std::string, Hdf5Group> groups;
  std::map<std::string, Hdf5Dataset> datasets;

  /// The group at a path such as "layers/dense/vars", or null.
  const Hdf5Group *find_group(const std::string &path) const;
  const Hdf5Dataset *find_dataset(const std::string &path) const;
  /// An attribute that holds one text, or null.
  const std::string *text(const std::string &attribute) const;
};

/// Reads a whole file but for optimizers' state. libhdf5 was not written for files from strangers,
/// so it runs in a child process with bounded memory and time: where it crashes the file is
/// reported as damaged. Links to other files are not followed.
Hdf5Group read_hdf5(const SourceLocation &file);
/// The same of an HDF5 file in memory; `file` is what contains it.
Hdf5Group read_hdf5_image(const std::string &bytes, const SourceLocation &file);
/// What walk_hdf5 (hdf5_walk.h) wrote in the child, believing none of it; false where it is wrong.
bool read_hdf5_records(std::FILE *from, Hdf5Group &root);

} // namespace sinter

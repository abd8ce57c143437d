// HDF5 files as Keras writes them, for the tests.
#pragma once

#include "ir/type.h"

#include <map>
#include <string>
#include <vector>

namespace sinter {

/// Text lists are written as fixed-length strings when `fixed`, as Keras before 2.5 did.
struct Hdf5Fixture {
  std::map<std::string, std::string> texts; // attributes of the root
  /// "group/subgroup@attribute": a list of texts
  std::map<std::string, std::vector<std::string>> lists;
  /// "group/subgroup/name": a shape; element i is i / 8
  std::map<std::string, Shape> arrays;
  bool fixed = false;
};

/// Writes it below the build folder and returns its path.
std::string write_hdf5(const std::string &name, const Hdf5Fixture &);

/// The elements that an array of a fixture has.
std::vector<float> fixture_values(const Shape &);

} // namespace sinter

// Small well-formed files of every format that Sinter reads: what fuzzing starts from, and what the
// table of hostile files damages.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace sinter {

struct SeedFile {
  std::string name; // "conv.onnx"
  std::string bytes;
};
using SeedFiles = std::vector<SeedFile>;

/// By fuzz target ("onnx").
const std::map<std::string, std::function<SeedFiles()>> &seed_makers();

/// A zip archive of these members, deflated or stored.
std::string zip_of(const SeedFiles &members, bool deflated);
std::string gzip_of(const std::string &bytes);
/// A .npy file of version 1; `header` is the whole dict.
std::string npy_of(const std::string &header, const std::string &values);

// seeds_models.cpp
SeedFiles script_seeds();
SeedFiles sir_seeds();
SeedFiles onnx_seeds();
SeedFiles keras_seeds();
SeedFiles keras_archive_seeds();
SeedFiles hdf5_seeds();
// seeds_arrays.cpp
SeedFiles pickle_seeds();
SeedFiles npz_seeds();
SeedFiles npy_seeds();
SeedFiles safetensors_seeds();
SeedFiles idx_seeds();
SeedFiles picture_seeds();

} // namespace sinter

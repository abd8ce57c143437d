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
/// A .npy file of version 1; `header` is the whole dict.
std::string npy_of(const std::string &header, const std::string &values);

/// An ONNX model of this graph (protobuf text) with the output y.
std::string onnx_bytes(const std::string &graph);

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

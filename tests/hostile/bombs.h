// Builds what no tool writes.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace sinter {

/// y = Relu(w) of a float initialiser described by `fields`.
std::string onnx_weight(const std::string &fields);
/// x through so many operators, one after the other.
std::string onnx_of_chain(int length);
/// So many bytes of nothing but empty nodes.
std::string onnx_of_empty_nodes(int bytes);
/// A graph in a graph in a graph.
std::string onnx_of_subgraphs(int depth);

/// A zip archive whose member has another name, of the same length.
std::string renamed(std::string archive, const std::string &from, const std::string &to);
/// A zip archive of one member whose size is said to be another.
std::string with_claimed_size(std::string archive, uint32_t size);

/// A PNG whose header says this size.
std::string png_of_size(uint32_t width, uint32_t height);
/// A progressive JPEG whose last scan comes so many times.
std::string jpeg_of_scans(int count);

/// HDF5 files: a dataset "weights" of an unusual kind, by name.
std::vector<std::string> hdf5_tricks();
void write_hdf5_trick(const std::string &kind, const std::string &path);

} // namespace sinter

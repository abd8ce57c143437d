// How much protobuf would make of a file.
#pragma once

#include <cstdint>
#include <google/protobuf/io/zero_copy_stream.h>
#include <optional>

namespace sinter {

/// Deeper than any exported graph (a subgraph of a subgraph takes five levels), and shallow enough
/// for any stack.
constexpr int kMaxNesting = 64;

/// The bytes of an ONNX model that are not contents: tags, lengths, short fields. A parsed message
/// takes some hundred bytes where the file had two, so a file of nothing else needs a hundred times
/// its size. Nothing where the file is no protobuf, is nested beyond use, or has groups, which no
/// message of ONNX has: as unknown fields they would be kept, however many there are.
std::optional<int64_t> structure_bytes(google::protobuf::io::ZeroCopyInputStream &);

} // namespace sinter

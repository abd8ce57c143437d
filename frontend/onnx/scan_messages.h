// How much protobuf would make of a file.
#pragma once

#include <google/protobuf/io/zero_copy_stream.h>

namespace sinter {

/// The bytes of an ONNX model that are not contents: tags, lengths, short fields. A parsed message
/// takes some hundred bytes where the file had two, so a file of nothing else needs a hundred times
/// its size. Stops where the file is no protobuf, or nested beyond use: parsing will say so.
int64_t structure_bytes(google::protobuf::io::ZeroCopyInputStream &);

} // namespace sinter

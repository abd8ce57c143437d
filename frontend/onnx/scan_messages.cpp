#include "frontend/onnx/scan_messages.h"

#include <google/protobuf/io/coded_stream.h>

namespace sinter {

namespace {

using google::protobuf::io::CodedInputStream;

/// The messages on the way to subgraphs and tensors; all others are counted whole. A number of
/// `packed` ones takes a byte or more of the file and four or eight in memory.
enum class Message { model, graph, node, attribute, tensor, contents, packed, other };

/// What a length-delimited field holds; the numbers are those of onnx.proto.
Message child_of(Message parent, uint32_t field) {
  switch (parent) {
  case Message::model:
    return field == 7 ? Message::graph : Message::other;
  case Message::graph:
    return field == 1 ? Message::node : field == 5 ? Message::tensor : Message::other;
  case Message::node:
    return field == 5 ? Message::attribute : Message::other;
  case Message::attribute:
    return field == 5 || field == 10   ? Message::tensor
           : field == 6 || field == 11 ? Message::graph
                                       : Message::other;
  case Message::tensor:
    if (field == 4 || field == 9 || field == 10) // float_data, raw_data, double_data
      return Message::contents;
    return field == 5 || field == 7 || field == 11 ? Message::packed : Message::other;
  default:
    return Message::other;
  }
}

class Scanner {
public:
  explicit Scanner(CodedInputStream &stream) : stream_(stream) {}
  int64_t total() const { return total_; }

  /// False where the scan cannot go on.
  bool scan(Message message, int depth) {
    if (depth > kMaxNesting)
      return false;
    while (const uint32_t tag = stream_.ReadTag()) {
      total_ += 2;
      if (!scan_field(message, tag, depth))
        return false;
    }
    return stream_.ConsumedEntireMessage() || stream_.BytesUntilLimit() == 0;
  }

private:
  bool scan_field(Message message, uint32_t tag, int depth) {
    uint64_t ignored = 0;
    uint32_t length = 0;
    switch (tag & 7U) {
    case 0:
      return stream_.ReadVarint64(&ignored);
    case 1:
      return stream_.Skip(8);
    case 5:
      return stream_.Skip(4);
    case 2:
      return stream_.ReadVarint32(&length) && length <= kLongest &&
             scan_bytes(child_of(message, tag >> 3U), static_cast<int>(length), depth);
    default:
      return false;
    }
  }

  bool scan_bytes(Message child, int length, int depth) {
    if (child == Message::contents)
      return stream_.Skip(length);
    if (child == Message::other || child == Message::packed) {
      total_ += child == Message::packed ? length / 4 : length;
      return stream_.Skip(length);
    }
    const CodedInputStream::Limit limit = stream_.PushLimit(length);
    const bool whole = scan(child, depth + 1);
    stream_.PopLimit(limit);
    return whole;
  }

  static constexpr uint32_t kLongest = 0x7fffffff;
  CodedInputStream &stream_;
  int64_t total_ = 0;
};

} // namespace

std::optional<int64_t> structure_bytes(google::protobuf::io::ZeroCopyInputStream &stream) {
  CodedInputStream coded(&stream);
  coded.SetTotalBytesLimit(0x7fffffff);
  Scanner scanner(coded);
  return scanner.scan(Message::model, 0) ? std::optional(scanner.total()) : std::nullopt;
}

} // namespace sinter

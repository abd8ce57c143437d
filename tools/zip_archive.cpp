// The format: PKWARE's APPNOTE.TXT, sections 4.3.7 (local header), 4.3.12 (central directory),
// 4.3.16 (its end) and 4.5.3 (the 64-bit extra field).
#include "tools/zip_archive.h"

#include "ir/diagnostics.h"

#include <algorithm>
#include <zlib.h>

namespace sinter {

namespace {

constexpr uint64_t kLocalSignature = 0x04034b50;
constexpr uint64_t kDirectorySignature = 0x02014b50;
constexpr uint64_t kEndSignature = 0x06054b50;
constexpr uint64_t kNotHere = 0xFFFFFFFF; // the 64-bit extra field has the value
constexpr uint64_t kStored = 0;
constexpr uint64_t kDeflated = 8;
/// Deflate cannot do better than 1032 to 1: a larger size is a corrupt one.
constexpr uint64_t kMaxRatio = 1100;

class Archive {
public:
  Archive(const std::string &path, const std::string &bytes) : path_(path), bytes_(bytes) {}

  std::vector<ZipEntry> read() const {
    const size_t end = find_end();
    uint64_t at = number(end + 16, 4);
    const uint64_t count = number(end + 10, 2);
    std::vector<ZipEntry> entries;
    for (uint64_t i = 0; i < count; ++i) {
      if (number(at, 4) != kDirectorySignature)
        fail("its directory is malformed");
      entries.push_back(read_entry(at));
      at += 46 + number(at + 28, 2) + number(at + 30, 2) + number(at + 32, 2);
    }
    return entries;
  }

private:
  [[noreturn]] void fail(const std::string &why) const {
    throw CompileError({}, "{} is not a whole zip archive: {}", path_, why);
  }

  /// A little-endian number of `size` bytes.
  uint64_t number(uint64_t at, size_t size) const {
    if (at > bytes_.size() || size > bytes_.size() - at)
      fail("it is truncated");
    uint64_t value = 0;
    for (size_t i = size; i > 0; --i)
      value = value << 8 | static_cast<unsigned char>(bytes_[at + i - 1]);
    return value;
  }

  std::string text(uint64_t at, uint64_t size) const {
    if (at > bytes_.size() || size > bytes_.size() - at)
      fail("it is truncated");
    return bytes_.substr(at, size);
  }

  /// The end record stands last, before a comment of at most 65,535 bytes.
  size_t find_end() const {
    constexpr size_t kEndSize = 22;
    for (size_t back = kEndSize; back <= bytes_.size() && back <= kEndSize + 65535; ++back)
      if (number(bytes_.size() - back, 4) == kEndSignature)
        return bytes_.size() - back;
    fail("it has no directory");
  }

  /// The sizes and the offset that were too large for their 32-bit fields, in that order.
  void read_wide(uint64_t extra, uint64_t extra_size, std::vector<uint64_t *> fields) const {
    for (uint64_t at = extra; at + 4 <= extra + extra_size; at += 4 + number(at + 2, 2)) {
      if (number(at, 2) != 1)
        continue;
      uint64_t value = at + 4;
      for (uint64_t *field : fields)
        if (*field == kNotHere) {
          *field = number(value, 8);
          value += 8;
        }
    }
  }

  ZipEntry read_entry(uint64_t at) const {
    const uint64_t method = number(at + 10, 2);
    const uint64_t crc = number(at + 16, 4);
    uint64_t packed = number(at + 20, 4);
    uint64_t size = number(at + 24, 4);
    uint64_t local = number(at + 42, 4);
    const uint64_t name_size = number(at + 28, 2);
    read_wide(at + 46 + name_size, number(at + 30, 2), {&size, &packed, &local});
    ZipEntry entry{text(at + 46, name_size), ""};
    if (number(local, 4) != kLocalSignature || size / kMaxRatio > packed)
      fail(fmt::format("entry {} is malformed", entry.name));
    const uint64_t data = local + 30 + number(local + 26, 2) + number(local + 28, 2);
    entry.content = unpack(entry.name, method, text(data, packed), size);
    if (checksum(entry.content) != crc)
      fail(fmt::format("entry {} is damaged", entry.name));
    return entry;
  }

  std::string unpack(const std::string &name, uint64_t method, const std::string &packed,
                     uint64_t size) const {
    if (method == kStored && packed.size() == size)
      return packed;
    if (method != kDeflated)
      fail(fmt::format("entry {} is packed by method {}", name, method));
    std::string content(size, '\0');
    z_stream stream{};
    stream.next_in = reinterpret_cast<Bytef *>(const_cast<char *>(packed.data()));
    stream.avail_in = static_cast<uInt>(packed.size());
    stream.next_out = reinterpret_cast<Bytef *>(content.data());
    stream.avail_out = static_cast<uInt>(content.size());
    const bool fits = packed.size() <= UINT32_MAX && size <= UINT32_MAX;
    const bool open = fits && inflateInit2(&stream, -MAX_WBITS) == Z_OK; // no zlib header
    const bool whole = open && inflate(&stream, Z_FINISH) == Z_STREAM_END && stream.avail_out == 0;
    if (open)
      inflateEnd(&stream);
    if (!whole)
      fail(fmt::format("entry {} does not inflate", name));
    return content;
  }

  static uint64_t checksum(const std::string &content) {
    uLong crc = crc32(0, nullptr, 0);
    for (size_t at = 0; at < content.size();) { // crc32 takes 32-bit lengths
      const auto piece = std::min<size_t>(content.size() - at, size_t{1} << 30);
      crc = crc32(crc, reinterpret_cast<const Bytef *>(content.data() + at),
                  static_cast<uInt>(piece));
      at += piece;
    }
    return crc;
  }

  const std::string &path_;
  const std::string &bytes_;
};

} // namespace

std::vector<ZipEntry> read_zip(const std::string &path, const std::string &bytes) {
  return Archive(path, bytes).read();
}

} // namespace sinter

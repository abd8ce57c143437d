// NumPy's .npz: a zip archive of .npy files (numpy/lib/format.py describes versions 1 to 3).
#include "frontend/archive.h"
#include "frontend/ends_with.h"
#include "frontend/weight_file.h"
#include "ir/diagnostics.h"

#include <cstring>
#include <optional>

namespace sinter {

namespace {

constexpr int64_t kAlwaysAllowed = int64_t{64} << 20U; // elements, however small the file

/// Reads the header, a Python dict literal such as
/// {'descr': '<f4', 'fortran_order': False, 'shape': (3, 3, 1, 32), }
class NpyHeader {
public:
  explicit NpyHeader(std::string_view text) : text_(text) {}

  std::optional<std::string> text_field(const char *key) const;
  std::optional<bool> flag(const char *key) const;
  std::optional<Shape> shape() const;

private:
  /// What follows `'key':`, or "".
  std::string_view value(const char *key) const;
  std::string_view text_;
};

std::string_view NpyHeader::value(const char *key) const {
  const std::string quoted = fmt::format("'{}'", key);
  size_t at = text_.find(quoted);
  if (at == std::string_view::npos)
    return "";
  at = text_.find_first_not_of(" :", at + quoted.size());
  return at == std::string_view::npos ? "" : text_.substr(at);
}

std::optional<std::string> NpyHeader::text_field(const char *key) const {
  const std::string_view rest = value(key);
  const size_t end = rest.find('\'', 1);
  if (rest.empty() || rest[0] != '\'' || end == std::string_view::npos)
    return std::nullopt;
  return std::string(rest.substr(1, end - 1));
}

std::optional<bool> NpyHeader::flag(const char *key) const {
  const std::string_view rest = value(key);
  if (rest.substr(0, 4) == "True")
    return true;
  return rest.substr(0, 5) == "False" ? std::optional<bool>(false) : std::nullopt;
}

std::optional<Shape> NpyHeader::shape() const {
  std::string_view rest = value("shape");
  if (rest.empty() || rest[0] != '(')
    return std::nullopt;
  rest = rest.substr(1, rest.find(')') == std::string_view::npos ? 0 : rest.find(')') - 1);
  Shape shape;
  int64_t extent = -1;
  for (const char c : rest) {
    if (c >= '0' && c <= '9') {
      extent = std::max(extent, int64_t{0}) * 10 + (c - '0');
      if (extent > kMaxElements)
        return std::nullopt;
    } else if (c == ',' && extent >= 0) {
      shape.push_back(extent);
      extent = -1;
    } else if (c != ' ') {
      return std::nullopt;
    }
  }
  if (extent >= 0)
    shape.push_back(extent);
  return shape;
}

/// The header's text and where the values begin; nothing when this is no .npy.
std::optional<std::pair<std::string_view, size_t>> split_npy(std::string_view bytes) {
  constexpr size_t kPrefix = 8; // magic and version
  if (bytes.size() < kPrefix + 4 || bytes.substr(0, 6) != "\x93NUMPY")
    return std::nullopt;
  const auto byte = [&](size_t i) {
    return static_cast<size_t>(static_cast<unsigned char>(bytes[i]));
  };
  const size_t version = byte(6);
  if (version < 1 || version > 3)
    return std::nullopt;
  const size_t count_bytes = version == 1 ? 2 : 4;
  size_t length = 0;
  for (size_t i = count_bytes; i-- > 0;)
    length = length << 8U | byte(kPrefix + i);
  const size_t begin = kPrefix + count_bytes;
  if (length > bytes.size() - begin)
    return std::nullopt;
  return std::pair(bytes.substr(begin, length), begin + length);
}

} // namespace

NamedArray parse_npy(const std::string &name, std::string_view bytes, int64_t most_elements) {
  NamedArray result;
  result.name = name;
  const auto parts = split_npy(bytes);
  if (!parts) {
    result.problem = "not a .npy array";
    return result;
  }
  const NpyHeader header(parts->first);
  const std::string descr = header.text_field("descr").value_or("?");
  const std::optional<bool> fortran = header.flag("fortran_order");
  const std::optional<Shape> shape = header.shape();
  const int64_t count = shape ? extent_product(*shape).value_or(-1) : -1;
  if (!fortran || count < 0) {
    result.problem = "malformed .npy header";
    return result;
  }
  const bool little_endian = descr[0] == '<' || descr[0] == '|';
  const auto format = little_endian ? numpy_format(descr.substr(1)) : std::nullopt;
  if (!format) {
    result.problem = fmt::format("numbers of type '{}' are not supported", descr);
    return result;
  }
  result.type = sinter::name(*format);
  const std::string_view values = bytes.substr(parts->second);
  const int64_t size = byte_size(*format);
  if (static_cast<uint64_t>(count * size) != values.size()) {
    result.problem =
        fmt::format("{} values of {} bytes are stored in {} bytes", count, size, values.size());
    return result;
  }
  if (count > most_elements) {
    result.problem = "it has more elements than a file of this size can hold";
    return result;
  }
  result.array.shape = *shape;
  result.array.values = to_floats(values, *format);
  if (*fortran)
    result.array.values = from_column_major(result.array.values, *shape);
  return result;
}

std::vector<NamedArray> read_npz(const SourceLocation &file) {
  Archive archive(file, ".npz archive");
  // Bytes become floats of four: what the archive inflates to may still grow.
  int64_t budget = kAlwaysAllowed + static_cast<int64_t>(archive.file_bytes());
  std::vector<NamedArray> arrays;
  for (const std::string &member : archive.members()) {
    constexpr std::string_view kExtension = ".npy";
    if (!ends_with(member, kExtension))
      continue;
    const std::string name = member.substr(0, member.size() - kExtension.size());
    arrays.push_back(parse_npy(name, *archive.read(member), budget));
    budget -= static_cast<int64_t>(arrays.back().array.values.size());
  }
  return arrays;
}

} // namespace sinter

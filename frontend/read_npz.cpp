// NumPy's .npz: a zip archive of .npy files (numpy/lib/format.py describes versions 1 to 3).
#include "frontend/weight_file.h"
#include "ir/diagnostics.h"

#include <cstring>
#include <optional>
#include <zip.h>

namespace sinter {

namespace {

constexpr uint64_t kMaxMemberBytes = uint64_t{8} << 30; // float64 values of the largest tensor

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

/// NumPy's type codes, little-endian.
const std::map<std::string, NumberFormat> &number_formats() {
  static const std::map<std::string, NumberFormat> formats = {
      {"<f2", NumberFormat::f16}, {"<f4", NumberFormat::f32}, {"<f8", NumberFormat::f64},
      {"|i1", NumberFormat::i8},  {"|u1", NumberFormat::u8},  {"<i2", NumberFormat::i16},
      {"<u2", NumberFormat::u16}, {"<i4", NumberFormat::i32}, {"<u4", NumberFormat::u32},
      {"<i8", NumberFormat::i64}, {"<u8", NumberFormat::u64}};
  return formats;
}

/// Values that were stored with the first index fastest.
std::vector<float> from_column_major(const std::vector<float> &stored, const Shape &shape) {
  std::vector<float> values(stored.size());
  std::vector<int64_t> index(shape.size(), 0);
  for (float &value : values) {
    int64_t offset = 0;
    for (size_t d = shape.size(); d-- > 0;)
      offset = offset * shape[d] + index[d];
    value = stored[static_cast<size_t>(offset)];
    for (size_t d = shape.size(); d-- > 0;) {
      if (++index[d] < shape[d])
        break;
      index[d] = 0;
    }
  }
  return values;
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

struct CloseArchive {
  void operator()(zip_t *archive) const { zip_discard(archive); }
};
struct CloseMember {
  void operator()(zip_file_t *member) const { zip_fclose(member); }
};

std::string read_member(zip_t *archive, zip_uint64_t index, const SourceLocation &file) {
  zip_stat_t stat;
  if (zip_stat_index(archive, index, 0, &stat) != 0 || (stat.valid & ZIP_STAT_SIZE) == 0)
    throw CompileError(file, "entry {} of the archive cannot be read", index);
  if (stat.size > kMaxMemberBytes)
    throw CompileError(file, "{} has {} bytes, more than {}", stat.name, stat.size,
                       kMaxMemberBytes);
  const std::unique_ptr<zip_file_t, CloseMember> member(zip_fopen_index(archive, index, 0));
  // The directory's size is a claim: memory grows only with what is really there. The checksum is
  // compared by the read that finds the end.
  std::string bytes;
  std::vector<char> chunk(size_t{1} << 20U);
  zip_int64_t read = member ? 1 : -1;
  while (read > 0 && bytes.size() <= stat.size) {
    read = zip_fread(member.get(), chunk.data(), chunk.size());
    if (read > 0)
      bytes.append(chunk.data(), static_cast<size_t>(read));
  }
  if (read != 0 || bytes.size() != stat.size)
    throw CompileError(file, "{} is truncated or damaged", stat.name);
  return bytes;
}

} // namespace

NamedArray parse_npy(const std::string &name, std::string_view bytes) {
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
  const auto format = number_formats().find(descr);
  if (format == number_formats().end()) {
    result.problem = fmt::format("numbers of type '{}' are not supported", descr);
    return result;
  }
  const std::string_view values = bytes.substr(parts->second);
  const int64_t size = byte_size(format->second);
  if (static_cast<uint64_t>(count * size) != values.size()) {
    result.problem =
        fmt::format("{} values of {} bytes are stored in {} bytes", count, size, values.size());
    return result;
  }
  result.array.shape = *shape;
  result.array.values = to_floats(values, format->second);
  if (*fortran)
    result.array.values = from_column_major(result.array.values, *shape);
  return result;
}

std::vector<NamedArray> read_npz(const SourceLocation &file) {
  int code = 0;
  const std::unique_ptr<zip_t, CloseArchive> archive(
      zip_open(file.file->c_str(), ZIP_RDONLY, &code));
  if (!archive) {
    zip_error_t error;
    zip_error_init_with_code(&error, code);
    const std::string text = zip_error_strerror(&error);
    zip_error_fini(&error);
    throw CompileError(file, "this is no .npz archive: {}", text);
  }
  std::vector<NamedArray> arrays;
  const zip_int64_t count = zip_get_num_entries(archive.get(), 0);
  for (zip_int64_t i = 0; i < count; ++i) {
    const auto index = static_cast<zip_uint64_t>(i);
    const char *member = zip_get_name(archive.get(), index, 0);
    std::string name = member ? member : "";
    if (name.size() < 4 || name.compare(name.size() - 4, 4, ".npy") != 0)
      continue;
    name.resize(name.size() - 4);
    arrays.push_back(parse_npy(name, read_member(archive.get(), index, file)));
  }
  return arrays;
}

} // namespace sinter

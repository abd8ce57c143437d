#include "tools/npy_array.h"

#include "ir/diagnostics.h"

#include <cstring>
#include <regex>

namespace sinter {

namespace {

/// The header's text, and where the data begins.
struct Header {
  std::string text;
  size_t data = 0;
};

Header read_header(const std::string &name, const std::string &bytes) {
  const std::string magic = "\x93NUMPY";
  if (bytes.size() < 12 || bytes.compare(0, magic.size(), magic) != 0)
    throw CompileError({}, "{} is not a .npy array", name);
  const auto byte = [&](size_t i) {
    return static_cast<size_t>(static_cast<unsigned char>(bytes[i]));
  };
  const bool wide = byte(6) >= 2; // version 1 has a 2-byte length, later ones 4 bytes
  const size_t length =
      byte(8) | byte(9) << 8 | (wide ? byte(10) << 16 | byte(11) << 24 : size_t{0});
  const size_t begin = wide ? 12 : 10;
  if (length > bytes.size() - begin)
    throw CompileError({}, "{} is truncated: it ends in its header", name);
  return {bytes.substr(begin, length), begin + length};
}

/// The first group of `pattern` in the header.
std::string field(const std::string &name, const Header &header, const std::string &pattern) {
  std::smatch match;
  if (!std::regex_search(header.text, match, std::regex(pattern)))
    throw CompileError({}, "{} has an unreadable header: {}", name, header.text);
  return match[1];
}

Shape read_shape(const std::string &name, const Header &header) {
  const std::string list = field(name, header, R"('shape': *\(([0-9, ]*)\))");
  Shape shape;
  for (size_t at = list.find_first_of("0123456789"); at != std::string::npos;) {
    const size_t end = list.find_first_not_of("0123456789", at);
    const std::string digits = list.substr(at, end - at);
    shape.push_back(digits.size() > 10 ? kMaxElements + 1 : std::stoll(digits));
    at = end == std::string::npos ? end : list.find_first_of("0123456789", end);
  }
  return shape;
}

/// Row-major from column-major.
std::vector<float> transposed(const std::vector<float> &values, const Shape &shape) {
  std::vector<float> result(values.size());
  Shape index(shape.size(), 0);
  for (float &value : result) {
    size_t offset = 0;
    for (size_t i = shape.size(); i > 0; --i)
      offset = offset * static_cast<size_t>(shape[i - 1]) + static_cast<size_t>(index[i - 1]);
    value = values[offset];
    for (size_t i = shape.size(); i > 0 && ++index[i - 1] == shape[i - 1]; --i)
      index[i - 1] = 0;
  }
  return result;
}

} // namespace

NpyArray read_npy(const std::string &name, const std::string &bytes) {
  const Header header = read_header(name, bytes);
  const std::string dtype = field(name, header, R"('descr': *'([^']*)')");
  const bool wide = dtype == "<f8";
  if (dtype != "<f4" && !wide)
    throw CompileError({}, "{} has element type {}, expected <f4 or <f8", name, dtype);
  NpyArray array;
  array.shape = read_shape(name, header);
  const std::optional<int64_t> count = checked_element_count(array.shape);
  if (!count || (bytes.size() - header.data) / (wide ? 8 : 4) < static_cast<size_t>(*count))
    throw CompileError({}, "{} is truncated: shape {} does not fit its {} bytes", name,
                       str(array.shape), bytes.size() - header.data);
  array.values = floats_from(bytes.data() + header.data, static_cast<size_t>(*count),
                             wide ? FloatWidth::f64 : FloatWidth::f32);
  if (field(name, header, "'fortran_order': *(True|False)") == "True")
    array.values = transposed(array.values, array.shape);
  return array;
}

std::vector<float> floats_from(const char *data, size_t count, FloatWidth width) {
  std::vector<float> values(count);
  if (width == FloatWidth::f32) {
    std::memcpy(values.data(), data, count * sizeof(float));
    return values;
  }
  for (size_t i = 0; i < count; ++i) {
    double value;
    std::memcpy(&value, data + i * sizeof value, sizeof value);
    values[i] = static_cast<float>(value);
  }
  return values;
}

} // namespace sinter

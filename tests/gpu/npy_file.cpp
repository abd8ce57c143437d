#include "npy_file.h"

#include <cstring>
#include <fmt/format.h>
#include <fstream>
#include <sstream>
#include <stdexcept>

namespace sinter {

namespace {

const char *descriptor(ElementType element) {
  return element == ElementType::f32 ? "<f4" : element == ElementType::i32 ? "<i4" : "|u1";
}

std::string element_bytes(ElementType element, double value) {
  const auto bytes = [](auto number) {
    std::string result(sizeof number, '\0');
    std::memcpy(result.data(), &number, sizeof number);
    return result;
  };
  if (element == ElementType::f32)
    return bytes(static_cast<float>(value));
  if (element == ElementType::i32)
    return bytes(static_cast<int32_t>(value));
  return bytes(static_cast<uint8_t>(value));
}

double element_at(ElementType element, const char *bytes) {
  const auto number = [&](auto kind) {
    std::memcpy(&kind, bytes, sizeof kind);
    return static_cast<double>(kind);
  };
  if (element == ElementType::f32)
    return number(float{});
  return element == ElementType::i32 ? number(int32_t{}) : number(uint8_t{});
}

} // namespace

void write_npy(const std::string &path, const Array &array) {
  std::string shape;
  for (const int64_t extent : array.extents())
    shape += fmt::format("{},", extent);
  std::string header = fmt::format("{{'descr': '{}', 'fortran_order': False, 'shape': ({}), }}",
                                   descriptor(array.type.element), shape);
  constexpr size_t before = 10, alignment = 64; // the magic string, the version, the length
  header.resize((before + header.size()) / alignment * alignment + alignment - before - 1, ' ');
  header += '\n';
  std::ofstream file(path, std::ios::binary);
  file << "\x93NUMPY" << '\1' << '\0' << static_cast<char>(header.size() & 0xff)
       << static_cast<char>(header.size() >> 8) << header;
  for (const double value : array.values)
    file << element_bytes(array.type.element, value);
}

Array read_npy(const std::string &path, const TensorType &type, int64_t batch) {
  std::ostringstream content;
  content << std::ifstream(path, std::ios::binary).rdbuf();
  const std::string bytes = content.str();
  Array array(type, batch);
  const size_t size = array.values.size() * static_cast<size_t>(byte_size(type.element));
  if (bytes.size() < size || bytes.compare(0, 6, "\x93NUMPY") != 0)
    throw std::runtime_error(path + " is not what was expected");
  const char *data = bytes.data() + bytes.size() - size;
  for (size_t i = 0; i < array.values.size(); ++i)
    array.values[i] =
        element_at(type.element, data + i * static_cast<size_t>(byte_size(type.element)));
  return array;
}

} // namespace sinter

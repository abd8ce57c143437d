// safetensors: the length of a JSON header as 8 bytes, the header, the values.
#include "frontend/weight_file.h"
#include "ir/diagnostics.h"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <optional>

namespace sinter {

namespace {

using Json = nlohmann::json;

constexpr uint64_t kMaxHeaderBytes = uint64_t{100} << 20; // the format's own limit

const std::map<std::string, NumberFormat> &number_formats() {
  static const std::map<std::string, NumberFormat> formats = {
      {"F16", NumberFormat::f16}, {"BF16", NumberFormat::bf16}, {"F32", NumberFormat::f32},
      {"F64", NumberFormat::f64}, {"I8", NumberFormat::i8},     {"U8", NumberFormat::u8},
      {"I16", NumberFormat::i16}, {"U16", NumberFormat::u16},   {"I32", NumberFormat::i32},
      {"U32", NumberFormat::u32}, {"I64", NumberFormat::i64},   {"U64", NumberFormat::u64}};
  return formats;
}

std::optional<Shape> parse_extents(const Json &list) {
  if (!list.is_array())
    return std::nullopt;
  Shape extents;
  for (const Json &extent : list) {
    if (!extent.is_number_unsigned() || extent.get<uint64_t>() > INT64_MAX)
      return std::nullopt;
    extents.push_back(extent.get<int64_t>());
  }
  return extents;
}

NamedArray parse_tensor(const std::string &name, const Json &entry, std::string_view values) {
  NamedArray result;
  result.name = name;
  const auto field = [&](const char *key) {
    return entry.is_object() && entry.contains(key) ? entry[key] : Json();
  };
  const std::optional<Shape> shape = parse_extents(field("shape"));
  const std::optional<Shape> offsets = parse_extents(field("data_offsets"));
  const int64_t count = shape ? extent_product(*shape).value_or(-1) : -1;
  if (count < 0 || !offsets || offsets->size() != 2) {
    result.problem = "malformed header entry";
    return result;
  }
  const Json dtype = field("dtype");
  const auto format = number_formats().find(dtype.is_string() ? dtype.get<std::string>() : "");
  if (format == number_formats().end()) {
    result.problem = fmt::format("numbers of type {} are not supported", dtype.dump());
    return result;
  }
  result.type = sinter::name(format->second);
  const int64_t begin = (*offsets)[0];
  const int64_t end = (*offsets)[1];
  const int64_t size = byte_size(format->second);
  if (begin > end || end > static_cast<int64_t>(values.size()))
    result.problem = fmt::format("its values at {} to {} lie outside the {} bytes of the file",
                                 begin, end, values.size());
  else if (end - begin != count * size)
    result.problem =
        fmt::format("{} values of {} bytes are stored in {} bytes", count, size, end - begin);
  if (!result.problem.empty())
    return result;
  result.array.shape = *shape;
  result.array.values = to_floats(
      values.substr(static_cast<size_t>(begin), static_cast<size_t>(end - begin)), format->second);
  return result;
}

/// The tensors' names in the order of their values: the header's own order means nothing.
std::vector<std::string> names_in_order(const Json &header) {
  std::vector<std::pair<uint64_t, std::string>> names;
  for (const auto &[name, entry] : header.items()) {
    const bool placed = entry.is_object() && entry.contains("data_offsets") &&
                        entry["data_offsets"].is_array() && !entry["data_offsets"].empty() &&
                        entry["data_offsets"][0].is_number_unsigned();
    if (name != "__metadata__")
      names.emplace_back(placed ? entry["data_offsets"][0].get<uint64_t>() : 0, name);
  }
  std::sort(names.begin(), names.end());
  std::vector<std::string> result;
  for (auto &[offset, name] : names)
    result.push_back(std::move(name));
  return result;
}

/// The header; the stream stands behind it, before `rest` bytes of values.
Json read_header(std::ifstream &stream, uint64_t &rest, const SourceLocation &file) {
  if (!stream)
    throw CompileError(file, "cannot read the file");
  stream.seekg(0, std::ios::end);
  const auto size = static_cast<uint64_t>(stream.tellg());
  stream.seekg(0);
  std::string prefix(8, '\0');
  uint64_t length = 0;
  if (stream.read(prefix.data(), 8))
    for (size_t i = 8; i-- > 0;)
      length = length << 8U | static_cast<unsigned char>(prefix[i]);
  if (size < 8 || length > kMaxHeaderBytes || length > size - 8)
    throw CompileError(file,
                       "this is no safetensors file, or it is truncated: {} bytes with a "
                       "header of {}",
                       size, length);
  std::string text(static_cast<size_t>(length), '\0');
  stream.read(text.data(), static_cast<std::streamsize>(length));
  const Json header = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!header.is_object())
    throw CompileError(file, "the header of this safetensors file is not a JSON object");
  rest = size - 8 - length;
  return header;
}

} // namespace

std::vector<NamedArray> read_safetensors(const SourceLocation &file) {
  std::ifstream stream(*file.file, std::ios::binary);
  uint64_t size = 0;
  const Json header = read_header(stream, size, file);
  std::string values(static_cast<size_t>(size), '\0');
  stream.read(values.data(), static_cast<std::streamsize>(size));
  std::vector<NamedArray> arrays;
  for (const std::string &name : names_in_order(header))
    arrays.push_back(parse_tensor(name, header[name], values));
  return arrays;
}

std::optional<std::string> safetensors_model(const SourceLocation &file) {
  std::ifstream stream(*file.file, std::ios::binary);
  uint64_t size = 0;
  const Json header = read_header(stream, size, file);
  const auto metadata = header.find("__metadata__");
  if (metadata == header.end() || !metadata->is_object())
    return std::nullopt;
  const auto model = metadata->find("sinter_model");
  return model == metadata->end() || !model->is_string() ? std::nullopt
                                                         : std::optional(model->get<std::string>());
}

} // namespace sinter

// safetensors: the length of a JSON header as 8 bytes, the header, the values.
#include "frontend/binary_file.h"
#include "frontend/json_text.h"
#include "frontend/weight_file.h"
#include "ir/diagnostics.h"

#include <algorithm>
#include <optional>

namespace sinter {

namespace {

using Json = nlohmann::json;

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
    const std::optional<int64_t> number = integer(extent);
    if (!number || *number < 0)
      return std::nullopt;
    extents.push_back(*number);
  }
  return extents;
}

/// The values behind the header. No byte belongs to two tensors, so that a small file cannot ask
/// for more memory than its size accounts for.
class Values {
public:
  Values(BinaryFile &file, uint64_t begin)
      : file_(file), begin_(begin), unclaimed_(file.size() - begin) {}

  uint64_t size() const { return file_.size() - begin_; }
  /// The bytes [begin, end), or nothing when others have claimed them.
  std::optional<std::string> claim(int64_t begin, int64_t end) {
    const auto length = static_cast<uint64_t>(end - begin);
    if (length > unclaimed_)
      return std::nullopt;
    unclaimed_ -= length;
    return file_.read(begin_ + static_cast<uint64_t>(begin), length);
  }

private:
  BinaryFile &file_;
  uint64_t begin_;
  uint64_t unclaimed_;
};

NamedArray parse_tensor(const std::string &name, const Json &entry, Values &values) {
  NamedArray result;
  result.name = name;
  const std::optional<Shape> shape = parse_extents(member(entry, "shape"));
  const std::optional<Shape> offsets = parse_extents(member(entry, "data_offsets"));
  const int64_t count = shape ? extent_product(*shape).value_or(-1) : -1;
  if (count < 0 || !offsets || offsets->size() != 2) {
    result.problem = "malformed header entry";
    return result;
  }
  const std::string dtype = text_member(entry, "dtype");
  const auto format = number_formats().find(dtype);
  if (format == number_formats().end()) {
    result.problem = fmt::format("numbers of type '{}' are not supported", dtype);
    return result;
  }
  result.type = sinter::name(format->second);
  const int64_t begin = (*offsets)[0];
  const int64_t end = (*offsets)[1];
  const int64_t size = byte_size(format->second);
  if (begin > end || static_cast<uint64_t>(end) > values.size())
    result.problem = fmt::format("its values at {} to {} lie outside the {} bytes of the file",
                                 begin, end, values.size());
  else if (end - begin != count * size)
    result.problem =
        fmt::format("{} values of {} bytes are stored in {} bytes", count, size, end - begin);
  if (!result.problem.empty())
    return result;
  const std::optional<std::string> bytes = values.claim(begin, end);
  if (!bytes) {
    result.problem = "its values overlap with another tensor's";
    return result;
  }
  result.array.shape = *shape;
  result.array.values = to_floats(*bytes, format->second);
  return result;
}

/// The tensors' names in the order of their values: the header's own order means nothing.
std::vector<std::string> names_in_order(const Json &header) {
  std::vector<std::pair<uint64_t, std::string>> names;
  for (const auto &[name, entry] : header.items()) {
    const Json &offsets = member(entry, "data_offsets");
    const bool placed = offsets.is_array() && !offsets.empty() && offsets[0].is_number_unsigned();
    if (name != "__metadata__")
      names.emplace_back(placed ? offsets[0].get<uint64_t>() : 0, name);
  }
  std::sort(names.begin(), names.end());
  std::vector<std::string> result;
  for (auto &[offset, name] : names)
    result.push_back(std::move(name));
  return result;
}

constexpr uint64_t kPrefix = 8;

/// The header; `values` is where it ends.
Json read_header(BinaryFile &stream, uint64_t &values, const SourceLocation &file) {
  const std::string prefix = stream.read(0, std::min(stream.size(), kPrefix));
  uint64_t length = 0;
  for (size_t i = prefix.size(); i-- > 0;)
    length = length << 8U | static_cast<unsigned char>(prefix[i]);
  if (stream.size() < kPrefix || length > stream.size() - kPrefix)
    throw CompileError(file,
                       "this is no safetensors file, or it is truncated: {} bytes with a "
                       "header of {}",
                       stream.size(), length);
  require_json_size(length, "the header", file);
  Json header = parse_json(stream.read(kPrefix, length), "the header", file);
  if (!header.is_object())
    throw CompileError(file, "the header of this safetensors file is not a JSON object");
  values = kPrefix + length;
  return header;
}

} // namespace

std::vector<NamedArray> read_safetensors(const SourceLocation &file) {
  BinaryFile stream(file);
  uint64_t begin = 0;
  const Json header = read_header(stream, begin, file);
  Values values(stream, begin);
  std::vector<NamedArray> arrays;
  for (const std::string &name : names_in_order(header))
    arrays.push_back(parse_tensor(name, header[name], values));
  return arrays;
}

std::optional<std::string> safetensors_model(const SourceLocation &file) {
  BinaryFile stream(file);
  uint64_t begin = 0;
  const Json header = read_header(stream, begin, file);
  const auto metadata = header.find("__metadata__");
  if (metadata == header.end() || !metadata->is_object())
    return std::nullopt;
  const auto model = metadata->find("sinter_model");
  return model == metadata->end() || !model->is_string() ? std::nullopt
                                                         : std::optional(model->get<std::string>());
}

} // namespace sinter

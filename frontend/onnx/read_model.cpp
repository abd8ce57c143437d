#include "frontend/onnx/read_model.h"

#include "frontend/binary_file.h"
#include "frontend/onnx/scan_messages.h"
#include "frontend/weight_file.h"
#include "ir/diagnostics.h"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl.h>
#include <limits>

namespace sinter {

namespace {

SourceLocation location_of(const std::string &path) {
  return {std::make_shared<const std::string>(path), 0, 0};
}

/// No exported graph comes near; what protobuf makes of so many bytes of tags is about 2 GB.
constexpr int64_t kMostStructure = int64_t{24} << 20U;
constexpr const char *kNoModel = "this is no ONNX file: truncated, or no protobuf message";

void require_parsable(google::protobuf::io::ZeroCopyInputStream &stream,
                      const SourceLocation &file) {
  const std::optional<int64_t> bytes = structure_bytes(stream);
  if (!bytes)
    throw CompileError(file, kNoModel);
  if (*bytes > kMostStructure)
    throw CompileError(file,
                       "the file's graph takes {} bytes beside its weights, more than the {} "
                       "of any model",
                       *bytes, kMostStructure);
}

/// Parses to the end of the stream; `stream` stays readable up to 2 GB.
onnx::ModelProto parse_stream(google::protobuf::io::ZeroCopyInputStream &stream,
                              const SourceLocation &file) {
  google::protobuf::io::CodedInputStream coded(&stream);
  coded.SetTotalBytesLimit(std::numeric_limits<int>::max());
  coded.SetRecursionLimit(kMaxNesting);
  onnx::ModelProto model;
  if (!model.ParseFromCodedStream(&coded) || !coded.ConsumedEntireMessage())
    throw CompileError(file, kNoModel);
  if (!model.has_graph())
    throw CompileError(file, "this ONNX file holds no graph");
  return model;
}

/// Throws unless a tensor's data has `bytes` bytes.
void require_bytes(const onnx::TensorProto &tensor, const SourceLocation &file, int64_t expected,
                   int64_t actual, const char *unit) {
  if (expected != actual)
    throw CompileError(file, "tensor '{}' has {} {} of data, its shape needs {}", tensor.name(),
                       actual, unit, expected);
}

int64_t external_number(const std::string &text, int64_t fallback, const SourceLocation &file) {
  if (text.empty())
    return fallback;
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < 0)
    throw CompileError(file, "external data has the offset or length '{}'", text);
  return value;
}

/// The file that a tensor's data lies in. A path that leaves the model's folder, by itself or
/// through a link, is refused: a model must not read its user's other files.
std::filesystem::path external_path(const std::string &location, const SourceLocation &file) {
  const std::filesystem::path folder = std::filesystem::path(*file.file).parent_path();
  std::error_code error;
  const auto root =
      std::filesystem::canonical(folder.empty() ? std::filesystem::path(".") : folder, error);
  const auto target = std::filesystem::canonical(root / location, error);
  if (error || !std::filesystem::is_regular_file(target, error))
    throw CompileError(file, "there is no file '{}' of external data", location);
  const auto [parent, rest] = std::mismatch(root.begin(), root.end(), target.begin(), target.end());
  if (parent != root.end())
    throw CompileError(file, "external data '{}' lies outside of the model's folder", location);
  return target;
}

std::string read_external_data(const onnx::TensorProto &tensor, int64_t bytes,
                               const SourceLocation &file) {
  std::string location, offset_text, length_text;
  for (const onnx::StringStringEntryProto &entry : tensor.external_data()) {
    if (entry.key() == "location")
      location = entry.value();
    else if (entry.key() == "offset")
      offset_text = entry.value();
    else if (entry.key() == "length")
      length_text = entry.value();
  }
  const std::filesystem::path path = external_path(location, file);
  const int64_t offset = external_number(offset_text, 0, file);
  require_bytes(tensor, file, bytes, external_number(length_text, bytes, file), "bytes");
  std::ifstream stream(path, std::ios::binary);
  const auto size = static_cast<int64_t>(std::filesystem::file_size(path));
  if (!stream || offset > size || bytes > size - offset)
    throw CompileError(file, "tensor '{}' needs bytes {} to {} of '{}', which has {}",
                       tensor.name(), offset, offset + bytes, location, size);
  std::string data(static_cast<size_t>(bytes), '\0');
  stream.seekg(offset);
  if (!stream.read(data.data(), bytes))
    throw CompileError(file, "cannot read external data '{}'", location);
  return data;
}

NumberFormat number_format(DataType type) {
  constexpr NumberFormat formats[] = {NumberFormat::f32, NumberFormat::f16, NumberFormat::bf16,
                                      NumberFormat::f64, NumberFormat::i8,  NumberFormat::i16,
                                      NumberFormat::i32, NumberFormat::i64, NumberFormat::u8,
                                      NumberFormat::u16, NumberFormat::u32, NumberFormat::u64,
                                      NumberFormat::u8 /* booleans */};
  return formats[static_cast<size_t>(type)];
}

template <typename T> std::vector<int64_t> integers_from(std::string_view bytes) {
  std::vector<int64_t> values(bytes.size() / sizeof(T));
  for (size_t i = 0; i < values.size(); ++i) {
    T value{};
    std::copy_n(bytes.data() + i * sizeof(T), sizeof(T), reinterpret_cast<char *>(&value));
    values[i] = static_cast<int64_t>(value);
  }
  return values;
}

std::vector<int64_t> integers_from(std::string_view bytes, DataType type) {
  switch (type) {
  case DataType::i8:
    return integers_from<int8_t>(bytes);
  case DataType::i16:
    return integers_from<int16_t>(bytes);
  case DataType::i32:
    return integers_from<int32_t>(bytes);
  case DataType::u16:
    return integers_from<uint16_t>(bytes);
  case DataType::u32:
    return integers_from<uint32_t>(bytes);
  case DataType::i64:
  case DataType::u64:
    return integers_from<int64_t>(bytes);
  default:
    return integers_from<uint8_t>(bytes);
  }
}

HostTensor from_bytes(Shape shape, std::string_view bytes, DataType type) {
  if (is_float(type))
    return HostTensor::of_floats(std::move(shape), to_floats(bytes, number_format(type)), type);
  return HostTensor::of_integers(std::move(shape), integers_from(bytes, type), type);
}

/// Sixteen-bit floats travel in int32_data as their bit patterns.
std::vector<float> floats_from_patterns(const onnx::TensorProto &tensor, DataType type) {
  std::string bytes;
  for (int32_t pattern : tensor.int32_data()) {
    bytes.push_back(static_cast<char>(pattern & 0xff));
    bytes.push_back(static_cast<char>((pattern >> 8) & 0xff));
  }
  return to_floats(bytes, number_format(type));
}

template <typename T, typename Field> std::vector<T> field_values(const Field &field) {
  std::vector<T> values;
  values.reserve(static_cast<size_t>(field.size()));
  for (const auto value : field)
    values.push_back(static_cast<T>(value));
  return values;
}

HostTensor from_fields(Shape shape, const onnx::TensorProto &tensor, DataType type) {
  switch (type) {
  case DataType::f32:
    return HostTensor::of_floats(std::move(shape), field_values<float>(tensor.float_data()));
  case DataType::f64:
    return HostTensor::of_floats(std::move(shape), field_values<float>(tensor.double_data()), type);
  case DataType::f16:
  case DataType::bf16:
    return HostTensor::of_floats(std::move(shape), floats_from_patterns(tensor, type), type);
  case DataType::i64:
    return HostTensor::of_integers(std::move(shape), field_values<int64_t>(tensor.int64_data()));
  case DataType::u32:
  case DataType::u64:
    return HostTensor::of_integers(std::move(shape), field_values<int64_t>(tensor.uint64_data()),
                                   type);
  default:
    return HostTensor::of_integers(std::move(shape), field_values<int64_t>(tensor.int32_data()),
                                   type);
  }
}

} // namespace

onnx::ModelProto read_onnx_file(const std::string &path) {
  const SourceLocation file = location_of(path);
  std::error_code error;
  require_regular_file(file);
  if (std::filesystem::file_size(path, error) >
      static_cast<uintmax_t>(std::numeric_limits<int>::max()))
    throw CompileError(file, "an ONNX file of 2 GB or more keeps its weights as external data");
  std::ifstream stream(path, std::ios::binary);
  {
    google::protobuf::io::IstreamInputStream scanned(&stream);
    require_parsable(scanned, file);
  }
  stream.clear();
  stream.seekg(0);
  google::protobuf::io::IstreamInputStream input(&stream);
  return parse_stream(input, file);
}

onnx::ModelProto parse_onnx(const std::string &name, std::string_view bytes) {
  if (bytes.size() > static_cast<size_t>(std::numeric_limits<int>::max()))
    throw CompileError(location_of(name), "an ONNX file has less than 2 GB, got {}", bytes.size());
  const auto size = static_cast<int>(bytes.size());
  google::protobuf::io::ArrayInputStream scanned(bytes.data(), size);
  require_parsable(scanned, location_of(name));
  google::protobuf::io::ArrayInputStream input(bytes.data(), size);
  return parse_stream(input, location_of(name));
}

DataType data_type(int32_t onnx_type) {
  // In the order of TensorProto.DataType.
  constexpr DataType types[] = {DataType::unsupported, DataType::f32, DataType::u8,
                                DataType::i8,          DataType::u16, DataType::i16,
                                DataType::i32,         DataType::i64, DataType::unsupported,
                                DataType::boolean,     DataType::f16, DataType::f64,
                                DataType::u32,         DataType::u64, DataType::unsupported,
                                DataType::unsupported, DataType::bf16};
  const bool known = onnx_type >= 0 && static_cast<size_t>(onnx_type) < std::size(types);
  return known ? types[onnx_type] : DataType::unsupported;
}

namespace {

HostTensor stored_tensor(const onnx::TensorProto &tensor, const SourceLocation &file) {
  const DataType type = data_type(tensor.data_type());
  if (type == DataType::unsupported)
    throw CompileError(file, "tensor '{}' has an element type (number {}) that is not supported",
                       tensor.name(), tensor.data_type());
  Shape shape(tensor.dims().begin(), tensor.dims().end());
  const int64_t count = count_elements(shape);
  if (count < 0 || tensor.has_segment())
    throw CompileError(file, "tensor '{}' has shape {}, beyond what a tensor may have",
                       tensor.name(), str(shape));
  const int64_t bytes = count * byte_size(number_format(type));
  if (tensor.data_location() == onnx::TensorProto::EXTERNAL)
    return from_bytes(std::move(shape), read_external_data(tensor, bytes, file), type);
  if (tensor.has_raw_data()) {
    require_bytes(tensor, file, bytes, static_cast<int64_t>(tensor.raw_data().size()), "bytes");
    return from_bytes(std::move(shape), tensor.raw_data(), type);
  }
  HostTensor result = from_fields(std::move(shape), tensor, type);
  require_bytes(tensor, file, count, result.size(), "elements");
  return result;
}

} // namespace

HostTensor read_tensor(const onnx::TensorProto &tensor, const SourceLocation &file) {
  HostTensor result = stored_tensor(tensor, file);
  for (int64_t &value : result.integers)
    value = stored_integer(value);
  return result;
}

} // namespace sinter

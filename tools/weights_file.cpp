#include "tools/weights_file.h"

#include "ir/diagnostics.h"
#include "tools/npy_array.h"
#include "tools/output_file.h"
#include "tools/zip_archive.h"

#include <charconv>
#include <cstring>
#include <filesystem>
#include <nlohmann/json.hpp>

namespace sinter {

namespace {

uint64_t little_endian_u64(const std::string &bytes) {
  uint64_t value;
  std::memcpy(&value, bytes.data(), sizeof value);
  return value;
}

NamedTensor safetensor(const std::string &path, const std::string &name,
                       const nlohmann::json &entry, const std::string &data) {
  NamedTensor tensor;
  tensor.name = name;
  tensor.shape = entry.at("shape").get<Shape>();
  const auto offsets = entry.at("data_offsets").get<std::vector<uint64_t>>();
  const std::string dtype = entry.at("dtype").get<std::string>();
  const bool wide = dtype == "F64";
  if (dtype != "F32" && !wide)
    throw CompileError({}, "{}: tensor {} is {}, expected F32 or F64", path, name, dtype);
  const std::optional<int64_t> count = checked_element_count(tensor.shape);
  if (!count || offsets.size() != 2 || offsets[0] > offsets[1] || offsets[1] > data.size() ||
      offsets[1] - offsets[0] != static_cast<uint64_t>(*count) * (wide ? 8 : 4))
    throw CompileError({}, "{}: tensor {} does not fit the file", path, name);
  tensor.values = floats_from(data.data() + offsets[0], static_cast<size_t>(*count),
                              wide ? FloatWidth::f64 : FloatWidth::f32);
  return tensor;
}

/// 8 bytes of header length, a JSON header, the data.
std::vector<NamedTensor> read_safetensors(const std::string &path, const std::string &bytes) {
  const uint64_t header = bytes.size() < 8 ? 0 : little_endian_u64(bytes);
  if (bytes.size() < 8 || header > bytes.size() - 8)
    throw CompileError({}, "{} is not a safetensors file: it ends in its header", path);
  std::vector<NamedTensor> tensors;
  try {
    const nlohmann::json entries = nlohmann::json::parse(bytes.substr(8, header));
    const std::string data = bytes.substr(8 + header);
    for (const auto &[name, entry] : entries.items())
      if (name != "__metadata__")
        tensors.push_back(safetensor(path, name, entry, data));
  } catch (const nlohmann::json::exception &error) {
    throw CompileError({}, "{} has a malformed header: {}", path, error.what());
  }
  return tensors;
}

std::vector<NamedTensor> read_npz(const std::string &path, const std::string &bytes) {
  std::vector<NamedTensor> tensors;
  for (const ZipEntry &entry : read_zip(path, bytes)) {
    const std::string suffix = ".npy";
    if (entry.name.size() <= suffix.size() ||
        entry.name.compare(entry.name.size() - suffix.size(), suffix.size(), suffix) != 0)
      continue;
    NpyArray array = read_npy(path + ":" + entry.name, entry.content);
    tensors.push_back({entry.name.substr(0, entry.name.size() - suffix.size()),
                       std::move(array.shape), std::move(array.values)});
  }
  return tensors;
}

} // namespace

std::vector<NamedTensor> read_weights_file(const std::string &path) {
  const std::string extension = std::filesystem::path(path).extension().string();
  if (extension == ".safetensors")
    return read_safetensors(path, read_file(path));
  if (extension == ".npz")
    return read_npz(path, read_file(path));
  throw CompileError({}, "{}: unknown kind of weights file, expected .safetensors or .npz", path);
}

int position_of(const std::string &tensor_name) {
  const std::string prefix = "arr_";
  if (tensor_name.compare(0, prefix.size(), prefix) != 0)
    return -1;
  int position = -1;
  const char *end = tensor_name.data() + tensor_name.size();
  const auto [stop, error] = std::from_chars(tensor_name.data() + prefix.size(), end, position);
  return error == std::errc() && stop == end && position >= 0 ? position : -1;
}

} // namespace sinter

#include "frontend/weights.h"

#include "frontend/weight_file.h"
#include "ir/diagnostics.h"

#include <cstring>
#include <filesystem>
#include <limits>

namespace sinter {

namespace {

template <typename Stored, typename Convert>
std::vector<float> convert(std::string_view bytes, Convert to_float) {
  std::vector<float> values(bytes.size() / sizeof(Stored));
  for (size_t i = 0; i < values.size(); ++i) {
    Stored stored;
    std::memcpy(&stored, bytes.data() + i * sizeof(Stored), sizeof(Stored));
    values[i] = to_float(stored);
  }
  return values;
}

template <typename Stored> std::vector<float> convert(std::string_view bytes) {
  return convert<Stored>(bytes, [](Stored value) { return static_cast<float>(value); });
}

/// IEEE 754 binary16: 1 sign, 5 exponent and 10 fraction bits.
float from_f16(uint16_t half) {
  const uint32_t sign = (half & 0x8000U) << 16U;
  const uint32_t exponent = (half >> 10U) & 0x1FU;
  const uint32_t fraction = half & 0x3FFU;
  if (exponent == 0) { // zero and subnormal numbers: fraction * 2^-24
    const float value = static_cast<float>(fraction) * 0x1p-24F;
    return sign != 0 ? -value : value;
  }
  const uint32_t bits =
      sign | (exponent == 0x1F ? 0x7F800000U : (exponent + 112) << 23U) | fraction << 13U;
  float value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

/// The upper half of a binary32.
float from_bf16(uint16_t half) {
  const uint32_t bits = static_cast<uint32_t>(half) << 16U;
  float value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

/// One spelling of a name: '.' for '/', no ":0" at the end.
std::string normalized(std::string name) {
  if (name.size() > 2 && name.compare(name.size() - 2, 2, ":0") == 0)
    name.resize(name.size() - 2);
  for (char &c : name)
    c = c == '/' ? '.' : c;
  return name;
}

/// The model's parameters in the order in which Keras lists a model's weights.
std::vector<const ParameterAttrs *> parameters_in_order(const Model &model) {
  std::vector<const ParameterAttrs *> result;
  const auto add = [&](NodeId id) {
    const auto *parameter = &attrs<ParameterAttrs>(model.graph[id]);
    for (const ParameterAttrs *other : result)
      if (other == parameter)
        return;
    if (parameter->role != "optimizer")
      result.push_back(parameter);
  };
  for (const LayerRecord &layer : model.layers)
    for (const NodeId id : layer.parameters)
      add(id);
  for (const NodeId id : model.graph.all(OpKind::parameter))
    add(id);
  return result;
}

using ArrayIndex = std::map<std::string, NamedArray *>;

/// arr_0, arr_1, ... stand for the parameters in order, when no other name does.
bool are_unnamed(const std::vector<NamedArray> &arrays) {
  for (const NamedArray &array : arrays)
    if (array.name.rfind("arr_", 0) != 0)
      return false;
  return !arrays.empty();
}

ArrayIndex index_arrays(std::vector<NamedArray> &arrays,
                        const std::vector<const ParameterAttrs *> &parameters) {
  ArrayIndex index;
  for (NamedArray &array : arrays)
    index[normalized(array.name)] = &array;
  if (!are_unnamed(arrays))
    return index;
  ArrayIndex by_order;
  for (size_t i = 0; i < parameters.size(); ++i) {
    const auto found = index.find(fmt::format("arr_{}", i));
    if (found != index.end())
      by_order[normalized(parameters[i]->name)] = found->second;
  }
  return by_order;
}

} // namespace

int64_t byte_size(NumberFormat format) {
  static constexpr int64_t kSizes[] = {2, 2, 4, 8, 1, 1, 2, 2, 4, 4, 8, 8};
  return kSizes[static_cast<size_t>(format)];
}

std::vector<float> to_floats(std::string_view bytes, NumberFormat format) {
  switch (format) {
  case NumberFormat::f16:
    return convert<uint16_t>(bytes, from_f16);
  case NumberFormat::bf16:
    return convert<uint16_t>(bytes, from_bf16);
  case NumberFormat::f32:
    return convert<float>(bytes);
  case NumberFormat::f64:
    return convert<double>(bytes);
  case NumberFormat::i8:
    return convert<int8_t>(bytes);
  case NumberFormat::u8:
    return convert<uint8_t>(bytes);
  case NumberFormat::i16:
    return convert<int16_t>(bytes);
  case NumberFormat::u16:
    return convert<uint16_t>(bytes);
  case NumberFormat::i32:
    return convert<int32_t>(bytes);
  case NumberFormat::u32:
    return convert<uint32_t>(bytes);
  case NumberFormat::i64:
    return convert<int64_t>(bytes);
  case NumberFormat::u64:
    return convert<uint64_t>(bytes);
  }
  SINTER_UNREACHABLE("number format {}", static_cast<int>(format));
}

std::optional<int64_t> extent_product(const Shape &shape) {
  int64_t count = 1;
  for (const int64_t extent : shape)
    if (extent < 0 || __builtin_mul_overflow(count, extent, &count) || count > kMaxElements)
      return std::nullopt;
  return count;
}

std::map<std::string, WeightArray> load_weights(const std::string &path, const Model &model) {
  const SourceLocation file{std::make_shared<const std::string>(path), 0, 0};
  const std::string extension = std::filesystem::path(path).extension().string();
  std::error_code error;
  if (!std::filesystem::exists(path, error))
    throw CompileError(file, "no such file");
  if (!std::filesystem::is_regular_file(path, error))
    throw CompileError(file, "this is no file of weights");
  if (extension != ".npz" && extension != ".safetensors")
    throw CompileError(file, "unknown kind of weights '{}': .npz and .safetensors are supported",
                       extension);
  std::vector<NamedArray> arrays = extension == ".npz" ? read_npz(file) : read_safetensors(file);
  const std::vector<const ParameterAttrs *> parameters = parameters_in_order(model);
  if (are_unnamed(arrays) && arrays.size() != parameters.size())
    throw CompileError(file, "{} arrays without names, but the model has {} parameters",
                       arrays.size(), parameters.size());
  const ArrayIndex index = index_arrays(arrays, parameters);
  std::map<std::string, WeightArray> weights;
  std::string problems;
  const auto report = [&](const std::string &problem) {
    problems += (problems.empty() ? "" : "; ") + problem;
  };
  for (const ParameterAttrs *parameter : parameters) {
    const auto found = index.find(normalized(parameter->name));
    if (found == index.end())
      report(fmt::format("no array for {} {}", parameter->name, str(parameter->type.shape)));
    else if (!found->second->problem.empty())
      report(fmt::format("{}: {}", found->second->name, found->second->problem));
    else if (found->second->array.shape != parameter->type.shape)
      report(fmt::format("{} has shape {}, the model needs {}", found->second->name,
                         str(found->second->array.shape), str(parameter->type.shape)));
    else
      weights[parameter->name] = found->second->array;
  }
  if (!problems.empty())
    throw CompileError(file, problems);
  return weights;
}

} // namespace sinter

#include "frontend/onnx/host_tensor.h"

#include "ir/diagnostics.h"
#include "ir/strided_view.h"

#include <algorithm>

namespace sinter {

const char *name(DataType type) {
  constexpr const char *names[] = {"float",  "float16", "bfloat16", "double",     "int8",
                                   "int16",  "int32",   "int64",    "uint8",      "uint16",
                                   "uint32", "uint64",  "bool",     "unsupported"};
  return names[static_cast<size_t>(type)];
}

bool is_float(DataType type) {
  return type == DataType::f32 || type == DataType::f16 || type == DataType::bf16 ||
         type == DataType::f64;
}

ElementType graph_element(DataType type) {
  if (is_float(type))
    return ElementType::f32;
  return type == DataType::boolean || type == DataType::u8 ? ElementType::u8 : ElementType::i32;
}

HostTensor HostTensor::of_floats(Shape shape, std::vector<float> values, DataType type) {
  HostTensor tensor;
  tensor.type = type;
  tensor.shape = std::move(shape);
  tensor.floats = std::make_shared<const std::vector<float>>(std::move(values));
  return tensor;
}

HostTensor HostTensor::of_integers(Shape shape, std::vector<int64_t> values, DataType type) {
  HostTensor tensor;
  tensor.type = type;
  tensor.shape = std::move(shape);
  tensor.integers = std::move(values);
  return tensor;
}

HostTensor HostTensor::vector(std::vector<int64_t> values) {
  const auto extent = static_cast<int64_t>(values.size());
  return of_integers({extent}, std::move(values));
}

int64_t HostTensor::size() const {
  return static_cast<int64_t>(holds_floats() ? floats->size() : integers.size());
}

double HostTensor::number(int64_t i) const {
  const auto index = static_cast<size_t>(i);
  return holds_floats() ? static_cast<double>((*floats)[index])
                        : static_cast<double>(integers[index]);
}

std::optional<int64_t> to_integer(double x) {
  constexpr double kBeyond = 0x1p63;
  return x >= -kBeyond && x < kBeyond ? std::optional(static_cast<int64_t>(x)) : std::nullopt;
}

int64_t count_elements(const Shape &shape) {
  constexpr size_t kMaxRank = 64;
  if (shape.size() > kMaxRank)
    return -1;
  const bool empty = std::count(shape.begin(), shape.end(), 0) > 0;
  int64_t count = 1;
  for (int64_t extent : shape) {
    if (extent < 0 || (extent > 0 && extent > kMaxElements / count))
      return -1;
    count *= std::max<int64_t>(extent, 1);
  }
  return empty ? 0 : count;
}

bool can_fold(const Shape &shape) {
  const int64_t count = count_elements(shape);
  return count >= 0 && count <= kMaxFoldedElements;
}

HostTensor strided_copy(const HostTensor &x, Shape shape, const std::vector<int64_t> &strides,
                        int64_t offset) {
  HostTensor result;
  result.type = x.type;
  if (x.holds_floats())
    result.floats =
        std::make_shared<const std::vector<float>>(strided_view(*x.floats, shape, strides, offset));
  else
    result.integers = strided_view(x.integers, shape, strides, offset);
  result.shape = std::move(shape);
  return result;
}

HostTensor transposed(const HostTensor &x, const Permutation &permutation) {
  return strided_copy(x, permuted(x.shape, permutation),
                      permuted(row_major_strides(x.shape), permutation));
}

HostTensor broadcast_to(const HostTensor &x, const Shape &shape) {
  if (x.shape == shape)
    return x;
  const std::vector<int64_t> own = row_major_strides(x.shape);
  const size_t missing = shape.size() - x.shape.size();
  std::vector<int64_t> strides(shape.size(), 0);
  for (size_t i = 0; i < x.shape.size(); ++i)
    strides[missing + i] = x.shape[i] == 1 ? 0 : own[i];
  return strided_copy(x, shape, strides);
}

HostTensor select_elements(const HostTensor &x, Shape shape, const std::vector<int64_t> &indices) {
  HostTensor result;
  result.type = x.type;
  result.shape = std::move(shape);
  if (x.holds_floats()) {
    std::vector<float> values;
    values.reserve(indices.size());
    for (int64_t index : indices)
      values.push_back((*x.floats)[static_cast<size_t>(index)]);
    result.floats = std::make_shared<const std::vector<float>>(std::move(values));
    return result;
  }
  result.integers.reserve(indices.size());
  for (int64_t index : indices)
    result.integers.push_back(x.integers[static_cast<size_t>(index)]);
  return result;
}

HostTensor reshaped(HostTensor x, Shape shape) {
  x.shape = std::move(shape);
  return x;
}

} // namespace sinter

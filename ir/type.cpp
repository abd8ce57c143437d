#include "ir/type.h"

#include "ir/diagnostics.h"

#include <algorithm>
#include <fmt/format.h>

namespace sinter {

const char *name(ElementType element) {
  switch (element) {
  case ElementType::f32:
    return "f32";
  case ElementType::i32:
    return "i32";
  case ElementType::u8:
    return "u8";
  }
  SINTER_UNREACHABLE("element type {}", static_cast<int>(element));
}

std::optional<ElementType> parse_element_type(const std::string &text) {
  for (ElementType element : {ElementType::f32, ElementType::i32, ElementType::u8})
    if (text == name(element))
      return element;
  return std::nullopt;
}

int64_t byte_size(ElementType element) { return element == ElementType::u8 ? 1 : 4; }

std::string str(const Shape &shape) {
  std::string text = "[";
  for (size_t i = 0; i < shape.size(); ++i) {
    if (i > 0)
      text += ',';
    text += shape[i] == kBatch ? "N" : std::to_string(shape[i]);
  }
  return text + "]";
}

std::optional<int64_t> checked_element_count(const Shape &shape) {
  int64_t count = 1;
  for (size_t i = 0; i < shape.size(); ++i) {
    if (i == 0 && shape[i] == kBatch)
      continue;
    if (shape[i] <= 0 || shape[i] > kMaxElements / count)
      return std::nullopt;
    count *= shape[i];
  }
  return count;
}

int64_t TensorType::elements() const {
  const std::optional<int64_t> count = checked_element_count(shape);
  SINTER_ASSERT(count.has_value(), "unchecked shape {}", sinter::str(shape));
  return *count;
}

Shape TensorType::storage_shape() const {
  if (!blocked())
    return shape;
  Shape stored{(shape.back() + block - 1) / block};
  stored.insert(stored.end(), shape.begin(), shape.end() - 1);
  stored.push_back(block);
  return stored;
}

int64_t TensorType::storage_elements() const {
  int64_t count = 1;
  for (int64_t extent : storage_shape())
    count *= extent == kBatch ? 1 : extent;
  return count;
}

int64_t TensorType::storage_bytes() const { return storage_elements() * byte_size(element); }

std::string TensorType::str() const {
  std::string text = name(element) + sinter::str(shape);
  if (blocked())
    text.insert(text.size() - 1, fmt::format("; block={}", block));
  return text;
}

std::optional<Shape> broadcast_shapes(const Shape &a, const Shape &b) {
  const Shape &longer = a.size() >= b.size() ? a : b;
  const Shape &shorter = a.size() >= b.size() ? b : a;
  Shape result = longer;
  const size_t offset = longer.size() - shorter.size();
  for (size_t i = 0; i < shorter.size(); ++i) {
    int64_t &extent = result[offset + i];
    if (extent == shorter[i] || shorter[i] == 1)
      continue;
    if (extent != 1)
      return std::nullopt;
    extent = shorter[i];
  }
  return result;
}

} // namespace sinter

// A tensor whose values the compiler knows: an initialiser, a Constant, or shape arithmetic on its
// way to being folded away.
#pragma once

#include "ir/permutation.h"
#include "ir/type.h"

#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace sinter {

/// ONNX's element types, by what Sinter does with them: floats of every width become f32, integers
/// are held in 64 bits, and a graph computes with i32 or u8.
enum class DataType {
  f32,
  f16,
  bf16,
  f64,
  i8,
  i16,
  i32,
  i64,
  u8,
  u16,
  u32,
  u64,
  boolean,
  unsupported // strings, complex numbers, 8-bit floats
};

const char *name(DataType);
bool is_float(DataType);
inline bool is_integer(DataType type) { return !is_float(type) && type != DataType::boolean; }
/// What a graph computes with: f32, u8 (u8 and booleans) or i32.
ElementType graph_element(DataType);

/// Stands in folded shapes for the batch, which only the running program knows. Folding moves it
/// but computes with it only where the batch does not matter (x * 1).
constexpr int64_t kSymbolicBatch = std::numeric_limits<int64_t>::min();
/// A number of the file, which never means the batch: as the end of a slice the two are the same.
constexpr int64_t stored_integer(int64_t value) {
  return value == kSymbolicBatch ? value + 1 : value;
}
/// Integers of graph constants are stored as floats, which are exact this far.
constexpr int64_t kMaxExactInteger = int64_t{1} << 24;
/// The number towards zero; nothing where 64 bits do not hold it.
std::optional<int64_t> to_integer(double);

/// Row-major. Floats are shared, because weights are large and values are passed around; the other
/// types lie in `integers`. An extent may be 0, as in ONNX.
struct HostTensor {
  DataType type = DataType::f32;
  Shape shape;
  std::shared_ptr<const std::vector<float>> floats;
  std::vector<int64_t> integers;

  static HostTensor of_floats(Shape shape, std::vector<float> values,
                              DataType type = DataType::f32);
  static HostTensor of_integers(Shape shape, std::vector<int64_t> values,
                                DataType type = DataType::i64);
  /// A vector of i64.
  static HostTensor vector(std::vector<int64_t> values);

  bool holds_floats() const { return is_float(type); }
  int rank() const { return static_cast<int>(shape.size()); }
  int64_t size() const;
  /// Element i as a double, whatever the type.
  double number(int64_t i) const;
};

/// The most elements that folding makes of anything.
constexpr int64_t kMaxFoldedElements = int64_t{1} << 24;

/// The product of the extents, 0 allowed, or -1 beyond kMaxElements, with a negative extent or with
/// more than 64 extents.
int64_t count_elements(const Shape &);
/// Whether folding may make a tensor of that shape.
bool can_fold(const Shape &);

/// strided_view of a tensor, which may have no elements.
HostTensor strided_copy(const HostTensor &x, Shape shape, const std::vector<int64_t> &strides,
                        int64_t offset = 0);
/// Result dimension i is x's dimension permutation[i].
HostTensor transposed(const HostTensor &x, const Permutation &permutation);
/// `x` repeated to `shape` as NumPy broadcasting does; it must fit.
HostTensor broadcast_to(const HostTensor &x, const Shape &shape);
/// The elements of `x` at the given linear indices, under another shape.
HostTensor select_elements(const HostTensor &x, Shape shape, const std::vector<int64_t> &indices);
/// The same elements under another shape.
HostTensor reshaped(HostTensor x, Shape shape);

} // namespace sinter

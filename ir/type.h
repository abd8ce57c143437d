// The type of a value: element type, logical shape and storage layout.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace sinter {

enum class ElementType { f32, i32, u8 };

/// "f32", "i32", "u8".
const char *name(ElementType);
std::optional<ElementType> parse_element_type(const std::string &);
int64_t byte_size(ElementType);

/// The run-time batch extent. Only dimension 0 may have it; printed as `N`.
constexpr int64_t kBatch = -1;

/// Extents in logical order (images are NHWC, filters HWIO, dense weights (in, out)), outermost
/// first. Every extent but the batch is static and positive; a scalar has no dimensions.
using Shape = std::vector<int64_t>;

/// "[N,28,28,1]"
std::string str(const Shape &);

/// A value type. Storage is row-major, except that `block` > 0 splits the last dimension into
/// blocks moved outermost: logical [h,w,i,o] is stored as [ceil(o/block)][h][w][i][block], the
/// lanes beyond `o` always zero. Only parameters and what shares their layout (gradients,
/// optimizer state) are blocked.
struct TensorType {
  ElementType element = ElementType::f32;
  Shape shape;
  int64_t block = 0;

  int rank() const { return static_cast<int>(shape.size()); }
  bool batched() const { return !shape.empty() && shape[0] == kBatch; }
  bool blocked() const { return block > 0; }

  /// Logical elements, per sample for a batched type. Never overflows: shapes are checked when a
  /// node is appended (checked_element_count).
  int64_t elements() const;
  /// Extents as stored, outermost first (five of them for a blocked filter).
  Shape storage_shape() const;
  int64_t storage_elements() const; // per sample for a batched type
  int64_t storage_bytes() const;    // per sample for a batched type

  /// "f32[3,3,1,32; block=32]"
  std::string str() const;

  friend bool operator==(const TensorType &a, const TensorType &b) {
    return a.element == b.element && a.shape == b.shape && a.block == b.block;
  }
  friend bool operator!=(const TensorType &a, const TensorType &b) { return !(a == b); }
};

/// Largest number of elements of one tensor (per sample): Halide indexes with int32.
constexpr int64_t kMaxElements = (int64_t{1} << 31) - 1;

/// The product of the extents (batch counts as 1), or nothing when it exceeds kMaxElements or
/// an extent is not positive.
std::optional<int64_t> checked_element_count(const Shape &);

/// How NumPy broadcasting combines two shapes, or nothing when they do not fit.
std::optional<Shape> broadcast_shapes(const Shape &, const Shape &);

} // namespace sinter

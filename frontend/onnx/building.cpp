#include "frontend/onnx/building.h"

#include <algorithm>

namespace sinter {

NodeId broadcast_node(OperatorContext &c, NodeId x, const Shape &shape) {
  Composer composer = c.composer();
  return compose::expand(composer, x, shape);
}

Shape common_shape(const OperatorContext &c, const std::vector<Shape> &shapes) {
  Shape result;
  for (const Shape &shape : shapes) {
    const std::optional<Shape> both = broadcast_shapes(result, shape);
    c.require(both.has_value(), "operands of shapes {} and {} do not broadcast", str(result),
              str(shape));
    result = *both;
  }
  return result;
}

NodeId slice_axis(OperatorContext &c, NodeId x, int64_t axis, int64_t begin, int64_t count) {
  SliceAttrs attributes{std::vector<int64_t>(c.shape_of(x).size(), 0), c.shape_of(x), {}};
  const auto along = static_cast<size_t>(axis);
  if (begin == 0 && count == attributes.end[along])
    return x;
  attributes.begin[along] = begin;
  attributes.end[along] = begin + count;
  return c.append(OpKind::slice, {x}, attributes);
}

NodeId select_axis(OperatorContext &c, NodeId x, int64_t axis,
                   const std::vector<int64_t> &positions) {
  return c.append(OpKind::resample, {x}, ResampleAttrs{axis, /*taps=*/1, positions, {}});
}

NodeId concat_nodes(OperatorContext &c, std::vector<NodeId> parts, int64_t axis) {
  return parts.size() == 1 ? parts[0] : c.append(OpKind::concat, std::move(parts), AxisAttrs{axis});
}

std::vector<int64_t> axis_to_end(int64_t axis, int rank) {
  Permutation permutation = identity_order(rank);
  std::swap(permutation[static_cast<size_t>(axis)], permutation.back());
  return permutation;
}

int64_t extent_product_between(const Shape &shape, size_t begin, size_t end) {
  int64_t product = 1;
  for (size_t i = begin; i < end; ++i)
    product *= shape[i];
  return product;
}

} // namespace sinter

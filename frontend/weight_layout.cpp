#include "frontend/weight_layout.h"

#include "ir/op.h"
#include "ir/strided_view.h"

#include <numeric>

namespace sinter {

namespace {

/// Dimension d of the result is dimension order[d] of the array.
void permute(WeightArray &array, const Permutation &order) {
  array.values = transposed(array.values, array.shape, order);
  array.shape = permuted(array.shape, order);
}

/// The permutation that leads from the other layout to ours.
Permutation filter_order(size_t rank, WeightLayout from) {
  if (rank == 2)
    return from == WeightLayout::torch ? Permutation{1, 0} : Permutation{0, 1};
  Permutation order(rank - 2); // [out, in, spatial...] to [spatial..., in, out]
  std::iota(order.begin(), order.end(), 2);
  order.insert(order.end(), {1, 0});
  return order;
}

bool permutes_to(const Shape &from, const Permutation &order, const Shape &to) {
  return from.size() == order.size() && permuted(from, order) == to;
}

/// Filters of a depthwise convolution: [channels * multiplier, 1, h, w] for our
/// [h, w, channels, multiplier].
bool convert_depthwise(WeightArray &array, const Shape &wanted) {
  if (array.shape.size() != 4 || wanted.size() != 4 || array.shape[1] != 1 ||
      array.shape[0] != wanted[2] * wanted[3])
    return false;
  WeightArray split{{wanted[2], wanted[3], array.shape[2], array.shape[3]}, array.values};
  const Permutation order{2, 3, 0, 1};
  if (!permutes_to(split.shape, order, wanted))
    return false;
  permute(split, order);
  array = std::move(split);
  return true;
}

/// Rows that follow channels x h x w into the order h x w x channels.
void reorder_rows(WeightArray &array, const Shape &image) {
  const int64_t columns = array.shape[1];
  const Shape shape = array.shape;
  array.shape = {image[2], image[0], image[1], columns};
  permute(array, {1, 2, 0, 3});
  array.shape = shape;
}

Shape without_ones(const Shape &shape) {
  Shape result;
  for (const int64_t extent : shape)
    if (extent != 1)
      result.push_back(extent);
  return result;
}

/// Follows a value back through what keeps its elements in their places to the image that was
/// flattened; empty when there is none.
Shape flattened_image(const Graph &graph, NodeId value) {
  for (;;) {
    const Node &node = graph[value];
    if (node.inputs.empty())
      return {};
    const Node &operand = graph[node.inputs[0]];
    const Shape &before = graph.type(node.inputs[0]).shape;
    if (node.kind == OpKind::reshape && before.size() == 4) {
      // What was turned to channels x h x w before it is flattened is in the others' order already.
      const auto *turned = std::get_if<TransposeAttrs>(&operand.attrs);
      const bool theirs = turned && turned->permutation == channels_first_order(4);
      return theirs ? Shape{} : Shape(before.begin() + 1, before.end());
    }
    if (before != graph.type(value).shape || node.kind == OpKind::transpose)
      return {};
    value = node.inputs[0];
  }
}

} // namespace

std::map<std::string, Shape> flattened_inputs(const Graph &graph) {
  std::map<std::string, Shape> images;
  for (const NodeId id : graph.all(OpKind::matmul)) {
    const Node &kernel = graph[graph[id].inputs[1]];
    if (kernel.kind != OpKind::parameter)
      continue;
    const Shape image = flattened_image(graph, graph[id].inputs[0]);
    if (!image.empty())
      images[attrs<ParameterAttrs>(kernel).name] = image;
  }
  return images;
}

bool convert_layout(WeightArray &array, const ParameterAttrs &parameter, WeightLayout from,
                    const Shape &flattened) {
  const Shape &wanted = parameter.type.shape;
  if (wanted.size() >= 2 && from != WeightLayout::native) {
    const Permutation order = filter_order(wanted.size(), from);
    if (permutes_to(array.shape, order, wanted))
      permute(array, order);
    else if (!convert_depthwise(array, wanted))
      return false;
    if (wanted.size() == 2 && flattened.size() == 3)
      reorder_rows(array, flattened);
    return true;
  }
  if (without_ones(array.shape) != without_ones(wanted))
    return false;
  array.shape = wanted;
  return true;
}

} // namespace sinter

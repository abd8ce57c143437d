#include "frontend/layer_table.h"

#include <algorithm>

namespace sinter {

namespace {

NodeId apply_flatten(LayerBuilder &b, const std::vector<NodeId> &inputs) {
  const TensorType type = b.type(inputs[0]);
  return b.append(OpKind::reshape, {inputs[0]}, ReshapeAttrs{{kBatch, type.elements()}});
}

/// The target shape with its one -1 worked out.
NodeId apply_reshape(LayerBuilder &b, const std::vector<NodeId> &inputs) {
  const Value &target = b.arguments()["target_shape"];
  const std::vector<Value> *items = sequence_items(target);
  const std::vector<Value> dims = items ? *items : std::vector<Value>{target};
  const int64_t total = b.type(inputs[0]).elements();
  Shape shape{kBatch};
  int64_t product = 1;
  int inferred = 0;
  for (const Value &dim : dims) {
    const auto *extent = std::get_if<int64_t>(&dim);
    if (!extent || *extent == 0 || *extent < -1)
      b.fail("needs a target_shape of positive extents, with at most one -1, got {}",
             describe(target));
    inferred += *extent == -1 ? 1 : 0;
    shape.push_back(*extent);
    if (*extent > 0 && (__builtin_mul_overflow(product, *extent, &product) || product > total))
      product = total + 1;
  }
  if (inferred > 1 || total % product != 0 || (inferred == 0 && product != total))
    b.fail("cannot reshape {} values to {}", total, describe(target));
  std::replace(shape.begin() + 1, shape.end(), int64_t{-1}, total / product);
  return b.append(OpKind::reshape, {inputs[0]}, ReshapeAttrs{shape});
}

/// Permute's dimensions count from 1: the batch stays.
NodeId apply_permute(LayerBuilder &b, const std::vector<NodeId> &inputs) {
  const Value &dims = b.arguments()["dims"];
  const std::vector<Value> *items = sequence_items(dims);
  const auto rank = static_cast<size_t>(b.type(inputs[0]).rank());
  std::vector<int64_t> permutation{0};
  for (const Value &dim : items ? *items : std::vector<Value>{}) {
    const auto *axis = std::get_if<int64_t>(&dim);
    const bool fits = axis && *axis >= 1 && *axis < static_cast<int64_t>(rank);
    if (fits && std::count(permutation.begin(), permutation.end(), *axis) == 0)
      permutation.push_back(*axis);
  }
  if (permutation.size() != rank || !items || items->size() + 1 != rank)
    b.fail("needs dims that permute 1 to {}, got {}", rank - 1, describe(dims));
  return b.append(OpKind::transpose, {inputs[0]}, TransposeAttrs{permutation});
}

} // namespace

std::vector<LayerType> shape_layers() {
  using Kind = ArgumentKind;
  return {
      {{"keras.layers.Flatten", with_common_arguments({data_format_argument()})}, apply_flatten},
      {{"keras.layers.Reshape", with_common_arguments({required("target_shape", Kind::any)})},
       apply_reshape},
      {{"keras.layers.Permute", with_common_arguments({required("dims", Kind::any)})},
       apply_permute},
  };
}

} // namespace sinter

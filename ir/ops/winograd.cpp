// Convolution with a 3x3 filter by Winograd's minimal filtering. The filter's transform is a node
// of its own: it depends on a parameter alone, so it is computed once for many inferences.

#include "ir/ops/compute.h"
#include "ir/ops/rules.h"
#include "ir/ops/winograd_matrices.h"

namespace sinter {

namespace {

void require_tile(const TypeContext &context, int64_t tile) {
  require(context, tile == 2 || tile == 4, "expects a tile of 2 or 4, got {}", tile);
}

TensorType winograd_filter_type(const TypeContext &context) {
  const auto &attrs = context.attrs<WinogradFilterAttrs>();
  require_tile(context, attrs.tile);
  require(context, attrs.block >= 0, "has storage block {}", attrs.block);
  require_element(context, 0, ElementType::f32);
  require_rank(context, 0, 4, "a filter");
  const Shape &filter = context.operand(0).shape;
  require(context, filter[0] == kWinogradTaps && filter[1] == kWinogradTaps,
          "expects a 3x3 filter, got {}x{}", filter[0], filter[1]);
  const int64_t points = attrs.tile + kWinogradTaps - 1;
  const size_t from = attrs.turned ? 3 : 2, to = attrs.turned ? 2 : 3;
  return {ElementType::f32, {points, points, filter[from], filter[to]}, attrs.block};
}

/// The extents of a result of a 3x3 convolution of stride 1 of x.
Shape result_shape(const TypeContext &context, const WinogradAttrs &attrs, const Shape &x,
                   int64_t filters) {
  for (int64_t padding : attrs.padding)
    require(context, padding >= 0 && padding < kWinogradTaps, "expects padding of 0 to 2, got {}",
            padding);
  const int64_t height = x[1] + attrs.padding[0] + attrs.padding[2];
  const int64_t width = x[2] + attrs.padding[1] + attrs.padding[3];
  require(context, height >= kWinogradTaps && width >= kWinogradTaps,
          "window 3x3 does not fit input {}x{}", height, width);
  return {x[0], height - kWinogradTaps + 1, width - kWinogradTaps + 1, filters};
}

TensorType winograd_conv2d_type(const TypeContext &context) {
  const auto &attrs = context.attrs<WinogradAttrs>();
  require_tile(context, attrs.tile);
  require_plain_f32(context, 0);
  require_rank(context, 0, 4, "an input");
  require_element(context, 1, ElementType::f32);
  require_rank(context, 1, 4, "a transformed filter");
  const Shape &x = context.operand(0).shape;
  const Shape &filter = context.operand(1).shape;
  const int64_t points = attrs.tile + kWinogradTaps - 1;
  require(context, filter[0] == points && filter[1] == points,
          "expects a filter of {0}x{0} points, got {1}x{2}", points, filter[0], filter[1]);
  require(context, filter[2] == x[3], "expects {} input channels, got {}", filter[2], x[3]);
  return {ElementType::f32, result_shape(context, attrs, x, filter[3]), 0};
}

TensorType winograd_filter_gradient_type(const TypeContext &context) {
  const auto &attrs = context.attrs<WinogradGradientAttrs>();
  require_tile(context, attrs.tile);
  require(context, attrs.block >= 0, "has storage block {}", attrs.block);
  for (size_t operand : {0, 1}) {
    require_plain_f32(context, operand);
    require_rank(context, operand, 4, operand == 0 ? "an input" : "dy");
  }
  const Shape &x = context.operand(0).shape;
  const Shape &dy = context.operand(1).shape;
  const Shape expected = result_shape(context, attrs, x, dy[3]);
  require(context, dy == expected, "expects dy of shape {}, got {}", str(expected), str(dy));
  return {ElementType::f32, {kWinogradTaps, kWinogradTaps, x[3], dy[3]}, attrs.block};
}

/// What the convolution computes, not how: a direct convolution's multiply-adds.
Cost winograd_conv2d_cost(const Graph &graph, const Node &node) {
  const int64_t channels = graph.type(node.inputs[0]).shape[3];
  return cost_per_element(node.type,
                          2.0 * kWinogradTaps * kWinogradTaps * static_cast<double>(channels));
}

Cost winograd_filter_gradient_cost(const Graph &graph, const Node &node) {
  const int64_t channels = node.type.shape[2];
  return cost_per_element(graph.type(node.inputs[1]),
                          2.0 * kWinogradTaps * kWinogradTaps * static_cast<double>(channels));
}

} // namespace

const OpDef ops::winograd_filter = {
    "G w G^T for each 3x3 filter w: what winograd_conv2d multiplies by",
    R"(%0 = parameter {name="kernel", initializer="uniform", a=-0.5, b=0.5, type=f32[3,3,2,5]} : f32[3,3,2,5]
%1 = winograd_filter %0 {block=4} : f32[6,6,2,5; block=4])",
    /*min_inputs=*/1,
    /*max_inputs=*/1,
    {OpClass::contraction},
    winograd_filter_type,
    /*gradient=*/nullptr,
    compute_winograd_filter,
    result_cost<2 * kWinogradTaps * kWinogradTaps>,
};

const OpDef ops::winograd_conv2d = {
    "conv2d of stride 1 with a transformed 3x3 filter",
    R"(%0 = input {name="x", type=f32[N,7,6,3]} : f32[N,7,6,3]
%1 = parameter {name="kernel", initializer="uniform", a=-0.5, b=0.5, type=f32[4,4,3,5]} : f32[4,4,3,5]
%2 = winograd_conv2d %0, %1 {tile=2, padding=[1,0,1,1]} : f32[N,7,5,5])",
    /*min_inputs=*/2,
    /*max_inputs=*/2,
    {OpClass::contraction},
    winograd_conv2d_type,
    /*gradient=*/nullptr,
    compute_winograd_conv2d,
    winograd_conv2d_cost,
};

const OpDef ops::winograd_filter_gradient = {
    "gradient of a 3x3 conv2d of stride 1 with respect to its filter, from the input and dy",
    R"(%0 = input {name="x", type=f32[N,7,6,3]} : f32[N,7,6,3]
%1 = input {name="dy", type=f32[N,7,5,5]} : f32[N,7,5,5]
%2 = winograd_filter_gradient %0, %1 {tile=2, padding=[1,0,1,1], block=4} : f32[3,3,3,5; block=4])",
    /*min_inputs=*/2,
    /*max_inputs=*/2,
    {OpClass::contraction},
    winograd_filter_gradient_type,
    /*gradient=*/nullptr,
    compute_winograd_filter_gradient,
    winograd_filter_gradient_cost,
};

} // namespace sinter

// Convolutions and matrix products of operands rounded to bf16, the upper half of a float (to
// nearest, ties to even); products and sums are float32. Values stay f32 outside: the first operand
// is rounded on the way, the second one is a node of its own, as it depends on a parameter alone.
// An i32 of it holds two numbers of neighbouring channels, the first one in its lower half.
// Gradients by filters round both operands on the way.

#include "ir/ops/bf16.h"

#include "ir/ops/compute.h"
#include "ir/ops/convolution_rules.h"
#include "ir/ops/rules.h"

#include <utility>

namespace sinter {

namespace {

TensorType bf16_filter_type(const TypeContext &context) {
  require_element(context, 0, ElementType::f32);
  Shape shape = context.operand(0).shape;
  require(context, (shape.size() == 2 || shape.size() == 4) && !context.operand(0).batched(),
          "expects a filter or a matrix, got {}", context.operand(0).str());
  if (context.attrs<Bf16FilterAttrs>().turned)
    std::swap(shape[shape.size() - 2], shape.back());
  int64_t &channels = shape[shape.size() - 2];
  channels = bf16_channels(channels) / 2;
  return {ElementType::i32, shape, kBf16Panel};
}

/// Operand 1 holds pairs of so many channels.
void require_pairs(const TypeContext &context, int rank, int64_t channels) {
  require_element(context, 1, ElementType::i32);
  require_rank(context, 1, rank, "pairs of bf16");
  const TensorType &filter = context.operand(1);
  require(context, filter.block == kBf16Panel, "expects pairs in blocks of {}, got {}", kBf16Panel,
          filter.str());
  const int64_t pairs = filter.shape[static_cast<size_t>(rank - 2)];
  require(context, pairs == bf16_channels(channels) / 2, "expects {} pairs of {} channels, got {}",
          bf16_channels(channels) / 2, channels, pairs);
}

TensorType bf16_conv2d_type(const TypeContext &context) {
  const auto &attrs = context.attrs<Conv2dAttrs>();
  require_conv2d_attrs(context, attrs);
  require(context, attrs.groups == 1, "expects 1 group, got {}", attrs.groups);
  require_plain_f32(context, 0);
  require_rank(context, 0, 4, "an input");
  const Shape &x = context.operand(0).shape;
  require_pairs(context, 4, x[3]);
  Shape filter = context.operand(1).shape;
  filter[2] = x[3];
  return {ElementType::f32, conv2d_shape(context, attrs, x, filter), 0};
}

TensorType bf16_matmul_type(const TypeContext &context) {
  require_plain_f32(context, 0);
  require_rank(context, 0, 2, "matrices");
  const Shape &x = context.operand(0).shape;
  require(context, x[1] != kBatch, "expects the batch in front, got {}", str(x));
  require_pairs(context, 2, x[1]);
  return {ElementType::f32, {x[0], context.operand(1).shape[1]}, 0};
}

void require_storage_block(const TypeContext &context, int64_t block) {
  require(context, block >= 0, "has storage block {}", block);
}

TensorType bf16_filter_gradient_type(const TypeContext &context) {
  const auto &attrs = context.attrs<Conv2dGradientAttrs>();
  require_conv2d_attrs(context, attrs);
  require(context, attrs.groups == 1, "expects 1 group, got {}", attrs.groups);
  require_storage_block(context, attrs.block);
  for (const size_t operand : {0, 1}) {
    require_plain_f32(context, operand);
    require_rank(context, operand, 4, operand == 0 ? "an input" : "dy");
  }
  const Shape &x = context.operand(0).shape;
  const Shape &dy = context.operand(1).shape;
  const Shape filter{attrs.size[0], attrs.size[1], x[3], dy[3]};
  require_countable(context, filter, "filter shape");
  const Shape expected = conv2d_shape(context, attrs, x, filter);
  require(context, dy == expected, "expects dy of shape {}, got {}", str(expected), str(dy));
  return {ElementType::f32, filter, attrs.block};
}

TensorType bf16_matmul_gradient_type(const TypeContext &context) {
  const int64_t block = context.attrs<Bf16MatmulGradientAttrs>().block;
  require_storage_block(context, block);
  for (const size_t operand : {0, 1}) {
    require_plain_f32(context, operand);
    require_rank(context, operand, 2, "matrices");
  }
  const Shape &x = context.operand(0).shape;
  const Shape &dy = context.operand(1).shape;
  require(context, x[0] == dy[0] && x[1] != kBatch && dy[1] != kBatch,
          "expects as many rows, got {} and {}", str(x), str(dy));
  return {ElementType::f32, {x[1], dy[1]}, block};
}

/// What it computes, not how: without the channels that fill up a panel.
Cost bf16_conv2d_cost(const Graph &graph, const Node &node) {
  const Shape &filter = graph.type(node.inputs[1]).shape;
  const int64_t channels = graph.type(node.inputs[0]).shape[3];
  return cost_per_element(node.type, 2.0 * static_cast<double>(filter[0] * filter[1] * channels));
}

Cost bf16_matmul_cost(const Graph &graph, const Node &node) {
  return cost_per_element(node.type,
                          2.0 * static_cast<double>(graph.type(node.inputs[0]).shape[1]));
}

Cost bf16_filter_gradient_cost(const Graph &graph, const Node &node) {
  const Shape &filter = node.type.shape;
  return cost_per_element(graph.type(node.inputs[1]),
                          2.0 * static_cast<double>(filter[0] * filter[1] * filter[2]));
}

Cost bf16_matmul_gradient_cost(const Graph &graph, const Node &node) {
  return cost_per_element(graph.type(node.inputs[1]),
                          2.0 * static_cast<double>(node.type.shape[0]));
}

} // namespace

const OpDef ops::bf16_filter = {
    "a filter or matrix rounded to bf16, in pairs: what bf16_conv2d and bf16_matmul multiply by",
    R"(%0 = parameter {name="kernel", initializer="uniform", a=-0.5, b=0.5, type=f32[3,3,5,20]} : f32[3,3,5,20]
%1 = bf16_filter %0 : i32[3,3,16,20; block=16])",
    /*min_inputs=*/1,
    /*max_inputs=*/1,
    {OpClass::movement},
    bf16_filter_type,
    /*gradient=*/nullptr,
    compute_bf16_filter,
    no_cost,
};

const OpDef ops::bf16_conv2d = {
    "conv2d of operands rounded to bf16, the second one by bf16_filter; products and sums are f32",
    R"(%0 = input {name="x", type=f32[N,7,6,5]} : f32[N,7,6,5]
%1 = parameter {name="pairs", role="prepared", type=i32[3,2,16,20; block=16]} : i32[3,2,16,20; block=16]
%2 = bf16_conv2d %0, %1 {strides=[2,1], dilations=[1,2], padding=[1,0,1,1]} : f32[N,4,5,20])",
    /*min_inputs=*/2,
    /*max_inputs=*/2,
    {OpClass::contraction},
    bf16_conv2d_type,
    /*gradient=*/nullptr,
    compute_bf16_conv2d,
    bf16_conv2d_cost,
};

const OpDef ops::bf16_filter_gradient = {
    "gradient of bf16_conv2d with respect to its filter: of x and dy, rounded to bf16",
    R"(%0 = input {name="x", type=f32[N,7,6,5]} : f32[N,7,6,5]
%1 = input {name="dy", type=f32[N,4,5,20]} : f32[N,4,5,20]
%2 = bf16_filter_gradient %0, %1 {strides=[2,1], dilations=[1,2], padding=[1,0,1,1], size=[3,2], block=16} : f32[3,2,5,20; block=16])",
    /*min_inputs=*/2,
    /*max_inputs=*/2,
    {OpClass::contraction},
    bf16_filter_gradient_type,
    /*gradient=*/nullptr,
    compute_bf16_filter_gradient,
    bf16_filter_gradient_cost,
};

const OpDef ops::bf16_matmul = {
    "matmul of operands rounded to bf16, the second one by bf16_filter; products and sums are f32",
    R"(%0 = input {name="x", type=f32[N,7]} : f32[N,7]
%1 = parameter {name="pairs", role="prepared", type=i32[16,20; block=16]} : i32[16,20; block=16]
%2 = bf16_matmul %0, %1 : f32[N,20])",
    /*min_inputs=*/2,
    /*max_inputs=*/2,
    {OpClass::contraction},
    bf16_matmul_type,
    /*gradient=*/nullptr,
    compute_bf16_matmul,
    bf16_matmul_cost,
};

const OpDef ops::bf16_matmul_gradient = {
    "gradient of bf16_matmul with respect to its second operand: x^T dy, both rounded to bf16",
    R"(%0 = input {name="x", type=f32[N,7]} : f32[N,7]
%1 = input {name="dy", type=f32[N,20]} : f32[N,20]
%2 = bf16_matmul_gradient %0, %1 {block=16} : f32[7,20; block=16])",
    /*min_inputs=*/2,
    /*max_inputs=*/2,
    {OpClass::contraction},
    bf16_matmul_gradient_type,
    /*gradient=*/nullptr,
    compute_bf16_matmul_gradient,
    bf16_matmul_gradient_cost,
};

} // namespace sinter

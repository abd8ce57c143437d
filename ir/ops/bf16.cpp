// Convolutions and matrix products of operands rounded to bf16, the upper half of a float (to
// nearest, ties to even); products and sums are float32. Values stay f32 outside: the first operand
// is rounded on the way, the second one is a node of its own, as it depends on a parameter alone.
// An i32 of it holds two numbers of neighbouring channels, the first one in its lower half.

#include "ir/ops/bf16.h"

#include "ir/ops/compute.h"
#include "ir/ops/convolution_rules.h"
#include "ir/ops/rules.h"

namespace sinter {

namespace {

TensorType bf16_filter_type(const TypeContext &context) {
  require_element(context, 0, ElementType::f32);
  Shape shape = context.operand(0).shape;
  require(context, (shape.size() == 2 || shape.size() == 4) && !context.operand(0).batched(),
          "expects a filter or a matrix, got {}", context.operand(0).str());
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

} // namespace sinter

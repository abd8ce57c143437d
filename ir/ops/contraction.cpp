// Convolutions and matrix products with their gradients.

#include "ir/ops/compute.h"
#include "ir/ops/convolution_rules.h"
#include "ir/ops/rules.h"
#include "ir/ops/window.h"

#include <algorithm>

namespace sinter {

namespace {

/// Attribute values beyond this are absurd, and below it no product of two overflows.
constexpr int64_t kMaxAttribute = (int64_t{1} << 31) - 1;

} // namespace

void require_conv2d_attrs(const TypeContext &context, const Conv2dAttrs &attrs) {
  for (size_t d = 0; d < 2; ++d) {
    require(context, attrs.strides[d] >= 1 && attrs.strides[d] <= kMaxAttribute,
            "expects strides of at least 1, got {}", attrs.strides[d]);
    require(context, attrs.dilations[d] >= 1 && attrs.dilations[d] <= kMaxAttribute,
            "expects dilations of at least 1, got {}", attrs.dilations[d]);
  }
  for (int64_t padding : attrs.padding)
    require(context, padding >= 0 && padding <= kMaxAttribute,
            "expects padding of at least 0, got {}", padding);
  require(context, attrs.groups >= 1 && attrs.groups <= kMaxAttribute,
          "expects at least 1 group, got {}", attrs.groups);
}

Shape conv2d_shape(const TypeContext &context, const Conv2dAttrs &attrs, const Shape &x,
                   const Shape &filter) {
  require(context, filter[2] * attrs.groups == x[3], "expects {} input channels, got {}",
          filter[2] * attrs.groups, x[3]);
  require(context, filter[3] % attrs.groups == 0,
          "expects filters in multiples of {} groups, got {}", attrs.groups, filter[3]);
  std::array<int64_t, 2> extents{};
  for (size_t d = 0; d < 2; ++d)
    extents[d] = window_count(x[d + 1], attrs.padding[d] + attrs.padding[d + 2],
                              window_span(filter[d], attrs.dilations[d]), attrs.strides[d]);
  require(context, extents[0] > 0 && extents[1] > 0, "window {}x{} does not fit input {}x{}",
          window_span(filter[0], attrs.dilations[0]), window_span(filter[1], attrs.dilations[1]),
          x[1] + attrs.padding[0] + attrs.padding[2], x[2] + attrs.padding[1] + attrs.padding[3]);
  return {x[0], extents[0], extents[1], filter[3]};
}

namespace {

void require_image(const TypeContext &context, size_t operand, const char *role) {
  require_plain_f32(context, operand);
  require_rank(context, operand, 4, role);
}

void require_filter(const TypeContext &context, size_t operand) {
  require_element(context, operand, ElementType::f32);
  require_rank(context, operand, 4, "a filter");
  require(context, !context.operand(operand).batched(), "expects a static filter, got {}",
          context.operand(operand).str());
}

TensorType conv2d_type(const TypeContext &context) {
  const auto &attrs = context.attrs<Conv2dAttrs>();
  require_conv2d_attrs(context, attrs);
  require_image(context, 0, "an input");
  require_filter(context, 1);
  return {ElementType::f32,
          conv2d_shape(context, attrs, context.operand(0).shape, context.operand(1).shape), 0};
}

void require_gradient_shape(const TypeContext &context, const Shape &dy, const Shape &expected) {
  require(context, dy == expected, "expects dy of shape {}, got {}", str(expected), str(dy));
}

TensorType conv2d_input_gradient_type(const TypeContext &context) {
  const auto &attrs = context.attrs<Conv2dGradientAttrs>();
  require_conv2d_attrs(context, attrs);
  require_image(context, 0, "dy");
  require_filter(context, 1);
  const Shape &dy = context.operand(0).shape;
  const Shape &filter = context.operand(1).shape;
  const Shape x{dy[0], attrs.size[0], attrs.size[1], filter[2] * attrs.groups};
  require_countable(context, x, "input shape");
  require_gradient_shape(context, dy, conv2d_shape(context, attrs, x, filter));
  return {ElementType::f32, x, 0};
}

TensorType conv2d_filter_gradient_type(const TypeContext &context) {
  const auto &attrs = context.attrs<Conv2dGradientAttrs>();
  require_conv2d_attrs(context, attrs);
  require_image(context, 0, "an input");
  require_image(context, 1, "dy");
  const Shape &x = context.operand(0).shape;
  const Shape &dy = context.operand(1).shape;
  require(context, x[3] % attrs.groups == 0, "expects channels in multiples of {} groups, got {}",
          attrs.groups, x[3]);
  const Shape filter{attrs.size[0], attrs.size[1], x[3] / attrs.groups, dy[3]};
  require_countable(context, filter, "filter shape");
  require_gradient_shape(context, dy, conv2d_shape(context, attrs, x, filter));
  require(context, attrs.block >= 0, "has storage block {}", attrs.block);
  return {ElementType::f32, filter, attrs.block};
}

Conv2dGradientAttrs gradient_attrs(const Conv2dAttrs &attrs, std::array<int64_t, 2> size,
                                   int64_t block) {
  return {attrs, size, block};
}

// dx[n,y,x,i] = sum of dy[n,oy,ox,o] * w[ky,kx,i,o] over the (oy,ox,ky,kx) that read (y,x),
// dw[ky,kx,i,o] = sum over n,oy,ox of x[n, oy*s+ky*d-p, ox*s+kx*d-p, i] * dy[n,oy,ox,o]
void differentiate_conv2d(GradientBuilder &g) {
  const Conv2dAttrs attrs = g.attrs<Conv2dAttrs>();
  const TensorType x = g.type(g.x(0));
  const TensorType filter = g.type(g.x(1));
  g.add_to_input(0, g.append(OpKind::conv2d_input_gradient, {g.dy(), g.x(1)},
                             gradient_attrs(attrs, {x.shape[1], x.shape[2]}, 0)));
  g.add_to_input(1,
                 g.append(OpKind::conv2d_filter_gradient, {g.x(0), g.dy()},
                          gradient_attrs(attrs, {filter.shape[0], filter.shape[1]}, filter.block)));
}

// The op is linear in both operands, and its transposes are conv2d and conv2d_filter_gradient:
// with x the gradient that arrives, d dy = conv2d(x, w), dw as in conv2d.
void differentiate_conv2d_input_gradient(GradientBuilder &g) {
  const Conv2dGradientAttrs attrs = g.attrs<Conv2dGradientAttrs>();
  const TensorType filter = g.type(g.x(1));
  const Conv2dAttrs forward = attrs;
  g.add_to_input(0, g.append(OpKind::conv2d, {g.dy(), g.x(1)}, forward));
  Conv2dGradientAttrs of_filter = attrs;
  of_filter.size = {filter.shape[0], filter.shape[1]};
  of_filter.block = filter.block;
  g.add_to_input(1, g.append(OpKind::conv2d_filter_gradient, {g.dy(), g.x(0)}, of_filter));
}

TensorType matmul_type(const TypeContext &context) {
  const auto &attrs = context.attrs<MatmulAttrs>();
  for (size_t i = 0; i < 2; ++i) {
    require_element(context, i, ElementType::f32);
    require_rank(context, i, 2, "matrices");
  }
  Shape a = context.operand(0).shape;
  Shape b = context.operand(1).shape;
  if (attrs.transpose_a)
    std::swap(a[0], a[1]);
  if (attrs.transpose_b)
    std::swap(b[0], b[1]);
  require(context, a[1] == b[0], "expects equal inner extents, got {} times {}", str(a), str(b));
  require(context, b[1] != kBatch, "expects the batch in the first factor, got {} times {}", str(a),
          str(b));
  TensorType result{ElementType::f32, {a[0], b[1]}, attrs.block};
  require(context, attrs.block >= 0 && !(result.batched() && result.blocked()),
          "has storage block {} in a result of shape {}", attrs.block, str(result.shape));
  return result;
}

/// Matrices in the last two dimensions; the leading ones broadcast as NumPy's do.
TensorType batch_matmul_type(const TypeContext &context) {
  const auto &attrs = context.attrs<MatmulAttrs>();
  require_all_plain_f32(context);
  require(context, attrs.block == 0, "has storage block {}", attrs.block);
  std::array<Shape, 2> leading, matrix;
  for (size_t i = 0; i < 2; ++i) {
    const Shape &shape = context.operand(i).shape;
    const bool fits = shape.size() >= 2 && (shape.size() > 2 || shape[0] != kBatch);
    require(context, fits, "expects static matrices, got {}", operand_shapes(context));
    leading[i] = Shape(shape.begin(), shape.end() - 2);
    matrix[i] = Shape(shape.end() - 2, shape.end());
    if (i == 0 ? attrs.transpose_a : attrs.transpose_b)
      std::swap(matrix[i][0], matrix[i][1]);
  }
  require(context, matrix[0][1] == matrix[1][0], "expects equal inner extents, got {} times {}",
          str(matrix[0]), str(matrix[1]));
  const std::optional<Shape> shape = broadcast_shapes(leading[0], leading[1]);
  require(context,
          shape && !shape->empty() && std::count(shape->begin() + 1, shape->end(), kBatch) == 0,
          "expects leading dimensions that broadcast, got {}", operand_shapes(context));
  TensorType result{ElementType::f32, *shape, 0};
  result.shape.insert(result.shape.end(), {matrix[0][0], matrix[1][1]});
  return result;
}

/// The product of two factors, each transposed or not, in the storage of an operand of `like`.
NodeId product_like(GradientBuilder &g, NodeId like, NodeId a, bool transpose_a, NodeId b,
                    bool transpose_b) {
  return g.append(OpKind::matmul, {a, b},
                  MatmulAttrs{transpose_a, transpose_b, g.type(like).block});
}

// y = a b: da = dy b^T, db = a^T dy. A transposed operand gets the transposed gradient:
// for y = a^T b, da = b dy^T; for y = a b^T, db = dy^T a.
void differentiate_matmul(GradientBuilder &g) {
  const MatmulAttrs attrs = g.attrs<MatmulAttrs>();
  const NodeId a = g.x(0);
  const NodeId b = g.x(1);
  g.add_to_input(0, attrs.transpose_a
                        ? product_like(g, a, b, attrs.transpose_b, g.dy(), /*transpose_b=*/true)
                        : product_like(g, a, g.dy(), false, b, !attrs.transpose_b));
  g.add_to_input(1, attrs.transpose_b
                        ? product_like(g, b, g.dy(), /*transpose_a=*/true, a, attrs.transpose_a)
                        : product_like(g, b, a, !attrs.transpose_a, g.dy(), false));
}

// The same formulas; add_to_input sums over leading dimensions that were broadcast.
void differentiate_batch_matmul(GradientBuilder &g) {
  const MatmulAttrs attrs = g.attrs<MatmulAttrs>();
  const auto multiply = [&](NodeId a, bool transpose_a, NodeId b, bool transpose_b) {
    return g.append(OpKind::batch_matmul, {a, b}, MatmulAttrs{transpose_a, transpose_b, 0});
  };
  const NodeId a = g.x(0);
  const NodeId b = g.x(1);
  const NodeId dy = g.dy();
  g.add_to_input(0, attrs.transpose_a ? multiply(b, attrs.transpose_b, dy, true)
                                      : multiply(dy, false, b, !attrs.transpose_b));
  g.add_to_input(1, attrs.transpose_b ? multiply(dy, true, a, attrs.transpose_a)
                                      : multiply(a, !attrs.transpose_a, dy, false));
}

/// A multiply-add for each tap of each result position: the same work forward and in both
/// gradients. `dy` is the convolution's result or its gradient, `filter` [kh, kw, ci/groups, co].
Cost conv2d_work(const TensorType &dy, const Shape &filter) {
  return cost_per_element(dy, 2.0 * static_cast<double>(filter[0] * filter[1]) *
                                  static_cast<double>(filter[2]));
}

Cost conv2d_cost(const Graph &graph, const Node &node) {
  return conv2d_work(node.type, graph.type(node.inputs[1]).shape);
}

Cost conv2d_input_gradient_cost(const Graph &graph, const Node &node) {
  return conv2d_work(graph.type(node.inputs[0]), graph.type(node.inputs[1]).shape);
}

Cost conv2d_filter_gradient_cost(const Graph &graph, const Node &node) {
  return conv2d_work(graph.type(node.inputs[1]), node.type.shape);
}

/// 2 n k m flops, of which one extent may be the batch.
Cost matmul_cost(const Graph &graph, const Node &node) {
  const int64_t k = graph.type(node.inputs[0]).shape[attrs<MatmulAttrs>(node).transpose_a ? 0 : 1];
  if (k != kBatch)
    return cost_per_element(node.type, 2.0 * static_cast<double>(k));
  return {2.0 * static_cast<double>(node.type.elements()), 0};
}

Cost batch_matmul_cost(const Graph &graph, const Node &node) {
  const Shape &a = graph.type(node.inputs[0]).shape;
  const int64_t depth = attrs<MatmulAttrs>(node).transpose_a ? a[a.size() - 2] : a.back();
  return cost_per_element(node.type, 2.0 * static_cast<double>(depth));
}

} // namespace

const OpDef ops::conv2d = {
    "convolution of NHWC images with an HWIO filter; in groups, also depthwise",
    R"(%0 = input {name="x", type=f32[N,7,6,4]} : f32[N,7,6,4]
%1 = parameter {name="kernel", initializer="uniform", a=-0.5, b=0.5, type=f32[3,2,2,6]} : f32[3,2,2,6]
%2 = conv2d %0, %1 {strides=[2,1], dilations=[1,2], padding=[1,0,1,1], groups=2} : f32[N,4,5,6])",
    /*min_inputs=*/2,
    /*max_inputs=*/2,
    {OpClass::contraction},
    conv2d_type,
    differentiate_conv2d,
    compute_conv2d,
    conv2d_cost,
};

const OpDef ops::conv2d_input_gradient = {
    "gradient of conv2d with respect to its input, from dy and the filter: transposed convolution",
    R"(%0 = input {name="dy", type=f32[N,4,5,6]} : f32[N,4,5,6]
%1 = parameter {name="kernel", initializer="uniform", a=-0.5, b=0.5, type=f32[3,2,2,6]} : f32[3,2,2,6]
%2 = conv2d_input_gradient %0, %1 {strides=[2,1], dilations=[1,2], padding=[1,0,1,1], groups=2, size=[7,6]} : f32[N,7,6,4])",
    /*min_inputs=*/2,
    /*max_inputs=*/2,
    {OpClass::contraction},
    conv2d_input_gradient_type,
    differentiate_conv2d_input_gradient,
    compute_conv2d_input_gradient,
    conv2d_input_gradient_cost,
};

const OpDef ops::conv2d_filter_gradient = {
    "gradient of conv2d with respect to its filter, from the input and dy",
    R"(%0 = input {name="x", type=f32[N,7,6,4]} : f32[N,7,6,4]
%1 = input {name="dy", type=f32[N,4,5,6]} : f32[N,4,5,6]
%2 = conv2d_filter_gradient %0, %1 {strides=[2,1], dilations=[1,2], padding=[1,0,1,1], groups=2, size=[3,2], block=4} : f32[3,2,2,6; block=4])",
    /*min_inputs=*/2,
    /*max_inputs=*/2,
    {OpClass::contraction},
    conv2d_filter_gradient_type,
    /*gradient=*/nullptr,
    compute_conv2d_filter_gradient,
    conv2d_filter_gradient_cost,
};

const OpDef ops::matmul = {
    "matrix product, of either factor transposed; a common batch dimension is summed over",
    R"(%0 = input {name="x", type=f32[N,7]} : f32[N,7]
%1 = parameter {name="kernel", initializer="uniform", a=-0.5, b=0.5, type=f32[7,5]} : f32[7,5]
%2 = matmul %0, %1 : f32[N,5])",
    /*min_inputs=*/2,
    /*max_inputs=*/2,
    {OpClass::contraction},
    matmul_type,
    differentiate_matmul,
    compute_matmul,
    matmul_cost,
};

const OpDef ops::batch_matmul = {
    "products of matrices in the last two dimensions; the leading ones broadcast as NumPy's do",
    R"(%0 = input {name="a", type=f32[N,2,7,4]} : f32[N,2,7,4]
%1 = input {name="b", type=f32[2,5,4]} : f32[2,5,4]
%2 = batch_matmul %0, %1 {transpose_b=true} : f32[N,2,7,5])",
    /*min_inputs=*/2,
    /*max_inputs=*/2,
    {OpClass::contraction},
    batch_matmul_type,
    differentiate_batch_matmul,
    compute_batch_matmul,
    batch_matmul_cost,
};

} // namespace sinter

// Max and average pooling with their gradients. The maximum's gradient goes through the position
// of each maximum, so that training keeps one byte a window instead of the whole input.

#include "ir/ops/compute.h"
#include "ir/ops/rules.h"
#include "ir/ops/window.h"

namespace sinter {

namespace {

/// The result [n, oh, ow, c] of pooling x [n, h, w, c]. Every window holds a real position: padding
/// is smaller than the window, and the steps of one that starts in front of x are too short to
/// pass over all of it.
template <typename A>
Shape pooled_shape(const TypeContext &context, const A &attrs, const Shape &x) {
  std::array<int64_t, 2> extents{}, spans{};
  for (size_t d = 0; d < 2; ++d) {
    const int64_t before = attrs.padding[d];
    const int64_t after = attrs.padding[d + 2];
    require(context, attrs.dilations[d] >= 1 && attrs.dilations[d] <= kMaxElements,
            "expects dilations of at least 1, got {}", attrs.dilations[d]);
    require(context, attrs.size[d] >= 1 && attrs.size[d] <= kMaxElements,
            "expects a window of at least 1 position, got {}", attrs.size[d]);
    require(context, attrs.strides[d] >= 1 && attrs.strides[d] <= kMaxElements,
            "expects strides of at least 1, got {}", attrs.strides[d]);
    const int64_t span = window_span(attrs.size[d], attrs.dilations[d]);
    spans[d] = span;
    require(context, before >= 0 && after >= 0 && before < span && after < span,
            "expects padding between 0 and the window of {}, got {} and {}", span, before, after);
    require(context,
            before <= kMaxElements && after <= kMaxElements &&
                x[d + 1] + before + after <= kMaxElements,
            "pads {} by {} and {}, beyond the limit of {} elements", x[d + 1], before, after,
            kMaxElements);
    require(context, before == 0 || attrs.dilations[d] <= x[d + 1],
            "has padded windows that miss all of an input of {}: their dilation is {}", x[d + 1],
            attrs.dilations[d]);
    extents[d] = window_count(x[d + 1], before + after, span, attrs.strides[d]);
  }
  require(context, extents[0] > 0 && extents[1] > 0, "window {}x{} does not fit input {}x{}",
          spans[0], spans[1], x[1] + attrs.padding[0] + attrs.padding[2],
          x[2] + attrs.padding[1] + attrs.padding[3]);
  return {x[0], extents[0], extents[1], x[3]};
}

TensorType pool2d_type(const TypeContext &context) {
  require_plain_f32(context, 0);
  require_rank(context, 0, 4, "an input");
  return {ElementType::f32,
          pooled_shape(context, context.attrs<Pool2dAttrs>(), context.operand(0).shape), 0};
}

/// One byte holds a position of every usual window; larger ones take an i32.
template <typename A> ElementType index_element(const A &attrs) {
  return attrs.size[0] <= 256 && attrs.size[1] <= 256 && attrs.size[0] * attrs.size[1] <= 256
             ? ElementType::u8
             : ElementType::i32;
}

TensorType max_pool2d_argmax_type(const TypeContext &context) {
  TensorType type = pool2d_type(context);
  type.element = index_element(context.attrs<Pool2dAttrs>());
  return type;
}

TensorType pool2d_gradient_type(const TypeContext &context) {
  const auto &attrs = context.attrs<Pool2dGradientAttrs>();
  require_plain_f32(context, 0);
  require_rank(context, 0, 4, "dy");
  const Shape &dy = context.operand(0).shape;
  const Shape x{dy[0], attrs.input_size[0], attrs.input_size[1], dy[3]};
  require_countable(context, x, "input shape");
  const Shape expected = pooled_shape(context, attrs, x);
  require(context, dy == expected, "expects dy of shape {}, got {}", str(expected), str(dy));
  return {ElementType::f32, x, 0};
}

TensorType max_pool2d_gradient_type(const TypeContext &context) {
  TensorType result = pool2d_gradient_type(context);
  const TensorType expected{index_element(context.attrs<Pool2dGradientAttrs>()),
                            context.operand(0).shape, 0};
  require(context, context.operand(1) == expected, "expects positions of type {}, got {}",
          expected.str(), context.operand(1).str());
  return result;
}

Pool2dGradientAttrs gradient_attrs(const Pool2dAttrs &attrs, const Shape &x) {
  return {attrs, {x[1], x[2]}};
}

// dx[n,y,x,c] = sum of dy[n,oy,ox,c] over the windows whose maximum stands at (y,x)
void differentiate_max_pool2d(GradientBuilder &g) {
  const Pool2dAttrs attrs = g.attrs<Pool2dAttrs>();
  const Pool2dGradientAttrs gradient = gradient_attrs(attrs, g.type(g.x(0)).shape);
  const NodeId positions = g.append(OpKind::max_pool2d_argmax, {g.x(0)}, attrs);
  g.add_to_input(0, g.append(OpKind::max_pool2d_gradient, {g.dy(), positions}, gradient));
}

// dx[n,y,x,c] = sum of dy[n,oy,ox,c] / count(oy,ox) over the windows that hold (y,x)
void differentiate_average_pool2d(GradientBuilder &g) {
  g.add_to_input(0, g.append(OpKind::average_pool2d_gradient, {g.dy()},
                             gradient_attrs(g.attrs<Pool2dAttrs>(), g.type(g.x(0)).shape)));
}

/// One comparison or addition a window position.
Cost pool2d_cost(const Graph &, const Node &node) {
  const auto &size = attrs<Pool2dAttrs>(node).size;
  return cost_per_element(node.type, static_cast<double>(size[0] * size[1]));
}

Cost pool2d_gradient_cost(const Graph &graph, const Node &node) {
  const auto &size = attrs<Pool2dGradientAttrs>(node).size;
  return cost_per_element(graph.type(node.inputs[0]), static_cast<double>(size[0] * size[1]));
}

} // namespace

const OpDef ops::max_pool2d = {
    "the maximum of each window of NHWC images; padded positions never win",
    R"(%0 = input {name="x", type=f32[N,7,6,5]} : f32[N,7,6,5]
%1 = max_pool2d %0 {size=[3,2], padding=[1,0,0,1]} : f32[N,3,3,5])",
    /*min_inputs=*/1,
    /*max_inputs=*/1,
    {OpClass::window},
    pool2d_type,
    differentiate_max_pool2d,
    compute_max_pool2d,
    pool2d_cost,
};

const OpDef ops::max_pool2d_argmax = {
    "where in its window each maximum stands: ky * window width + kx, the first of equals",
    R"(%0 = input {name="x", type=f32[N,7,6,5]} : f32[N,7,6,5]
%1 = max_pool2d_argmax %0 {size=[3,2], padding=[1,0,0,1]} : u8[N,3,3,5])",
    /*min_inputs=*/1,
    /*max_inputs=*/1,
    {OpClass::window, {&Traits::metric, &Traits::plain}},
    max_pool2d_argmax_type,
    /*gradient=*/nullptr,
    compute_max_pool2d_argmax,
    pool2d_cost,
};

const OpDef ops::max_pool2d_gradient = {
    "gradient of max_pool2d, from dy and the positions of the maxima",
    R"(%0 = input {name="dy", type=f32[N,3,5,5]} : f32[N,3,5,5]
%1 = input {name="x", type=f32[N,7,6,5]} : f32[N,7,6,5]
%2 = max_pool2d_argmax %1 {size=[3,2], strides=[2,1]} : u8[N,3,5,5]
%3 = max_pool2d_gradient %0, %2 {size=[3,2], strides=[2,1], input_size=[7,6]} : f32[N,7,6,5])",
    /*min_inputs=*/2,
    /*max_inputs=*/2,
    {OpClass::window},
    max_pool2d_gradient_type,
    /*gradient=*/nullptr,
    compute_max_pool2d_gradient,
    pool2d_gradient_cost,
};

const OpDef ops::average_pool2d = {
    "the mean of each window of NHWC images, over its real positions unless count_include_pad",
    R"(%0 = input {name="x", type=f32[N,7,6,5]} : f32[N,7,6,5]
%1 = average_pool2d %0 {size=[3,2], padding=[1,0,0,1]} : f32[N,3,3,5])",
    /*min_inputs=*/1,
    /*max_inputs=*/1,
    {OpClass::window},
    pool2d_type,
    differentiate_average_pool2d,
    compute_average_pool2d,
    pool2d_cost,
};

const OpDef ops::average_pool2d_gradient = {
    "gradient of average_pool2d, from dy",
    R"(%0 = input {name="dy", type=f32[N,3,6,5]} : f32[N,3,6,5]
%1 = average_pool2d_gradient %0 {size=[3,2], strides=[2,1], padding=[0,0,0,1], input_size=[7,6]} : f32[N,7,6,5])",
    /*min_inputs=*/1,
    /*max_inputs=*/1,
    {OpClass::window},
    pool2d_gradient_type,
    /*gradient=*/nullptr,
    compute_average_pool2d_gradient,
    pool2d_gradient_cost,
};

} // namespace sinter

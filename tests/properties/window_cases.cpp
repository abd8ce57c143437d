#include "window_cases.h"

#include <algorithm>

namespace sinter {

namespace {

NodeId input(Graph &graph, const char *name, TensorType type) {
  return graph.append(OpKind::input, {}, InputAttrs{name, "data", std::move(type)});
}

NodeId weight(Graph &graph, const char *name, const TensorType &type) {
  return graph.append(OpKind::parameter, {}, uniform_parameter(name, type));
}

TensorType f32(Shape shape, int64_t block = 0) {
  return {ElementType::f32, std::move(shape), block};
}

/// Usually left to run time.
int64_t random_batch(RandomSource &random) {
  return random.pick<int64_t>({kBatch, kBatch, kBatch, 1, 3});
}

struct ConvGeometry {
  Conv2dAttrs attrs;
  Shape image, filter;
  int64_t block = 0;
};

/// A large filter on a small image, whose gradients are computed by position.
ConvGeometry small_image(RandomSource &random) {
  ConvGeometry g;
  g.attrs.strides = {random.pick<int64_t>({1, 1, 2}), random.pick<int64_t>({1, 1, 2})};
  for (int64_t &padding : g.attrs.padding)
    padding = random.between(1, 2);
  g.filter = {3, 3, random.pick<int64_t>({64, 80}), 128};
  g.image = {kBatch, random.between(1, 3), random.between(1, 3), g.filter[2]};
  g.block = random.pick<int64_t>({0, 16, 32});
  return g;
}

ConvGeometry random_convolution(RandomSource &random) {
  if (random.between(0, 4) == 0)
    return small_image(random);
  ConvGeometry g;
  for (size_t d = 0; d < 2; ++d) {
    g.attrs.strides[d] = random.pick<int64_t>({1, 1, 2, 3});
    g.attrs.dilations[d] = random.pick<int64_t>({1, 1, 2});
  }
  for (int64_t &padding : g.attrs.padding)
    padding = random.between(0, 2);
  g.attrs.groups = random.pick<int64_t>({1, 1, 1, 2, 3});
  const int64_t in = random.pick<int64_t>({1, 2, 3, 5, 8, 17});
  const int64_t out = random.pick<int64_t>({1, 3, 8, 16, 19, 33});
  g.filter = {random.between(1, 4), random.between(1, 4), in, out * g.attrs.groups};
  g.image = {random_batch(random), random.between(4, 13), random.between(4, 19),
             in * g.attrs.groups};
  if (g.attrs.groups == 1)
    g.block = random.pick<int64_t>({0, 4, 8, 16, 32});
  return g;
}

/// The type of the convolution's result.
TensorType convolve(const ConvGeometry &g) {
  Graph scratch;
  const NodeId x = input(scratch, "x", f32(g.image));
  const NodeId w = weight(scratch, "w", f32(g.filter));
  return scratch.type(scratch.append(OpKind::conv2d, {x, w}, g.attrs));
}

Conv2dGradientAttrs gradient_of(const ConvGeometry &g, std::array<int64_t, 2> size, int64_t block) {
  return {g.attrs, size, block};
}

Graph convolution_graph(OpKind kind, RandomSource &random) {
  const ConvGeometry g = random_convolution(random);
  Graph graph;
  if (kind == OpKind::conv2d) {
    const NodeId x = input(graph, "x", f32(g.image));
    graph.append(kind, {x, weight(graph, "w", f32(g.filter, g.block))}, g.attrs);
  } else if (kind == OpKind::conv2d_input_gradient) {
    const NodeId dy = input(graph, "dy", convolve(g));
    graph.append(kind, {dy, weight(graph, "w", f32(g.filter, g.block))},
                 gradient_of(g, {g.image[1], g.image[2]}, 0));
  } else {
    const NodeId x = input(graph, "x", f32(g.image));
    graph.append(kind, {x, input(graph, "dy", convolve(g))},
                 gradient_of(g, {g.filter[0], g.filter[1]}, g.block));
  }
  return graph;
}

Graph pooling_graph(OpKind kind, RandomSource &random) {
  Pool2dAttrs attrs;
  for (size_t d = 0; d < 2; ++d) {
    attrs.size[d] = random.between(1, 4);
    attrs.strides[d] = random.between(1, 3);
    attrs.padding[d] = random.between(0, attrs.size[d] - 1);
    attrs.padding[d + 2] = random.between(0, attrs.size[d] - 1);
  }
  attrs.count_include_pad = random.coin();
  if (random.coin())
    attrs.dilations = {random.between(1, 3), random.between(1, 2)};
  const Shape image{random_batch(random), random.between(4, 13), random.between(4, 19),
                    random.pick<int64_t>({1, 3, 8, 17, 32})};
  Graph graph;
  const NodeId x = input(graph, "x", f32(image));
  if (kind == OpKind::max_pool2d || kind == OpKind::max_pool2d_argmax ||
      kind == OpKind::average_pool2d) {
    graph.append(kind, {x}, attrs);
    return graph;
  }
  const Pool2dGradientAttrs gradient{attrs, {image[1], image[2]}};
  if (kind == OpKind::max_pool2d_gradient) {
    const NodeId winners = graph.append(OpKind::max_pool2d_argmax, {x}, attrs);
    const NodeId dy = input(graph, "dy", f32(graph.type(winners).shape));
    graph.append(kind, {dy, winners}, gradient);
    return graph;
  }
  const NodeId pooled = graph.append(OpKind::average_pool2d, {x}, attrs);
  Graph backward;
  backward.append(kind, {input(backward, "dy", graph.type(pooled))}, gradient);
  return backward;
}

/// As forward (x w), as input gradient (dy w^T), as filter gradient (x^T dy), and static.
Graph product_graph(RandomSource &random) {
  const std::vector<int64_t> extents{1, 3, 7, 8, 16, 17, 31, 33, 64};
  const int64_t inner = random.pick(extents);
  const int64_t columns = random.pick(extents);
  const int64_t block = random.pick<int64_t>({0, 4, 8, 16, 32});
  Graph graph;
  switch (random.between(0, 3)) {
  case 0:
    graph.append(
        OpKind::matmul,
        {input(graph, "a", f32({kBatch, inner})), weight(graph, "b", f32({inner, columns}, block))},
        MatmulAttrs{false, false, 0});
    break;
  case 1:
    graph.append(
        OpKind::matmul,
        {input(graph, "a", f32({kBatch, inner})), weight(graph, "b", f32({columns, inner}, block))},
        MatmulAttrs{false, true, 0});
    break;
  case 2:
    graph.append(
        OpKind::matmul,
        {input(graph, "a", f32({kBatch, inner})), input(graph, "b", f32({kBatch, columns}))},
        MatmulAttrs{true, false, block});
    break;
  default: {
    const int64_t rows = random.pick(extents);
    graph.append(
        OpKind::matmul,
        {weight(graph, "a", f32({inner, rows})), weight(graph, "b", f32({columns, inner}))},
        MatmulAttrs{true, true, block});
  }
  }
  return graph;
}

} // namespace

std::optional<Graph> random_geometry(OpKind kind, RandomSource &random) {
  if (kind == OpKind::conv2d || kind == OpKind::conv2d_input_gradient ||
      kind == OpKind::conv2d_filter_gradient)
    return convolution_graph(kind, random);
  if (kind == OpKind::max_pool2d || kind == OpKind::max_pool2d_argmax ||
      kind == OpKind::max_pool2d_gradient || kind == OpKind::average_pool2d ||
      kind == OpKind::average_pool2d_gradient)
    return pooling_graph(kind, random);
  if (kind == OpKind::matmul)
    return product_graph(random);
  return std::nullopt;
}

ParameterAttrs uniform_parameter(const std::string &name, const TensorType &type) {
  ParameterAttrs parameter;
  parameter.name = name;
  parameter.initializer = "uniform";
  parameter.a = -0.5F;
  parameter.b = 0.5F;
  parameter.type = type;
  return parameter;
}

} // namespace sinter

// Input, Dense, Rescaling, Lambda.
#include "frontend/layer_table.h"
#include "frontend/modules.h"

namespace sinter {

namespace {

NodeId apply_input(LayerBuilder &b, const std::vector<NodeId> &) {
  const Arguments &arguments = b.arguments();
  for (const char *name : {"shape", "input_shape", "batch_shape", "batch_input_shape"})
    if (!arguments.is_none(name)) {
      const bool with_batch = std::string_view(name).rfind("batch", 0) == 0;
      InputAttrs attrs;
      attrs.name = b.layer().name;
      attrs.type = {ElementType::f32,
                    shape_from_value(arguments[name], with_batch, b.layer().location)};
      return b.append(OpKind::input, {}, attrs);
    }
  b.fail("needs shape");
}

/// y = x . kernel + bias along the last dimension; images and sequences go through a 1 x 1
/// convolution, which is the same product at every position.
NodeId dense_product(LayerBuilder &b, NodeId x, NodeId kernel) {
  const Shape input = b.shape(x);
  if (input.size() == 2)
    return b.append(OpKind::matmul, {x, kernel}, MatmulAttrs{});
  if (input.size() > 4)
    b.fail("of an input with {} dimensions is not supported", input.size());
  const Shape weights = b.shape(kernel);
  const NodeId filter =
      b.append(OpKind::reshape, {kernel}, ReshapeAttrs{{1, 1, weights[0], weights[1]}});
  if (input.size() == 4)
    return b.append(OpKind::conv2d, {x, filter}, Conv2dAttrs{});
  const NodeId image =
      b.append(OpKind::reshape, {x}, ReshapeAttrs{{kBatch, input[1], 1, input[2]}});
  return b.append(OpKind::reshape, {b.append(OpKind::conv2d, {image, filter}, Conv2dAttrs{})},
                  ReshapeAttrs{{kBatch, input[1], weights[1]}});
}

NodeId apply_dense(LayerBuilder &b, const std::vector<NodeId> &inputs) {
  const Arguments &arguments = b.arguments();
  const int64_t units = arguments.integer("units");
  const NodeId kernel =
      b.parameter("kernel", {b.shape(inputs[0]).back(), units}, arguments["kernel_initializer"]);
  return b.add_bias(dense_product(b, inputs[0], kernel), units);
}

/// scale * x + offset
NodeId apply_affine(LayerBuilder &b, const std::vector<NodeId> &inputs) {
  return b.append(OpKind::affine, {inputs[0]},
                  AffineAttrs{b.arguments().real("scale"), b.arguments().real("offset")});
}

std::vector<ArgumentSpec> input_arguments() {
  using Kind = ArgumentKind;
  return with_common_arguments({optional("shape", Kind::any), optional("batch_size", Kind::ignored),
                                optional("batch_shape", Kind::any),
                                optional("sparse", Kind::unsupported, Value(false))});
}

} // namespace

std::vector<LayerType> core_layers() {
  using Kind = ArgumentKind;
  return {
      {{"keras.layers.InputLayer", input_arguments()}, apply_input, 0, 0},
      {{"keras.layers.Dense",
        joined({{required("units", Kind::positive), optional("activation", Kind::activation)},
                kernel_and_bias_arguments()})},
       apply_dense},
      {{"keras.layers.Rescaling", with_common_arguments({required("scale", Kind::number),
                                                         optional("offset", Kind::number, 0)})},
       apply_affine},
      {{"keras.layers.Lambda",
        with_common_arguments(
            {required("function", Kind::any), optional("output_shape", Kind::ignored),
             optional("mask", Kind::unsupported), optional("arguments", Kind::any)})},
       nullptr,
       0,
       -1},
  };
}

} // namespace sinter

// Activations and softmaxes.

#include "frontend/onnx/building.h"
#include "frontend/onnx/operator_table.h"

namespace sinter {

namespace {

/// y = f(x), f one of the compositions without further arguments.
template <NodeId (*function)(Composer &, NodeId)> void import_composition(OperatorContext &c) {
  const NodeId x = c.real_tensor(0);
  Composer composer = c.composer();
  c.result(function(composer, x));
}

void import_relu(OperatorContext &c) {
  if (is_float(c.type(0)))
    return c.result(c.append(OpKind::relu, {c.tensor(0)}));
  const NodeId zero = c.constant_node(HostTensor::of_integers({}, {0}, c.type(0)));
  c.result(c.append(OpKind::maximum, {c.tensor(0), zero}));
}

void import_sigmoid(OperatorContext &c) { c.result(c.append(OpKind::sigmoid, {c.real_tensor(0)})); }

void import_tanh(OperatorContext &c) { c.result(c.append(OpKind::tanh, {c.real_tensor(0)})); }

/// y = f(x, alpha)
template <NodeId (*function)(Composer &, NodeId, float)>
void import_with_alpha(OperatorContext &c, float fallback) {
  const NodeId x = c.real_tensor(0);
  Composer composer = c.composer();
  c.result(function(composer, x, c.real("alpha", fallback)));
}

void import_leaky_relu(OperatorContext &c) { import_with_alpha<compose::leaky_relu>(c, 0.01F); }
void import_elu(OperatorContext &c) { import_with_alpha<compose::elu>(c, 1); }
void import_celu(OperatorContext &c) { import_with_alpha<compose::celu>(c, 1); }
void import_thresholded_relu(OperatorContext &c) {
  import_with_alpha<compose::thresholded_relu>(c, 1);
}

/// A slope a channel, as [c, 1, 1]; before opset 7 as [c].
void import_prelu(OperatorContext &c) {
  const NodeId x = c.real_tensor(0);
  Shape slope = c.shape(1);
  const Shape shape = c.shape(0);
  const bool channels = c.opset() < 7 && slope.size() == 1 && shape.size() > 1 &&
                        (slope[0] == shape[1] || slope[0] == 1);
  if (channels)
    slope.resize(shape.size() - 1, 1);
  const NodeId factor = c.reshape(c.weight(1), slope);
  Composer composer = c.composer();
  c.result(compose::prelu(composer, x, factor));
}

void import_selu(OperatorContext &c) {
  const NodeId x = c.real_tensor(0);
  Composer composer = c.composer();
  c.result(compose::selu(composer, x, c.real("alpha", 1.67326319217681884765625F),
                         c.real("gamma", 1.05070102214813232421875F)));
}

void import_gelu(OperatorContext &c) {
  if (c.text("approximate", "none") == "tanh")
    import_composition<compose::gelu_tanh>(c);
  else
    import_composition<compose::gelu>(c);
}

void import_hard_sigmoid(OperatorContext &c) {
  const NodeId x = c.real_tensor(0);
  Composer composer = c.composer();
  c.result(compose::hard_sigmoid(composer, x, c.real("alpha", 0.2F), c.real("beta", 0.5F)));
}

void import_shrink(OperatorContext &c) {
  const NodeId x = c.real_tensor(0);
  Composer composer = c.composer();
  c.result(compose::shrink(composer, x, c.real("lambd", 0.5F), c.real("bias", 0)));
}

/// The axis that a softmax goes along as the last one of the operand: by a transpose, or before
/// opset 13, where it goes over all dimensions from the axis on, by a reshape.
struct Rows {
  NodeId x;
  Shape shape; // of the operand
  std::vector<int64_t> permutation;
};

Rows rows_of(OperatorContext &c) {
  Rows rows{c.real_tensor(0), c.shape(0), {}};
  const int rank = static_cast<int>(rows.shape.size());
  const bool flattens = c.opset() < 13;
  const int64_t axis = c.axis(c.integer("axis", flattens ? 1 : -1), rank);
  if (flattens) {
    const auto split = static_cast<size_t>(axis);
    Shape flat(rows.shape.begin(), rows.shape.begin() + axis);
    flat.push_back(extent_product_between(rows.shape, split, rows.shape.size()));
    rows.x = c.reshape(rows.x, flat);
    return rows;
  }
  rows.permutation = axis_to_end(axis, rank);
  rows.x = c.transpose(rows.x, rows.permutation);
  return rows;
}

void rows_result(OperatorContext &c, const Rows &rows, NodeId y) {
  c.result(rows.permutation.empty() ? c.reshape(y, rows.shape) : c.transpose(y, rows.permutation));
}

void import_softmax(OperatorContext &c) {
  const Rows rows = rows_of(c);
  rows_result(c, rows, c.append(OpKind::softmax, {rows.x}));
}

void import_log_softmax(OperatorContext &c) {
  const Rows rows = rows_of(c);
  Composer composer = c.composer();
  rows_result(c, rows, compose::log_softmax(composer, rows.x, composer.rank(rows.x) - 1));
}

/// 1 at the first largest element of each row, else 0.
void import_hardmax(OperatorContext &c) {
  const Rows rows = rows_of(c);
  const Shape shape = c.shape_of(rows.x);
  const NodeId largest =
      c.append(OpKind::argmax, {rows.x}, ArgmaxAttrs{static_cast<int64_t>(shape.size()) - 1});
  const int64_t depth = shape.back();
  rows_result(c, rows, c.append(OpKind::one_hot, {largest}, OneHotAttrs{depth}));
}

} // namespace

const OnnxOperators &onnx_activation_operators() {
  static const OnnxOperators operators = {
      {"Celu", import_celu},
      {"Elu", import_elu},
      {"Gelu", import_gelu},
      {"HardSigmoid", import_hard_sigmoid},
      {"HardSwish", import_composition<compose::hard_swish>},
      {"Hardmax", import_hardmax},
      {"LeakyRelu", import_leaky_relu},
      {"LogSoftmax", import_log_softmax},
      {"Mish", import_composition<compose::mish>},
      {"PRelu", import_prelu},
      {"Relu", import_relu},
      {"Selu", import_selu},
      {"Shrink", import_shrink},
      {"Sigmoid", import_sigmoid},
      {"Softmax", import_softmax},
      {"Softplus", import_composition<compose::softplus>},
      {"Softsign", import_composition<compose::softsign>},
      {"Tanh", import_tanh},
      {"ThresholdedRelu", import_thresholded_relu},
  };
  return operators;
}

} // namespace sinter

// Losses over class indices.

#include "frontend/onnx/building.h"
#include "frontend/onnx/operator_table.h"

namespace sinter {

namespace {

NodeId product(OperatorContext &c, NodeId a, NodeId b) {
  return c.append(OpKind::multiply, {a, b});
}

/// The sum over all dimensions, a scalar.
NodeId total(OperatorContext &c, NodeId x) {
  ReduceAttrs all{{}, /*keep_dims=*/false};
  for (size_t i = 0; i < c.shape_of(x).size(); ++i)
    all.axes.push_back(static_cast<int64_t>(i));
  return all.axes.empty() ? x : c.append(OpKind::reduce_sum, {x}, all);
}

/// The weight of each class, of each target, as [n, d1, ..., classes]: a one-hot row, zero where
/// the target is to be ignored.
NodeId class_weights(OperatorContext &c, int64_t classes) {
  const NodeId target = c.cast(c.tensor(1), ElementType::i32);
  NodeId rows = c.append(OpKind::one_hot, {target}, OneHotAttrs{classes});
  if (c.has_operand(2))
    rows = product(c, rows, c.real_tensor(2));
  if (c.has_attribute("ignore_index")) {
    Shape column = c.shape(1);
    column.push_back(1);
    const NodeId ignored =
        c.constant_node(HostTensor::of_integers({}, {c.integer("ignore_index", 0)}));
    const NodeId skip = c.append(OpKind::equal, {c.reshape(target, column), ignored});
    rows = c.append(OpKind::select, {skip, c.scalar(0), rows});
  }
  return rows;
}

/// -sum over targets of weight * log p, as it is, summed, or divided by the sum of the weights.
/// `log_probability` has the classes last.
NodeId negative_log_likelihood(OperatorContext &c, NodeId log_probability) {
  const Shape shape = c.shape_of(log_probability);
  c.require(shape.size() >= 2, "expects [n, classes, ...], got {}", str(shape));
  const NodeId weights = class_weights(c, shape.back());
  Composer composer = c.composer();
  const NodeId losses = compose::negative_log_likelihood(composer, log_probability, weights);
  const std::string reduction = c.text("reduction", "mean");
  if (reduction == "none")
    return losses;
  if (reduction == "sum")
    return total(c, losses);
  c.require(reduction == "mean", "has reduction '{}'", reduction);
  return c.append(OpKind::divide, {total(c, losses), total(c, weights)});
}

void import_negative_log_likelihood_loss(OperatorContext &c) {
  const NodeId x = c.transpose(c.real_tensor(0), channels_last_order(c.rank(0)));
  c.result(negative_log_likelihood(c, x));
}

void import_softmax_cross_entropy_loss(OperatorContext &c) {
  const int rank = c.rank(0);
  const NodeId x = c.transpose(c.real_tensor(0), channels_last_order(rank));
  Composer composer = c.composer();
  const NodeId log_probability = compose::log_softmax(composer, x, rank - 1);
  c.result(negative_log_likelihood(c, log_probability));
  if (c.has_result(1))
    c.result(c.transpose(log_probability, channels_first_order(rank)), 1);
}

} // namespace

const OnnxOperators &onnx_loss_operators() {
  static const OnnxOperators operators = {
      {"NegativeLogLikelihoodLoss", import_negative_log_likelihood_loss},
      {"SoftmaxCrossEntropyLoss", import_softmax_cross_entropy_loss},
  };
  return operators;
}

} // namespace sinter

// Over the whole op table: what is written as ONNX is what the operation computes.
#include "backends/onnx/operator_writers.h"
#include "ir/op.h"
#include "tests/backends/onnx/round_trip.h"
#include "tests/properties/op_cases.h"

#include <doctest/doctest.h>
#include <set>

using namespace sinter;

namespace {

Model model_of(const OpCase &c) {
  Model model;
  model.name = "case";
  model.graph = c.graph;
  model.graph.outputs = {{prediction_output("result"), c.result()}};
  return model;
}

} // namespace

TEST_CASE("every operation of inference survives being written as ONNX") {
  for (const OpKind kind : all_op_kinds()) {
    if (!find_operator_writer(kind))
      continue;
    const std::vector<OpCase> cases = op_cases(kind, /*count=*/8, /*seed=*/5);
    for (size_t i = 0; i < cases.size(); ++i) {
      CAPTURE(cases[i].text);
      CHECK(round_trip_problem(model_of(cases[i]), cases[i].batch, i) == "");
    }
  }
}

TEST_CASE("operations without an operator of ONNX are those of training and of passes") {
  std::set<std::string> missing;
  for (const OpKind kind : all_op_kinds())
    if (!find_operator_writer(kind))
      missing.insert(name(kind));
  CHECK(missing == std::set<std::string>{"adam_rate",
                                         "adam_update",
                                         "average_pool2d_gradient",
                                         "bf16_conv2d",
                                         "bf16_filter",
                                         "bf16_filter_gradient",
                                         "bf16_matmul",
                                         "bf16_matmul_gradient",
                                         "binary_accuracy",
                                         "binary_crossentropy",
                                         "binary_crossentropy_gradient",
                                         "categorical_accuracy",
                                         "categorical_crossentropy",
                                         "categorical_crossentropy_gradient",
                                         "conv2d_filter_gradient",
                                         "dropout_mask",
                                         "gather_elements_gradient",
                                         "gather_gradient",
                                         "max_pool2d_gradient",
                                         "mean_squared_error",
                                         "momentum_update",
                                         "momentum_velocity",
                                         "moving_average",
                                         "moving_square_average",
                                         "nesterov_update",
                                         "random_uniform",
                                         "relu_gradient",
                                         "rmsprop_update",
                                         "sgd_update",
                                         "sigmoid_cross_entropy",
                                         "sigmoid_cross_entropy_gradient",
                                         "sigmoid_gradient",
                                         "softmax_cross_entropy",
                                         "softmax_cross_entropy_gradient",
                                         "softmax_gradient",
                                         "tanh_gradient",
                                         "winograd_conv2d",
                                         "winograd_filter",
                                         "winograd_filter_gradient"});
}

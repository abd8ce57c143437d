// Constants, and control flow that is decided at compile time.

#include "frontend/onnx/folding.h"
#include "frontend/onnx/import_graph.h"
#include "frontend/onnx/operator_table.h"
#include "frontend/onnx/read_model.h"

#include <cmath>

namespace sinter {

namespace {

HostTensor constant_value(const OperatorContext &c) {
  if (const std::optional<HostTensor> tensor = c.tensor_attribute("value"))
    return *tensor;
  if (c.has_attribute("value_float"))
    return HostTensor::of_floats({}, {c.real("value_float", 0)});
  if (c.has_attribute("value_int"))
    return HostTensor::of_integers({}, {c.integer("value_int", 0)});
  if (c.has_attribute("value_ints"))
    return HostTensor::vector(c.integers("value_ints"));
  c.require(c.has_attribute("value_floats"), "has none of the values that are supported");
  std::vector<float> values = c.reals("value_floats");
  const auto extent = static_cast<int64_t>(values.size());
  return HostTensor::of_floats({extent}, std::move(values));
}

void import_constant(OperatorContext &c) { c.result(constant_value(c)); }

bool fold_constant_of_shape(OperatorContext &c) {
  HostTensor value = HostTensor::of_floats({}, {0});
  if (const std::optional<HostTensor> given = c.tensor_attribute("value"))
    value = reshaped(*given, {});
  c.require(value.size() == 1, "expects one value, got {}", value.size());
  const Shape shape = c.constant_integers(0);
  c.require(can_fold(shape), "asks for shape {}", str(shape));
  c.result(broadcast_to(value, shape));
  return true;
}

bool fold_range(OperatorContext &c) {
  const double start = c.constant_number(0);
  const double limit = c.constant_number(1);
  const double delta = c.constant_number(2);
  const double steps = std::ceil((limit - start) / delta);
  c.require(delta != 0 && steps <= static_cast<double>(kMaxFoldedElements),
            "goes from {} to {} by {}", start, limit, delta);
  const int64_t count = steps > 0 ? static_cast<int64_t>(steps) : 0;
  std::vector<double> values;
  for (int64_t i = 0; i < count; ++i)
    values.push_back(start + static_cast<double>(i) * delta);
  fold_result(c, {count}, std::move(values), c.type(0));
  return true;
}

/// The branch that a constant chooses; the other one is not even looked at.
void import_if(OperatorContext &c) {
  const bool chosen = c.constant_number(0) != 0;
  const onnx::GraphProto &branch = c.subgraph(chosen ? "then_branch" : "else_branch");
  const std::vector<OnnxValue> results = c.importer().import_subgraph(branch);
  c.require(results.size() >= c.result_count(), "expects {} results of its branch, got {}",
            c.result_count(), results.size());
  for (size_t i = 0; i < c.result_count(); ++i)
    c.forward(results[i], i);
}

/// Ones on a diagonal, in the shape of the operand.
void import_eye_like(OperatorContext &c) {
  const Shape shape = c.shape(0);
  const int64_t diagonal = c.integer("k", 0);
  DataType type = c.type(0);
  if (c.has_attribute("dtype"))
    type = data_type(static_cast<int32_t>(c.integer("dtype", 1)));
  c.require(shape.size() == 2 && can_fold(shape), "expects a matrix, got {}", str(shape));
  std::vector<double> values;
  for (int64_t row = 0; row < shape[0]; ++row)
    for (int64_t column = 0; column < shape[1]; ++column)
      values.push_back(column - row == diagonal ? 1 : 0);
  fold_result(c, shape, std::move(values), type);
}

} // namespace

const OnnxOperators &onnx_control_operators() {
  static const OnnxOperators operators = {
      {"Constant", import_constant},  {"ConstantOfShape", nullptr, fold_constant_of_shape},
      {"EyeLike", import_eye_like},   {"If", import_if},
      {"Range", nullptr, fold_range},
  };
  return operators;
}

} // namespace sinter

// Comparisons, logic, choice, and conversion between element types. A mask is a u8 of zeros and
// ones.

#include "frontend/onnx/building.h"
#include "frontend/onnx/folding.h"
#include "frontend/onnx/operator_table.h"
#include "frontend/onnx/read_model.h"

#include <cmath>

namespace sinter {

namespace {

/// A batch is at least 1; against 0 and negative numbers (the -1 of a shape) the outcome is known.
std::optional<int64_t> batch_outcome(int64_t other, int64_t outcome) {
  return other != kSymbolicBatch && other <= 0 ? std::optional(outcome) : std::nullopt;
}

constexpr ScalarFunctions kEqual{nullptr, [](int64_t a, int64_t b) { return int64_t{a == b}; },
                                 [](int64_t a, int64_t b) {
                                   return a == b ? std::optional<int64_t>(1)
                                                 : batch_outcome(a == kSymbolicBatch ? b : a, 0);
                                 }};
constexpr ScalarFunctions kGreater{nullptr, [](int64_t a, int64_t b) { return int64_t{a > b}; },
                                   [](int64_t a, int64_t b) {
                                     return a == kSymbolicBatch ? batch_outcome(b, 1)
                                                                : batch_outcome(a, 0);
                                   }};
constexpr ScalarFunctions kLess{nullptr, [](int64_t a, int64_t b) { return int64_t{a < b}; },
                                [](int64_t a, int64_t b) {
                                  return a == kSymbolicBatch ? batch_outcome(b, 0)
                                                             : batch_outcome(a, 1);
                                }};
constexpr ScalarFunctions kGreaterOrEqual{nullptr,
                                          [](int64_t a, int64_t b) { return int64_t{a >= b}; }};
constexpr ScalarFunctions kLessOrEqual{nullptr,
                                       [](int64_t a, int64_t b) { return int64_t{a <= b}; }};
constexpr ScalarFunctions kAnd{nullptr, [](int64_t a, int64_t b) { return a & b; }};
constexpr ScalarFunctions kOr{nullptr, [](int64_t a, int64_t b) { return a | b; }};
constexpr ScalarFunctions kXor{nullptr, [](int64_t a, int64_t b) { return a ^ b; }};
constexpr ScalarFunctions kNot{nullptr, [](int64_t a, int64_t) { return int64_t{a == 0}; }};

template <const ScalarFunctions &functions> bool fold_mask(OperatorContext &c) {
  return fold_binary(c, functions, DataType::boolean);
}

bool fold_not(OperatorContext &c) { return fold_unary(c, kNot, DataType::boolean); }

void mask_result(OperatorContext &c, NodeId mask) { c.result(mask, DataType::boolean); }

/// op(a, b)
template <OpKind kind> void import_comparison(OperatorContext &c) {
  mask_result(c, c.append(kind, {c.tensor(0), aligned_operand(c)}));
}

/// op(b, a)
template <OpKind kind> void import_swapped(OperatorContext &c) {
  const NodeId second = aligned_operand(c);
  mask_result(c, c.append(kind, {second, c.tensor(0)}));
}

void import_xor(OperatorContext &c) {
  const NodeId x = c.tensor(0);
  const NodeId y = aligned_operand(c);
  Composer composer = c.composer();
  mask_result(c, compose::not_equal(composer, x, y));
}

void import_not(OperatorContext &c) {
  const NodeId x = c.tensor(0);
  Composer composer = c.composer();
  mask_result(c, compose::logical_not(composer, x));
}

void import_is_nan(OperatorContext &c) {
  mask_result(c, c.append(OpKind::is_nan, {c.real_tensor(0)}));
}

/// Either sign, unless an attribute leaves one out.
void import_is_infinite(OperatorContext &c) {
  const NodeId x = c.real_tensor(0);
  NodeId mask = c.append(OpKind::is_infinite, {x});
  const bool positive = c.flag("detect_positive", true);
  const bool negative = c.flag("detect_negative", true);
  const NodeId zero = c.scalar(0);
  if (!negative)
    mask = c.append(OpKind::minimum, {mask, c.append(OpKind::greater, {x, zero})});
  if (!positive)
    mask = c.append(OpKind::minimum, {mask, c.append(OpKind::greater, {zero, x})});
  mask_result(c, mask);
}

void import_where(OperatorContext &c) {
  c.result(c.append(OpKind::select, {c.tensor(0), c.tensor(1), c.tensor(2)}), c.type(1));
}

bool fold_where(OperatorContext &c) {
  const Shape shape = common_shape(c, {c.shape(0), c.shape(1), c.shape(2)});
  c.require(c.type(1) == c.type(2), "chooses between {} and {}", name(c.type(1)), name(c.type(2)));
  if (c.constant(1).holds_floats() || !can_fold(shape))
    return false;
  const HostTensor mask = broadcast_to(c.constant(0), shape);
  HostTensor result = broadcast_to(c.constant(1), shape);
  const HostTensor other = broadcast_to(c.constant(2), shape);
  for (size_t i = 0; i < mask.integers.size(); ++i)
    if (mask.integers[i] == 0)
      result.integers[i] = other.integers[i];
  c.result(std::move(result));
  return true;
}

/// Floats become booleans by being unlike 0, integers by cutting off.
void import_conversion(OperatorContext &c, DataType to) {
  const NodeId x = c.tensor(0);
  if (to != DataType::boolean || c.type(0) == DataType::boolean) {
    c.result(c.cast(x, graph_element(to)), to);
    return;
  }
  Composer composer = c.composer();
  c.result(compose::to_mask(composer, x), to);
}

bool fold_conversion(OperatorContext &c, DataType to) {
  HostTensor x = c.constant(0);
  if (is_float(x.type) && is_float(to)) {
    x.type = to;
    c.result(std::move(x));
    return true;
  }
  if (is_float(to)) {
    std::vector<float> floats;
    for (int64_t value : x.integers) {
      c.require(value != kSymbolicBatch, "computes with the batch");
      floats.push_back(static_cast<float>(value));
    }
    c.result(HostTensor::of_floats(x.shape, std::move(floats), to));
    return true;
  }
  std::vector<int64_t> integers = x.integers;
  if (x.holds_floats()) {
    constexpr double kLargest = 9.2e18; // below the largest int64; a cast beyond is undefined
    for (float value : *x.floats) {
      const bool whole = std::fabs(static_cast<double>(value)) < kLargest;
      integers.push_back(to == DataType::boolean ? value != 0 : whole ? int64_t(value) : 0);
    }
  }
  for (int64_t &value : integers)
    if (value != kSymbolicBatch)
      value = to == DataType::boolean ? value != 0 : wrap(value, to);
  c.result(HostTensor::of_integers(x.shape, std::move(integers), to));
  return true;
}

DataType cast_target(const OperatorContext &c) {
  const DataType to = data_type(static_cast<int32_t>(c.integer("to", 0)));
  c.require(to != DataType::unsupported, "converts to element type {}, which is not supported",
            c.integer("to", 0));
  return to;
}

void import_cast(OperatorContext &c) { import_conversion(c, cast_target(c)); }
bool fold_cast(OperatorContext &c) { return fold_conversion(c, cast_target(c)); }
void import_cast_like(OperatorContext &c) { import_conversion(c, c.type(1)); }

} // namespace

const OnnxOperators &onnx_comparison_operators() {
  static const OnnxOperators operators = {
      {"And", import_comparison<OpKind::minimum>, fold_mask<kAnd>},
      {"Cast", import_cast, fold_cast},
      {"CastLike", import_cast_like},
      {"Equal", import_comparison<OpKind::equal>, fold_mask<kEqual>},
      {"Greater", import_comparison<OpKind::greater>, fold_mask<kGreater>},
      {"GreaterOrEqual", import_comparison<OpKind::greater_equal>, fold_mask<kGreaterOrEqual>},
      {"IsInf", import_is_infinite},
      {"IsNaN", import_is_nan},
      {"Less", import_swapped<OpKind::greater>, fold_mask<kLess>},
      {"LessOrEqual", import_swapped<OpKind::greater_equal>, fold_mask<kLessOrEqual>},
      {"Not", import_not, fold_not},
      {"Or", import_comparison<OpKind::maximum>, fold_mask<kOr>},
      {"Where", import_where, fold_where},
      {"Xor", import_xor, fold_mask<kXor>},
  };
  return operators;
}

} // namespace sinter

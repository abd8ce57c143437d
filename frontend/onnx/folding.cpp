#include "frontend/onnx/folding.h"

#include "frontend/onnx/building.h"

#include <cmath>

namespace sinter {

namespace {

int64_t apply(const OperatorContext &c, const ScalarFunctions &functions, int64_t a, int64_t b,
              DataType type) {
  if (a != kSymbolicBatch && b != kSymbolicBatch)
    return wrap(functions.of_integers(a, b), type);
  const std::optional<int64_t> value = functions.of_batch ? functions.of_batch(a, b) : std::nullopt;
  c.require(value.has_value(), "computes with the batch");
  return *value;
}

int64_t checked_integer(const OperatorContext &c, double value) {
  const std::optional<int64_t> integer = to_integer(value);
  c.require(integer.has_value(), "computes {}, which is beyond 64 bits", value);
  return *integer;
}

/// The function of two tensors, or nothing where it has none for their type.
std::optional<HostTensor> combine(const OperatorContext &c, const ScalarFunctions &functions,
                                  const HostTensor &a, const HostTensor &b, DataType type) {
  const bool reals = a.holds_floats();
  c.require(b.holds_floats() == reals, "mixes {} and {}", name(a.type), name(b.type));
  if (reals ? !functions.of_reals : !functions.of_integers)
    return std::nullopt;
  const Shape shape = common_shape(c, {a.shape, b.shape});
  if (!can_fold(shape))
    return std::nullopt;
  const HostTensor x = broadcast_to(a, shape);
  const HostTensor y = broadcast_to(b, shape);
  const auto count = static_cast<size_t>(x.size());
  std::vector<float> floats;
  std::vector<int64_t> integers;
  for (size_t i = 0; i < count; ++i) {
    if (!reals) {
      integers.push_back(apply(c, functions, x.integers[i], y.integers[i], type));
      continue;
    }
    const double value = functions.of_reals(static_cast<double>((*x.floats)[i]),
                                            static_cast<double>((*y.floats)[i]));
    if (is_float(type))
      floats.push_back(static_cast<float>(value));
    else
      integers.push_back(checked_integer(c, value));
  }
  return is_float(type) ? HostTensor::of_floats(shape, std::move(floats), type)
                        : HostTensor::of_integers(shape, std::move(integers), type);
}

bool set(OperatorContext &c, std::optional<HostTensor> tensor) {
  if (!tensor)
    return false;
  c.result(std::move(*tensor));
  return true;
}

} // namespace

int64_t wrap(int64_t value, DataType type) {
  switch (type) {
  case DataType::i8:
    return static_cast<int8_t>(value);
  case DataType::i16:
    return static_cast<int16_t>(value);
  case DataType::i32:
    return static_cast<int32_t>(value);
  case DataType::u8:
    return static_cast<uint8_t>(value);
  case DataType::u16:
    return static_cast<uint16_t>(value);
  case DataType::u32:
    return static_cast<uint32_t>(value);
  default:
    return value;
  }
}

double fold_maximum(double a, double b) { return a >= b || std::isnan(a) ? a : b; }
double fold_minimum(double a, double b) { return a <= b || std::isnan(a) ? a : b; }

bool fold_binary(OperatorContext &c, const ScalarFunctions &functions, DataType type) {
  return set(c, combine(c, functions, c.constant(0), c.constant(1), type));
}

bool fold_unary(OperatorContext &c, const ScalarFunctions &functions, DataType type) {
  return set(c, combine(c, functions, c.constant(0), c.constant(0), type));
}

bool fold_chain(OperatorContext &c, const ScalarFunctions &functions) {
  std::optional<HostTensor> result = c.constant(0);
  for (size_t i = 1; i < c.operand_count() && result; ++i)
    result = combine(c, functions, *result, c.constant(i), c.type(0));
  return set(c, std::move(result));
}

void fold_result(OperatorContext &c, Shape shape, std::vector<double> reals, DataType type) {
  if (is_float(type)) {
    c.result(HostTensor::of_floats(std::move(shape), {reals.begin(), reals.end()}, type));
    return;
  }
  std::vector<int64_t> integers;
  for (double value : reals)
    integers.push_back(checked_integer(c, value));
  c.result(HostTensor::of_integers(std::move(shape), std::move(integers), type));
}

} // namespace sinter

// Arithmetic of one and two operands.

#include "frontend/onnx/building.h"
#include "frontend/onnx/folding.h"
#include "frontend/onnx/operator_table.h"

#include <cmath>

namespace sinter {

namespace {

// Signed overflow is undefined in C++ and wraps in ONNX.
int64_t wrapping(uint64_t value) { return static_cast<int64_t>(value); }

std::optional<int64_t> batch_where(bool known) {
  return known ? std::optional(kSymbolicBatch) : std::nullopt;
}

constexpr ScalarFunctions kAdd{[](double a, double b) { return a + b; },
                               [](int64_t a, int64_t b) {
                                 return wrapping(static_cast<uint64_t>(a) +
                                                 static_cast<uint64_t>(b));
                               },
                               [](int64_t a, int64_t b) { return batch_where(a == 0 || b == 0); }};
constexpr ScalarFunctions kSubtract{[](double a, double b) { return a - b; },
                                    [](int64_t a, int64_t b) {
                                      return wrapping(static_cast<uint64_t>(a) -
                                                      static_cast<uint64_t>(b));
                                    },
                                    [](int64_t, int64_t b) { return batch_where(b == 0); }};
constexpr ScalarFunctions kMultiply{
    [](double a, double b) { return a * b; },
    [](int64_t a, int64_t b) {
      return wrapping(static_cast<uint64_t>(a) * static_cast<uint64_t>(b));
    },
    [](int64_t a, int64_t b) { return batch_where(a == 1 || b == 1); }};
constexpr ScalarFunctions kDivide{[](double a, double b) { return a / b; },
                                  [](int64_t a, int64_t b) {
                                    return b == 0 ? 0 : b == -1 ? wrapping(-uint64_t(a)) : a / b;
                                  },
                                  [](int64_t, int64_t b) { return batch_where(b == 1); }};
constexpr ScalarFunctions kMaximum{fold_maximum,
                                   [](int64_t a, int64_t b) { return std::max(a, b); }};
constexpr ScalarFunctions kMinimum{fold_minimum,
                                   [](int64_t a, int64_t b) { return std::min(a, b); }};
constexpr ScalarFunctions kFloorMod{nullptr, [](int64_t a, int64_t b) -> int64_t {
                                      if (b == 0 || b == -1)
                                        return 0;
                                      const int64_t rest = a % b;
                                      return rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest;
                                    }};
constexpr ScalarFunctions kTruncatedMod{
    [](double a, double b) { return std::fmod(a, b); },
    [](int64_t a, int64_t b) { return b == 0 || b == -1 ? 0 : a % b; }};
constexpr ScalarFunctions kPow{[](double a, double b) { return std::pow(a, b); }};
constexpr ScalarFunctions kNegate{[](double a, double) { return -a; },
                                  [](int64_t a, int64_t) { return wrapping(-uint64_t(a)); }};
constexpr ScalarFunctions kAbs{[](double a, double) { return std::fabs(a); },
                               [](int64_t a, int64_t) { return a < 0 ? -a : a; }};
constexpr ScalarFunctions kFloor{[](double a, double) { return std::floor(a); }};
constexpr ScalarFunctions kCeil{[](double a, double) { return std::ceil(a); }};
constexpr ScalarFunctions kRound{[](double a, double) { return std::nearbyint(a); }};
constexpr ScalarFunctions kSqrt{[](double a, double) { return std::sqrt(a); }};
constexpr ScalarFunctions kReciprocal{[](double a, double) { return 1 / a; }};

template <const ScalarFunctions &functions> bool fold_two(OperatorContext &c) {
  return fold_binary(c, functions, c.type(0));
}

template <const ScalarFunctions &functions> bool fold_one(OperatorContext &c) {
  return fold_unary(c, functions, c.type(0));
}

template <const ScalarFunctions &functions> bool fold_all(OperatorContext &c) {
  return fold_chain(c, functions);
}

template <OpKind kind> void import_binary(OperatorContext &c) {
  c.result(c.append(kind, {c.tensor(0), aligned_operand(c)}));
}

template <OpKind kind> void import_unary(OperatorContext &c) {
  c.result(c.append(kind, {c.real_tensor(0)}));
}

/// Of integers, too.
template <OpKind kind> void import_signed_unary(OperatorContext &c) {
  c.result(c.append(kind, {c.tensor(0)}));
}

/// op(op(a, b), c) ...
template <OpKind kind> NodeId chain(OperatorContext &c) {
  NodeId result = c.tensor(0);
  for (size_t i = 1; i < c.operand_count(); ++i)
    result = c.append(kind, {result, c.tensor(i)});
  return result;
}

template <OpKind kind> void import_chain(OperatorContext &c) { c.result(chain<kind>(c)); }

void import_mean(OperatorContext &c) {
  const float factor = 1.0F / static_cast<float>(c.operand_count());
  c.result(c.append(OpKind::affine, {chain<OpKind::add>(c)}, AffineAttrs{factor, 0}));
}

void import_reciprocal(OperatorContext &c) {
  const NodeId x = c.real_tensor(0);
  Composer composer = c.composer();
  c.result(compose::reciprocal(composer, x));
}

void import_mod(OperatorContext &c) {
  const OpKind kind = c.flag("fmod", false) ? OpKind::fmod : OpKind::mod;
  c.result(c.append(kind, {c.tensor(0), c.tensor(1)}));
}

bool fold_mod(OperatorContext &c) {
  return fold_binary(c, c.flag("fmod", false) ? kTruncatedMod : kFloorMod, c.type(0));
}

/// The operands may be of two types, of which folding leaves all but floats to the graph.
bool fold_pow(OperatorContext &c) {
  return is_float(c.type(0)) && is_float(c.type(1)) && fold_binary(c, kPow, c.type(0));
}

/// x^e for the exponents that graphs are full of; anything else is left to pow.
std::optional<NodeId> pow_of_constant(OperatorContext &c, NodeId x, double exponent) {
  if (exponent == 1)
    return x;
  if (exponent == 2)
    return c.append(OpKind::square, {x});
  if (exponent == 3)
    return c.append(OpKind::multiply, {c.append(OpKind::square, {x}), x});
  if (exponent == 0.5)
    return c.append(OpKind::sqrt, {x});
  if (exponent == -0.5)
    return c.append(OpKind::rsqrt, {x});
  return std::nullopt;
}

/// The result has the base's type; of integers it is rounded, because it is computed in f32.
void import_pow(OperatorContext &c) {
  const NodeId x = c.real_tensor(0);
  std::optional<NodeId> result;
  if (c.is_constant(1) && c.constant(1).size() == 1 && c.rank(1) <= c.rank(0))
    result = pow_of_constant(c, x, c.constant_number(1));
  if (!result)
    result = c.append(OpKind::pow, {x, c.cast(aligned_operand(c), ElementType::f32)});
  if (!is_float(c.type(0)))
    result = c.cast(c.append(OpKind::round, {*result}), graph_element(c.type(0)));
  c.result(*result);
}

/// Bounds are attributes before opset 11.
void import_clip(OperatorContext &c) {
  NodeId result = c.tensor(0);
  if (c.has_operand(1))
    result = c.append(OpKind::maximum, {result, c.tensor(1)});
  else if (c.has_attribute("min"))
    result = c.append(OpKind::maximum, {result, c.scalar(c.real("min", 0))});
  if (c.has_operand(2))
    result = c.append(OpKind::minimum, {result, c.tensor(2)});
  else if (c.has_attribute("max"))
    result = c.append(OpKind::minimum, {result, c.scalar(c.real("max", 0))});
  c.result(result);
}

} // namespace

NodeId aligned_operand(OperatorContext &c) {
  const NodeId second = c.tensor(1);
  if (!c.flag("broadcast", false) || !c.has_attribute("axis"))
    return second;
  Shape shape = c.shape_of(second);
  const auto axis = static_cast<size_t>(c.axis(c.integer("axis", 0), c.rank(0)));
  c.require(axis + shape.size() <= c.shape(0).size(), "cannot align {} at axis {} of {}",
            str(shape), axis, str(c.shape(0)));
  shape.resize(c.shape(0).size() - axis, 1);
  return c.reshape(second, shape);
}

const OnnxOperators &onnx_elementwise_operators() {
  static const OnnxOperators operators = {
      {"Abs", import_signed_unary<OpKind::abs>, fold_one<kAbs>},
      {"Acos", import_unary<OpKind::acos>},
      {"Acosh", import_unary<OpKind::acosh>},
      {"Add", import_binary<OpKind::add>, fold_two<kAdd>},
      {"Asin", import_unary<OpKind::asin>},
      {"Asinh", import_unary<OpKind::asinh>},
      {"Atan", import_unary<OpKind::atan>},
      {"Atanh", import_unary<OpKind::atanh>},
      {"Ceil", import_unary<OpKind::ceil>, fold_one<kCeil>},
      {"Clip", import_clip},
      {"Cos", import_unary<OpKind::cos>},
      {"Cosh", import_unary<OpKind::cosh>},
      {"Div", import_binary<OpKind::divide>, fold_two<kDivide>},
      {"Erf", import_unary<OpKind::erf>},
      {"Exp", import_unary<OpKind::exp>},
      {"Floor", import_unary<OpKind::floor>, fold_one<kFloor>},
      {"Log", import_unary<OpKind::log>},
      {"Max", import_chain<OpKind::maximum>, fold_all<kMaximum>},
      {"Mean", import_mean},
      {"Min", import_chain<OpKind::minimum>, fold_all<kMinimum>},
      {"Mod", import_mod, fold_mod},
      {"Mul", import_binary<OpKind::multiply>, fold_two<kMultiply>},
      {"Neg", import_signed_unary<OpKind::negate>, fold_one<kNegate>},
      {"Pow", import_pow, fold_pow},
      {"Reciprocal", import_reciprocal, fold_one<kReciprocal>},
      {"Round", import_unary<OpKind::round>, fold_one<kRound>},
      {"Sign", import_signed_unary<OpKind::sign>},
      {"Sin", import_unary<OpKind::sin>},
      {"Sinh", import_unary<OpKind::sinh>},
      {"Sqrt", import_unary<OpKind::sqrt>, fold_one<kSqrt>},
      {"Sub", import_binary<OpKind::subtract>, fold_two<kSubtract>},
      {"Sum", import_chain<OpKind::add>, fold_all<kAdd>},
      {"Tan", import_unary<OpKind::tan>},
  };
  return operators;
}

} // namespace sinter

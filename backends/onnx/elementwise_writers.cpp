// Leaves, and what is computed element by element, in whatever order of the dimensions the operands
// have.

#include "backends/onnx/operator_writers.h"

#include <numeric>

namespace sinter {

namespace {

// ---- leaves ------------------------------------------------------------------------------------

/// Inputs were written before all nodes; parameters are when something needs them.
void write_nothing(NodeWriter &, const char *) {}

/// Longer ones that hold a single value are filled when the model is loaded.
constexpr int64_t kMostRepeated = 4096;

void write_constant(NodeWriter &w, const char *) {
  std::vector<float> values = w.attributes<ConstantAttrs>().values;
  const auto count = static_cast<size_t>(w.type().elements());
  if (values.size() == 1 && w.type().elements() > kMostRepeated) {
    const std::string value = w.constant({w.type().element, {}, 0}, values);
    return w.result(w.apply("Expand", {value, w.integers(w.type().shape)}));
  }
  if (values.size() == 1)
    values.assign(count, values[0]);
  w.result(w.constant(w.type(), values));
}

// ---- arithmetic --------------------------------------------------------------------------------

/// Operators of ONNX need not know bytes: those are computed with as int32.
std::string number(NodeWriter &w, size_t operand, const Permutation &order) {
  const std::string x = w.aligned_operand(operand, order);
  return w.operand_type(operand).element == ElementType::u8 ? w.cast(x, onnx_type(ElementType::i32))
                                                            : x;
}

void number_result(NodeWriter &w, const std::string &value, const Permutation &order) {
  w.result(w.type().element == ElementType::u8 ? w.cast(value, onnx_type(ElementType::u8)) : value,
           order);
}

std::vector<std::string> numbers(NodeWriter &w, const Permutation &order) {
  std::vector<std::string> result;
  for (size_t i = 0; i < w.operand_count(); ++i)
    result.push_back(number(w, i, order));
  return result;
}

void write_plain(NodeWriter &w, const char *op) {
  const Permutation order = w.any_order();
  number_result(w, w.apply(op, numbers(w, order)), order);
}

/// ONNX compares to booleans, ours are bytes.
void write_comparison(NodeWriter &w, const char *op) {
  const Permutation order = w.any_order();
  w.result(w.cast(w.apply(op, numbers(w, order)), onnx_type(ElementType::u8)), order);
}

/// a - floor(a / b) * b of floats, for which ONNX has C's remainder only.
void write_mod(NodeWriter &w, const char *op) {
  if (w.type().element != ElementType::f32)
    return write_plain(w, op);
  const Permutation order = w.any_order();
  const std::vector<std::string> x = numbers(w, order);
  const std::string times = w.apply("Floor", {w.apply("Div", x)});
  w.result(w.apply("Sub", {x[0], w.apply("Mul", {times, x[1]})}), order);
}

void write_fmod(NodeWriter &w, const char *op) {
  const Permutation order = w.any_order();
  onnx::NodeProto &result = w.add(op, numbers(w, order));
  set_integer(result, "fmod", 1);
  number_result(w, result.output(0), order);
}

void write_select(NodeWriter &w, const char *op) {
  const Permutation order = w.any_order();
  const std::string mask = w.cast(w.aligned_operand(0, order), onnx::TensorProto::BOOL);
  w.result(w.apply(op, {mask, w.aligned_operand(1, order), w.aligned_operand(2, order)}), order);
}

void write_bias_add(NodeWriter &w, const char *op) {
  if (!w.attach_bias(1))
    write_plain(w, op);
}

// ---- functions of one element ------------------------------------------------------------------

void write_same(NodeWriter &w, const char *) {
  w.result_is_transposed(identity_order(w.type().rank()));
}

void write_affine(NodeWriter &w, const char *) {
  const AffineAttrs &affine = w.attributes<AffineAttrs>();
  const Permutation order = w.any_order();
  std::string x = w.operand(0, order);
  if (affine.scale != 1)
    x = w.apply("Mul", {x, w.real(affine.scale)});
  if (affine.offset != 0)
    x = w.apply("Add", {x, w.real(affine.offset)});
  w.result(x, order);
}

void write_square(NodeWriter &w, const char *op) {
  const Permutation order = w.any_order();
  const std::string x = w.operand(0, order);
  w.result(w.apply(op, {x, x}), order);
}

void write_rsqrt(NodeWriter &w, const char *) {
  const Permutation order = w.any_order();
  w.result(w.apply("Reciprocal", {w.apply("Sqrt", {w.operand(0, order)})}), order);
}

/// exp(x) - 1 = tanh(x / 2) (exp(x) + 1), exact for small x
void write_expm1(NodeWriter &w, const char *) {
  const Permutation order = w.any_order();
  const std::string x = w.operand(0, order);
  const std::string half = w.apply("Tanh", {w.apply("Mul", {x, w.real(0.5F)})});
  w.result(w.apply("Mul", {half, w.apply("Add", {w.apply("Exp", {x}), w.real(1)})}), order);
}

/// log(1 + x) = 2 atanh(x / (2 + x)), exact for small x; as it stands for others
void write_log1p(NodeWriter &w, const char *) {
  const Permutation order = w.any_order();
  const std::string x = w.operand(0, order);
  const std::string small = w.apply("Less", {w.apply("Abs", {x}), w.real(0.5F)});
  const std::string ratio = w.apply("Div", {x, w.apply("Add", {x, w.real(2)})});
  const std::string near = w.apply("Mul", {w.apply("Atanh", {ratio}), w.real(2)});
  const std::string far = w.apply("Log", {w.apply("Add", {x, w.real(1)})});
  w.result(w.apply("Where", {small, near, far}), order);
}

/// Bytes are taken modulo 256, which ONNX promises of integers only.
void write_cast(NodeWriter &w, const char *) {
  const Permutation order = w.any_order();
  std::string x = w.operand(0, order);
  if (w.type().element == ElementType::u8 && w.operand_type(0).element == ElementType::f32)
    x = w.cast(x, onnx_type(ElementType::i32));
  w.result(w.cast(x, onnx_type(w.type().element)), order);
}

/// Compares with all classes: OneHot of ONNX counts negative labels from the end.
void write_one_hot(NodeWriter &w, const char *) {
  const int64_t depth = w.attributes<OneHotAttrs>().depth;
  std::vector<float> classes(static_cast<size_t>(depth));
  std::iota(classes.begin(), classes.end(), 0.0F);
  const std::string label = w.apply("Unsqueeze", {w.operand(0), w.integers({-1})});
  const std::string number = w.cast(label, onnx_type(ElementType::i32));
  const std::string hot =
      w.apply("Equal", {number, w.constant({ElementType::i32, {depth}, 0}, classes)});
  w.result(w.cast(hot, onnx_type(ElementType::f32)));
}

} // namespace

const OperatorWriters &elementwise_writers() {
  static const OperatorWriters writers = {
      {OpKind::input, {write_nothing}},
      {OpKind::parameter, {write_nothing}},
      {OpKind::constant, {write_constant}},
      {OpKind::add, {write_plain, "Add"}},
      {OpKind::subtract, {write_plain, "Sub"}},
      {OpKind::multiply, {write_plain, "Mul"}},
      {OpKind::divide, {write_plain, "Div"}},
      {OpKind::maximum, {write_plain, "Max"}},
      {OpKind::minimum, {write_plain, "Min"}},
      {OpKind::pow, {write_plain, "Pow"}},
      {OpKind::mod, {write_mod, "Mod"}},
      {OpKind::fmod, {write_fmod, "Mod"}},
      {OpKind::equal, {write_comparison, "Equal"}},
      {OpKind::greater, {write_comparison, "Greater"}},
      {OpKind::greater_equal, {write_comparison, "GreaterOrEqual"}},
      {OpKind::select, {write_select, "Where"}},
      {OpKind::bias_add, {write_bias_add, "Add"}},
      {OpKind::affine, {write_affine}},
      {OpKind::negate, {write_plain, "Neg"}},
      {OpKind::square, {write_square, "Mul"}},
      {OpKind::abs, {write_plain, "Abs"}},
      {OpKind::sign, {write_plain, "Sign"}},
      {OpKind::floor, {write_plain, "Floor"}},
      {OpKind::ceil, {write_plain, "Ceil"}},
      {OpKind::round, {write_plain, "Round"}},
      {OpKind::is_nan, {write_comparison, "IsNaN"}},
      {OpKind::is_infinite, {write_comparison, "IsInf"}},
      {OpKind::relu, {write_plain, "Relu"}},
      {OpKind::cast, {write_cast}},
      {OpKind::sqrt, {write_plain, "Sqrt"}},
      {OpKind::rsqrt, {write_rsqrt}},
      {OpKind::exp, {write_plain, "Exp"}},
      {OpKind::expm1, {write_expm1}},
      {OpKind::log, {write_plain, "Log"}},
      {OpKind::log1p, {write_log1p}},
      {OpKind::erf, {write_plain, "Erf"}},
      {OpKind::sigmoid, {write_plain, "Sigmoid"}},
      {OpKind::sin, {write_plain, "Sin"}},
      {OpKind::cos, {write_plain, "Cos"}},
      {OpKind::tan, {write_plain, "Tan"}},
      {OpKind::asin, {write_plain, "Asin"}},
      {OpKind::acos, {write_plain, "Acos"}},
      {OpKind::atan, {write_plain, "Atan"}},
      {OpKind::sinh, {write_plain, "Sinh"}},
      {OpKind::cosh, {write_plain, "Cosh"}},
      {OpKind::tanh, {write_plain, "Tanh"}},
      {OpKind::asinh, {write_plain, "Asinh"}},
      {OpKind::acosh, {write_plain, "Acosh"}},
      {OpKind::atanh, {write_plain, "Atanh"}},
      {OpKind::dropout, {write_same}},
      {OpKind::in_training, {write_same}},
      {OpKind::one_hot, {write_one_hot}},
  };
  return writers;
}

} // namespace sinter

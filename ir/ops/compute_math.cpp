#include "ir/ops/compute_math.h"

#include "ir/ops/rules.h"

namespace sinter {

using Halide::Expr;

Expr exactly(const Expr &x) { return Halide::strict_float(x); }

Expr mask_of(const Expr &condition) {
  return exactly(Halide::select(condition, Halide::cast<uint8_t>(1), Halide::cast<uint8_t>(0)));
}

Expr call_libm(const char *function, const std::vector<Expr> &arguments) {
  return Halide::Internal::Call::make(Halide::Float(32), function, arguments,
                                      Halide::Internal::Call::PureExtern);
}

Tensor packed(KernelBuilder &k, const Tensor &operand, const std::string &role) {
  if (operand.type().block % kLanes == 0 && operand.type().blocked())
    return operand;
  const TensorType type{ElementType::f32, operand.type().shape, kLanes};
  return k.copy(type, role, [&](const Index &index) { return operand(index); });
}

void define_unary(KernelBuilder &k, const std::function<Expr(const Expr &)> &f) {
  k.define_elementwise([&](const std::vector<Expr> &v) { return f(v[0]); });
}

void define_binary(KernelBuilder &k, const std::function<Expr(const Expr &, const Expr &)> &f) {
  k.define_elementwise([&](const std::vector<Expr> &v) { return f(v[0], v[1]); });
}

// Small |x|: x + x^3 p(x^2), with p interpolated at Chebyshev nodes of [0, 0.625^2], where the
// quotient below would cancel. Elsewhere, with t = exp(-2|x|): (1 - t) / (1 + t).
Expr tanh_of(const Expr &x) {
  const Expr z = x * x;
  Expr p = -0.00609671418F;
  for (float coefficient : {0.0209971797F, -0.0538509078F, 0.133327693F, -0.333333284F})
    p = p * z + coefficient;
  const Expr magnitude = Halide::abs(x);
  const Expr t = exp_of_negative(-2.0F * magnitude);
  const Expr large = (1.0F - t) / (1.0F + t);
  return Halide::select(magnitude < 0.625F, x + x * z * p, Halide::select(x < 0.0F, -large, large));
}

Expr sigmoid_of(const Expr &x) {
  const Expr t = exp_of_negative(-Halide::abs(x));
  return Halide::select(x < 0.0F, t, 1.0F) / (1.0F + t);
}

Expr softplus_of(const Expr &x) {
  return Halide::max(x, 0.0F) + log1p_of(exp_of_negative(-Halide::abs(x)));
}

// With u = 1 + x rounded, log(u) * x / (u - 1): what u lost is made up for by the factor, because
// log(u) / (u - 1) hardly changes near u. (W. Kahan, in HP's Advanced Functions Handbook.)
Expr log1p_of(const Expr &x) {
  const Expr u = exactly(1.0F + x);
  const Expr lost = exactly(u - 1.0F);
  const Expr corrected = Halide::select(lost == 0.0F, x, Halide::log(u) * (x / lost));
  return Halide::select(Halide::abs(x) < 0.5F, corrected, Halide::log(u));
}

// The same the other way round: with u = exp(x) rounded, (u - 1) * x / log(u).
Expr expm1_of(const Expr &x) {
  const Expr u = Halide::exp(x);
  const Expr lost = exactly(u - 1.0F);
  const Expr corrected = Halide::select(lost == 0.0F, x, lost * (x / Halide::log(u)));
  return Halide::select(Halide::abs(x) < 0.5F, corrected, lost);
}

Expr exp_of_negative(const Expr &x) {
  constexpr float smallest_exponent = -87.0F; // exp(-87) is about the smallest normal float
  return Halide::exp(Halide::max(x, smallest_exponent));
}

std::vector<Expr> extents_from(const Tensor &tensor, int begin) {
  std::vector<Expr> extents;
  for (int i = begin; i < tensor.type().rank(); ++i)
    extents.push_back(tensor.extent(i));
  return extents;
}

Index joined(const Index &a, const Index &b) {
  Index result = a;
  result.insert(result.end(), b.begin(), b.end());
  return result;
}

Expr element_count(const std::vector<Expr> &extents) {
  Expr count = 1.0F; // as floats from the start: the batch times the rest may exceed an int32
  for (const Expr &extent : extents)
    count = count * Halide::cast<float>(extent);
  return count;
}

Tensor reduce_rows(KernelBuilder &k, Reduction reduction, const Tensor &rows,
                   const KernelBuilder::Term &term) {
  const Expr extent = rows.extent(rows.type().rank() - 1);
  return k.reduce(reduction, without_last(rows.type().shape), {extent}, term);
}

Tensor row_maximum(KernelBuilder &k, const Tensor &rows) {
  return reduce_rows(k, Reduction::maximum, rows,
                     [&](const Index &i, const Index &r) { return rows(joined(i, r)); });
}

Tensor row_argmax(KernelBuilder &k, const Tensor &rows) {
  const Tensor maximum = row_maximum(k, rows);
  const Expr last = rows.extent(rows.type().rank() - 1) - 1;
  return reduce_rows(k, Reduction::minimum, rows, [&](const Index &i, const Index &r) {
    return Halide::select(rows(joined(i, r)) >= maximum(i), r[0], last);
  });
}

} // namespace sinter

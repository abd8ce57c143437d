#include "ir/ops/compute_math.h"

#include "ir/ops/rules.h"

namespace sinter {

using Halide::Expr;

Expr exactly(const Expr &x) { return Halide::strict_float(x); }

namespace {

constexpr int32_t kInfinityBits = 0x7F800000;

Expr bits_of(const Expr &x) { return Halide::reinterpret(Halide::Int(32), x); }

} // namespace

Expr holds_nan(const Expr &x) {
  if (!x.type().is_float())
    return Halide::Internal::const_false();
  return (bits_of(x) & 0x7FFFFFFF) > kInfinityBits;
}

// Halide's simplifier takes a >= b for !(a < b), which a NaN makes true.
Expr at_least(const Expr &a, const Expr &b) {
  return a.type().is_float() ? exactly(a > b || a == b) || holds_nan(a) : a >= b;
}

Expr larger_of(const Expr &a, const Expr &b) {
  return a.type().is_float() ? exactly(Halide::select(at_least(a, b), a, b)) : Halide::max(a, b);
}

Expr smaller_of(const Expr &a, const Expr &b) {
  return a.type().is_float() ? exactly(Halide::select(a < b || a == b || holds_nan(a), a, b))
                             : Halide::min(a, b);
}

// Exactly these choices: a vector maximum or minimum whose second operand is x, which it gives when
// one is NaN.
Expr at_least_number(const Expr &x, float number) {
  return exactly(Halide::select(x < number, number, x));
}

Expr at_most_number(const Expr &x, float number) {
  return exactly(Halide::select(x > number, number, x));
}

Expr is_extreme(const Expr &x, const Expr &extreme) {
  return exactly(x == extreme) || holds_nan(x);
}

Expr choose_bits(const Expr &condition, const Expr &x, const Expr &y) {
  return Halide::reinterpret(Halide::Float(32), Halide::select(condition, bits_of(x), bits_of(y)));
}

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

Expr pixel_or(const Tensor &image, const Index &index, const Expr &outside) {
  const int height = as_int(image.type().shape[1]), width = as_int(image.type().shape[2]);
  const Expr &y = index[1], &x = index[2];
  const Expr inside = y >= 0 && y < height && x >= 0 && x < width;
  const Expr value =
      image({index[0], Halide::clamp(y, 0, height - 1), Halide::clamp(x, 0, width - 1), index[3]});
  return Halide::select(inside, value, outside);
}

Expr pixel_or_zero_beside(const Tensor &image, const Index &index) {
  const int height = as_int(image.type().shape[1]), width = as_int(image.type().shape[2]);
  const Expr &y = index[1], &x = index[2];
  const Expr inside = y >= 0 && y < height && x >= 0 && x < width;
  const Expr value = image({index[0], Halide::clamp(Halide::likely(y), 0, height - 1),
                            Halide::clamp(Halide::likely(x), 0, width - 1), index[3]});
  return Halide::select(Halide::likely(inside), value, 0.0F);
}

void define_sum_of_taps(KernelBuilder &k, int taps, const KernelBuilder::Term &term) {
  constexpr int most_unrolled = 16;
  if (taps > most_unrolled) {
    k.define_sum({taps}, term);
    return;
  }
  k.define([&](const Index &index) {
    Expr sum = term(index, {0});
    for (int tap = 1; tap < taps; ++tap)
      sum = sum + term(index, {tap});
    return sum;
  });
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
  return exactly(Halide::select(x < 0.0F, 0.0F, x)) + log1p_of(exp_of_negative(-Halide::abs(x)));
}

// With u = 1 + x rounded, log(u) * x / (u - 1): what u lost is made up for by the factor, because
// log(u) / (u - 1) hardly changes near u. (W. Kahan, in HP's Advanced Functions Handbook.)
Expr log1p_of(const Expr &x) {
  const Expr u = exactly(1.0F + x);
  const Expr lost = exactly(u - 1.0F);
  const Expr logarithm = log_of(u);
  const Expr corrected = Halide::select(lost == 0.0F, x, logarithm * (x / lost));
  return Halide::select(Halide::abs(x) < 0.5F, corrected, logarithm);
}

// The same the other way round: with u = exp(x) rounded, (u - 1) * x / log(u).
Expr expm1_of(const Expr &x) {
  const Expr u = exp_of(x);
  const Expr lost = exactly(u - 1.0F);
  const Expr corrected = Halide::select(lost == 0.0F, x, lost * (x / Halide::log(u)));
  return Halide::select(Halide::abs(x) < 0.5F, corrected, lost);
}

// Beyond the largest exponent Halide's result is infinite, but for an infinity itself.
Expr exp_of(const Expr &x) {
  constexpr float overflows = 89.0F;
  return choose_bits(holds_nan(x), x, Halide::exp(Halide::min(x, overflows)));
}

Expr log_of(const Expr &x) {
  return choose_bits(holds_nan(x) || bits_of(x) == kInfinityBits, x, Halide::log(x));
}

Expr erf_of(const Expr &x) {
  constexpr float nearly_one = 4.0F; // 1 - erf(4) is less than half of what a float tells from 1
  return choose_bits(holds_nan(x), x, Halide::erf(Halide::clamp(x, -nearly_one, nearly_one)));
}

Expr exp_of_negative(const Expr &x) {
  constexpr float smallest_exponent = -87.0F; // exp(-87) is about the smallest normal float
  return choose_bits(holds_nan(x), x, Halide::exp(Halide::max(x, smallest_exponent)));
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

Index moved(Index index, size_t axis, const Expr &position) {
  index[axis] = position;
  return index;
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
    return Halide::select(is_extreme(rows(joined(i, r)), maximum(i)), r[0], last);
  });
}

} // namespace sinter

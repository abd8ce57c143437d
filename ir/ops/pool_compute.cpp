// The algorithms of pooling. Small windows are spelled out as one expression, so that a schedule
// can fuse them into their producer or consumer like any elementwise op; large ones reduce.

#include "ir/kernel_builder.h"
#include "ir/ops/compute.h"
#include "ir/ops/compute_math.h"

#include <algorithm>

namespace sinter {

using Halide::Expr;

namespace {

/// Windows up to this many positions become one expression.
constexpr int64_t kMaxUnrolledWindow = 16;

/// One spatial dimension of a pooling: output o covers input o * stride - before + k * dilation for
/// k in [0, size).
struct Axis {
  int size, stride, dilation, before;
  int input, output;

  /// Whether some window leaves the input.
  bool padded() const {
    return before > 0 || (output - 1) * stride - before + (size - 1) * dilation >= input;
  }
  /// How many windows can hold one input position: a dilated one may at each of its positions.
  int overlap() const { return dilation > 1 ? size : (size + stride - 1) / stride; }
  /// Number of real positions of window o.
  Expr count(const Expr &o) const {
    const Expr start = o * stride - before;
    const Expr first = Halide::max((dilation - 1 - start) / dilation, 0);
    return Halide::min((input - 1 - start) / dilation, size - 1) - first + 1;
  }
};

struct Window {
  Axis y, x;
  bool count_include_pad;
  int positions() const { return y.size * x.size; }
  bool padded() const { return y.padded() || x.padded(); }
};

template <typename A> Window window(const A &attrs, const Shape &input, const Shape &output) {
  const auto axis = [&](size_t d) {
    return Axis{static_cast<int>(attrs.size[d]),      static_cast<int>(attrs.strides[d]),
                static_cast<int>(attrs.dilations[d]), static_cast<int>(attrs.padding[d]),
                static_cast<int>(input[d + 1]),       static_cast<int>(output[d + 1])};
  };
  return {axis(0), axis(1), attrs.count_include_pad};
}

Window forward_window(const KernelBuilder &k) {
  return window(k.attrs<Pool2dAttrs>(), k.operand(0).type().shape, k.type().shape);
}

Window gradient_window(const KernelBuilder &k) {
  return window(k.attrs<Pool2dGradientAttrs>(), k.type().shape, k.operand(0).type().shape);
}

/// Input value at position (ky, kx) of the window of a result index; `outside` where padded.
Expr at_position(const Window &w, const Tensor &x, const Index &index, const Expr &ky,
                 const Expr &kx, const Expr &outside) {
  const Expr y = index[1] * w.y.stride - w.y.before + ky * w.y.dilation;
  const Expr column = index[2] * w.x.stride - w.x.before + kx * w.x.dilation;
  const Index at{index[0], y, column, index[3]};
  return w.padded() ? pixel_or(x, at, outside) : x(at);
}

Expr lowest() { return -std::numeric_limits<float>::infinity(); }

/// The reduction over a small window, spelled out. Of a maximum with NaNs the order decides: one
/// instruction a position does not keep them.
Expr over_window(KernelBuilder &k, const Window &w, Reduction reduction, const Index &index,
                 const Expr &outside) {
  const Tensor &x = k.operand(0);
  Expr result;
  for (int ky = 0; ky < w.y.size; ++ky)
    for (int kx = 0; kx < w.x.size; ++kx) {
      const Expr value = at_position(w, x, index, ky, kx, outside);
      if (!result.defined())
        result = value;
      else
        result = reduction == Reduction::sum ? result + value : Halide::max(result, value);
    }
  return result;
}

Tensor reduce_window(KernelBuilder &k, const Window &w, Reduction reduction, const Expr &outside) {
  return k.reduce(reduction, k.type().shape, {w.y.size, w.x.size},
                  [&](const Index &index, const Index &r) {
                    return at_position(w, k.operand(0), index, r[0], r[1], outside);
                  });
}

/// A window along one axis that may hold an input position: the output it belongs to, the
/// position inside it, and whether it exists.
struct Candidate {
  Expr output, position, exists;
};

/// The window whose position `position` is `input`, if there is one.
Candidate window_with(const Axis &axis, const Expr &input, const Expr &position) {
  const Expr shifted = input + axis.before - position * axis.dilation;
  Candidate c;
  c.position = position;
  c.output = shifted / axis.stride;
  c.exists = shifted % axis.stride == 0 && c.output >= 0 && c.output < axis.output;
  c.output = Halide::clamp(c.output, 0, axis.output - 1);
  return c;
}

/// The window `back` steps before the last one that starts at or before `input`; of a dilated
/// pooling the one that holds it at position `back`. Conditions that hold for every `back` of a
/// spelled-out sum are left out.
Candidate covering_window(const Axis &axis, const Expr &input, const Expr &back) {
  if (axis.dilation > 1)
    return window_with(axis, input, back);
  const Expr shifted = input + axis.before;
  const int64_t *known = Halide::Internal::as_const_int(back);
  Candidate c;
  c.output = shifted / axis.stride - back;
  c.position = shifted - c.output * axis.stride;
  c.exists = Halide::Internal::const_true();
  if (!known || (*known + 1) * axis.stride > axis.size)
    c.exists = c.exists && c.position < axis.size;
  if (!known || (axis.input - 1 + axis.before) / axis.stride - *known >= axis.output)
    c.exists = c.exists && c.output < axis.output;
  if (!known || axis.before / axis.stride < *known)
    c.exists = c.exists && c.output >= 0;
  if (!Halide::Internal::is_const_one(c.exists))
    c.output = Halide::clamp(c.output, 0, axis.output - 1);
  return c;
}

/// The term of one window, by (oy, ox) and the position (ky, kx) in it.
using WindowTerm =
    std::function<Expr(const Expr &oy, const Expr &ox, const Expr &ky, const Expr &kx)>;

Expr covering_term(const Window &w, const Index &index, const Expr &back_y, const Expr &back_x,
                   const WindowTerm &term) {
  const Candidate y = covering_window(w.y, index[1], back_y);
  const Candidate x = covering_window(w.x, index[2], back_x);
  return Halide::select(y.exists && x.exists, term(y.output, x.output, y.position, x.position),
                        0.0F);
}

/// result(index) = the sum of `term` over the windows that hold the input position `index`.
/// `make_term` binds the sample and the channel.
void define_over_covering_windows(KernelBuilder &k, const Window &w,
                                  const std::function<WindowTerm(const Index &)> &make_term) {
  if (w.y.overlap() * w.x.overlap() > kMaxUnrolledWindow) {
    k.define_sum({w.y.overlap(), w.x.overlap()}, [&](const Index &index, const Index &r) {
      return covering_term(w, index, r[0], r[1], make_term(index));
    });
    return;
  }
  k.define([&](const Index &index) {
    Expr sum;
    for (int j = 0; j < w.y.overlap(); ++j)
      for (int i = 0; i < w.x.overlap(); ++i) {
        const Expr value = covering_term(w, index, j, i, make_term(index));
        sum = sum.defined() ? sum + value : value;
      }
    return sum;
  });
}

/// What an average divides by at output (oy, ox).
Expr divisor(const Window &w, const Expr &oy, const Expr &ox) {
  if (w.count_include_pad || !w.padded())
    return static_cast<float>(w.positions());
  return Halide::cast<float>(w.y.count(oy) * w.x.count(ox));
}

} // namespace

// y[n,oy,ox,c] = max over the window of x
void compute_max_pool2d(KernelBuilder &k) {
  const Window w = forward_window(k);
  if (w.positions() <= kMaxUnrolledWindow) {
    k.define([&](const Index &i) { return over_window(k, w, Reduction::maximum, i, lowest()); });
    return;
  }
  const Tensor maximum = reduce_window(k, w, Reduction::maximum, lowest());
  k.define([&](const Index &i) { return maximum(i); });
}

// The first position ky * width + kx of the window where x is the maximum.
void compute_max_pool2d_argmax(KernelBuilder &k) {
  const Window w = forward_window(k);
  const Halide::Type type = k.type().element == ElementType::u8 ? Halide::UInt(8) : Halide::Int(32);
  if (w.positions() <= kMaxUnrolledWindow) {
    k.define([&](const Index &index) {
      Expr best = at_position(w, k.operand(0), index, 0, 0, lowest());
      Expr where = Halide::cast(type, 0);
      for (int p = 1; p < w.positions(); ++p) {
        const Expr value =
            at_position(w, k.operand(0), index, p / w.x.size, p % w.x.size, lowest());
        where = Halide::select(value > best, Halide::cast(type, p), where);
        best = Halide::max(best, value);
      }
      return where;
    });
    return;
  }
  const Tensor maximum = reduce_window(k, w, Reduction::maximum, lowest());
  const Tensor first = k.reduce(Reduction::minimum, k.type().shape, {w.y.size, w.x.size},
                                [&](const Index &index, const Index &r) {
                                  const Expr value =
                                      at_position(w, k.operand(0), index, r[0], r[1], lowest());
                                  return Halide::select(is_extreme(value, maximum(index)),
                                                        r[0] * w.x.size + r[1], w.positions() - 1);
                                });
  k.define([&](const Index &index) { return Halide::cast(type, first(index)); });
}

// dx[n,y,x,c] = sum of dy[n,oy,ox,c] over the windows whose maximum stands at (y,x)
void compute_max_pool2d_gradient(KernelBuilder &k) {
  const Window w = gradient_window(k);
  const Tensor &dy = k.operand(0);
  const Tensor &positions = k.operand(1);
  define_over_covering_windows(k, w, [&](const Index &index) -> WindowTerm {
    return [&](const Expr &oy, const Expr &ox, const Expr &ky, const Expr &kx) {
      const Index at{index[0], oy, ox, index[3]};
      const Expr position = positions(at);
      const Expr here = Halide::cast(position.type(), ky * w.x.size + kx);
      return Halide::select(position == here, dy(at), 0.0F);
    };
  });
}

// y[n,oy,ox,c] = sum over the window of x / count(oy,ox)
void compute_average_pool2d(KernelBuilder &k) {
  const Window w = forward_window(k);
  if (w.positions() <= kMaxUnrolledWindow) {
    k.define([&](const Index &i) {
      return over_window(k, w, Reduction::sum, i, 0.0F) / divisor(w, i[1], i[2]);
    });
    return;
  }
  const Tensor sum = reduce_window(k, w, Reduction::sum, 0.0F);
  k.define([&](const Index &i) { return sum(i) / divisor(w, i[1], i[2]); });
}

// dx[n,y,x,c] = sum of dy[n,oy,ox,c] / count(oy,ox) over the windows that hold (y,x)
void compute_average_pool2d_gradient(KernelBuilder &k) {
  const Window w = gradient_window(k);
  const Tensor &dy = k.operand(0);
  define_over_covering_windows(k, w, [&](const Index &index) -> WindowTerm {
    return [&](const Expr &oy, const Expr &ox, const Expr &, const Expr &) {
      return dy({index[0], oy, ox, index[3]}) / divisor(w, oy, ox);
    };
  });
}

} // namespace sinter

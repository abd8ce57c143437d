#include "ir/kernel_builder.h"
#include "ir/ops/by_position.h"
#include "ir/ops/compute_math.h"

namespace sinter {

using Halide::Expr;

bool is_by_position(const Shape &result, const Shape &filter, int64_t groups) {
  constexpr int64_t most_positions = 16; // larger images fill tiles, and little of them is border
  constexpr int64_t least_values = int64_t{1} << 16; // of a filter
  return result[0] == kBatch && result[1] * result[2] <= most_positions && groups == 1 &&
         filter[0] * filter[1] * filter[2] * filter[3] >= least_values && filter[2] % kLanes == 0 &&
         filter[3] % kLanes == 0;
}

namespace {

/// Where a tap leads in one dimension, held inside, and whether it leads there.
struct Place {
  Expr at, inside;
};

/// The input's position under a tap of a window.
Place under_tap(const Conv2dAttrs &attrs, size_t d, const Expr &window, const Expr &tap,
                int64_t extent) {
  const Expr at = window * as_int(attrs.strides[d]) + tap * as_int(attrs.dilations[d]) -
                  as_int(attrs.padding[d]);
  return {Halide::clamp(at, 0, as_int(extent) - 1), at >= 0 && at < as_int(extent)};
}

/// The window whose tap lies on a position of the input.
Place window_over(const Conv2dAttrs &attrs, size_t d, const Expr &position, const Expr &tap,
                  int64_t windows) {
  const int stride = as_int(attrs.strides[d]);
  const Expr at =
      position + as_int(attrs.padding[d]) - tap * as_int(attrs.dilations[d]); // in the input
  Expr inside = at >= 0 && at <= (as_int(windows) - 1) * stride;
  if (stride > 1)
    inside = inside && at % stride == 0;
  return {Halide::clamp(at / stride, 0, as_int(windows) - 1), inside};
}

/// The filter's storage block where it divides the filters, else all of them.
int64_t block_of_steps(const TensorType &filter) {
  const int64_t filters = filter.shape[3];
  return filter.blocked() && filters % filter.block == 0 ? filter.block : filters;
}

Tensor images_innermost(KernelBuilder &k, const Tensor &x) {
  const Shape &shape = x.type().shape;
  const Expr count = x.extent(0);
  return k.copy({ElementType::f32, {shape[1], shape[2], shape[3], shape[0]}, 0}, "images",
                [&](const Index &i) {
                  return x({Halide::min(i[3], count - 1), i[0], i[1], i[2]});
                });
}

/// The input as it is, with some image beyond the last one.
Tensor positions_of(KernelBuilder &k) {
  const Tensor &x = k.operand(0);
  const Expr last = x.extent(0) - 1;
  return k.copy({ElementType::f32, x.type().shape, 0}, "positions", [&](const Index &i) {
    return x({Halide::min(i[0], last), i[1], i[2], i[3]});
  });
}

} // namespace

// y[n,oy,ox,o] = sum over ky,kx,i of x[n, oy*s+ky*d-p, ox*s+kx*d-p, i] * w[ky,kx,i,o]
Tensor convolve_by_position(KernelBuilder &k, const Tensor &filter) {
  const auto &attrs = k.attrs<Conv2dAttrs>();
  const Shape &x = k.operand(0).type().shape;
  const Shape &taps = filter.type().shape;
  const Tensor positions = positions_of(k);
  const auto place = [&](const Index &i, const Index &r, size_t d) {
    return under_tap(attrs, d, i[d + 1], r[d], x[d + 1]);
  };
  return k.reduce(
      Reduction::sum, k.type().shape, {as_int(taps[0]), as_int(taps[1]), as_int(taps[2])},
      [&](const Index &i, const Index &r) {
        return positions({i[0], place(i, r, 0).at, place(i, r, 1).at, r[2]}) *
               filter({r[0], r[1], r[2], i[3]});
      },
      [&](const Index &i, const Index &r) {
        return place(i, r, 0).inside && place(i, r, 1).inside;
      });
}

// dx[n,y,x,i] = sum over ky,kx,o of dy[n,oy,ox,o] * w[ky,kx,i,o], oy*s - p + ky*d = y (and so for
// x). Filters run over their blocks: within one, neighbours follow each other in memory.
void define_input_gradient_by_position(KernelBuilder &k) {
  const auto &attrs = k.attrs<Conv2dGradientAttrs>();
  const Shape &dy = k.operand(0).type().shape;
  const Tensor &filter = k.operand(1);
  const Shape &taps = filter.type().shape;
  const Tensor images = images_innermost(k, k.operand(0));
  const Shape &shape = k.type().shape;
  const Expr last = as_int(shape[3] - 1);
  const int64_t block = block_of_steps(filter.type());
  const auto place = [&](const Index &i, const Index &r, size_t d) {
    return window_over(attrs, d, i[d], r[d], dy[d + 1]);
  };
  const Tensor sum = k.reduce(
      Reduction::sum, {shape[1], shape[2], shape[3], shape[0]},
      {as_int(taps[0]), as_int(taps[1]), as_int(taps[3] / block), as_int(block)},
      [&](const Index &i, const Index &r) {
        const Expr o = r[2] * as_int(block) + r[3];
        const Expr c = Halide::min(i[2], last);
        const Expr weight = filter.type().block == block
                                ? filter.at_storage({r[2], r[0], r[1], c, r[3]})
                                : filter({r[0], r[1], c, o});
        return images({place(i, r, 0).at, place(i, r, 1).at, o, i[3]}) * weight;
      },
      [&](const Index &i, const Index &r) {
        return place(i, r, 0).inside && place(i, r, 1).inside;
      });
  k.define([&](const Index &i) { return sum({i[1], i[2], i[3], i[0]}); });
}

// dw[ky,kx,i,o] = sum over oy,ox,n of x[n, oy*s+ky*d-p, ox*s+kx*d-p, i] * dy[n,oy,ox,o], over the
// storage of dw
void define_filter_gradient_by_position(KernelBuilder &k) {
  const auto &attrs = k.attrs<Conv2dGradientAttrs>();
  const TensorType &result = k.type();
  const Shape &x = k.operand(0).type().shape;
  const Tensor &dy = k.operand(1);
  const Shape &shape = dy.type().shape;
  const Tensor positions = positions_of(k);
  const Expr filters = as_int(shape[3]);
  const bool overhangs = result.blocked() && shape[3] % result.block != 0;
  const Tensor gradient = k.copy(
      {ElementType::f32,
       {shape[0], shape[1], shape[2],
        result.storage_shape().back() * (result.blocked() ? result.storage_shape().front() : 1)},
       0},
      "gradient", [&](const Index &i) {
        if (!overhangs)
          return dy(i);
        const Expr value = dy({i[0], i[1], i[2], Halide::min(i[3], filters - 1)});
        return Halide::select(i[3] < filters, value, 0.0F);
      });
  const size_t taps = result.blocked() ? 1 : 0; // where ky stands
  const auto place = [&](const Index &i, const Index &r, size_t d) {
    return under_tap(attrs, d, r[d], i[taps + d], x[d + 1]);
  };
  const Tensor sum = k.reduce(
      Reduction::sum, result.storage_shape(), {as_int(shape[1]), as_int(shape[2]), dy.extent(0)},
      [&](const Index &i, const Index &r) {
        const Expr o = result.blocked() ? i[0] * as_int(result.block) + i.back() : i.back();
        return positions({r[2], place(i, r, 0).at, place(i, r, 1).at, i[taps + 2]}) *
               gradient({r[2], r[0], r[1], o});
      },
      [&](const Index &i, const Index &r) {
        return place(i, r, 0).inside && place(i, r, 1).inside;
      });
  k.define_storage([&](const Index &i) { return sum(i); });
}

} // namespace sinter

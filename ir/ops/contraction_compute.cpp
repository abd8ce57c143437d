// The algorithms of convolutions and matrix products. They are written so that a schedule can
// place the copies (padded input, packed filter) and the partial sums anywhere:
//
//   op                              copies              reductions, in order
//   conv2d                          padded, [filter]    sum [and by_position.h]
//   conv2d_input_gradient           padded, filter      sum, one for each residue by the strides
//   conv2d_filter_gradient          padded, gradient    image, chunk, total
//   gradients of small images       by_position.h
//   matmul                          [right]             [part], sum
//   matmul with transpose_b         left                sum
//   batch_matmul                                        sum
//
// What stands in brackets is there when needed. Copies are defined for every index, so that
// register tiles may overhang the result.

#include "ir/diagnostics.h"
#include "ir/kernel_builder.h"
#include "ir/ops/by_position.h"
#include "ir/ops/compute.h"
#include "ir/ops/compute_math.h"
#include "ir/ops/window.h"

#include <algorithm>
#include <optional>

namespace sinter {

using Halide::Expr;

namespace {

int64_t round_up(int64_t value, int64_t multiple) {
  return (value + multiple - 1) / multiple * multiple;
}

/// The index, held below the extent: a tile that overhangs reads some element of the operand.
Expr held(const Expr &index, const Expr &extent) { return Halide::min(index, extent - 1); }

/// A stride, dilation and group structure of a convolution with everything resolved.
struct Geometry {
  std::array<int, 2> strides;
  std::array<int, 2> dilations;
  int channels_per_group; // of the convolved input
  int filters_per_group;  // of the result
};

/// The input channel that filter `o` reads at reduction index `r`.
Expr channel(const Geometry &g, const Expr &o, const Expr &r, int64_t groups) {
  if (groups == 1)
    return r;
  if (g.channels_per_group == 1)
    return g.filters_per_group == 1 ? o : o / g.filters_per_group;
  return o / g.filters_per_group * g.channels_per_group + r;
}

/// result(n,y,x,o) = sum over ky,kx,i of input(n, y*s + ky*d, x*s + kx*d, channel) * filter.
Tensor convolve(KernelBuilder &k, const Tensor &input, const Tensor &filter, const Geometry &g,
                int64_t groups) {
  const Shape &taps = filter.type().shape;
  const int filters = as_int(k.type().shape[3]);
  return k.reduce(Reduction::sum, k.type().shape,
                  {as_int(taps[0]), as_int(taps[1]), as_int(taps[2])},
                  [&](const Index &i, const Index &r) {
                    const bool overhangs = groups != 1 && filters % kLanes != 0;
                    const Expr c = channel(g, overhangs ? held(i[3], filters) : i[3], r[2], groups);
                    return input({i[0], i[1] * g.strides[0] + r[0] * g.dilations[0],
                                  i[2] * g.strides[1] + r[1] * g.dilations[1], c}) *
                           filter({r[0], r[1], r[2], i[3]});
                  });
}

/// x with its zero padding, as a [N,h,w,c] copy of the extents that the windows reach; `in_place`,
/// fit for loops that make no copy of it.
template <typename A>
Tensor padded_input(KernelBuilder &k, const Tensor &x, const A &attrs, bool in_place = false) {
  const Shape &shape = x.type().shape;
  const int top = as_int(attrs.padding[0]), left = as_int(attrs.padding[1]);
  const int height = as_int(shape[1]), width = as_int(shape[2]);
  const bool zeros = attrs.padding != std::array<int64_t, 4>{};
  const TensorType type{ElementType::f32,
                        {shape[0], shape[1] + attrs.padding[0] + attrs.padding[2],
                         shape[2] + attrs.padding[1] + attrs.padding[3], shape[3]},
                        0};
  return k.copy(type, "padded", [&](const Index &i) {
    if (!zeros)
      return x({i[0], held(i[1], height), held(i[2], width), i[3]});
    const Index at{i[0], i[1] - top, i[2] - left, i[3]};
    return in_place ? pixel_or_zero_beside(x, at) : pixel_or(x, at, 0.0F);
  });
}

/// dy spread out by the strides and padded, so that the input gradient is a plain convolution of
/// it: copy(Y, X) = dy((Y - before) / s) where that is whole and inside, else 0, with
/// before = (size - 1) * d - padding.
Tensor spread_gradient(KernelBuilder &k, const Tensor &dy, const Shape &filter,
                       const Conv2dGradientAttrs &attrs) {
  const Shape &shape = dy.type().shape;
  std::array<int64_t, 2> span{};
  for (size_t d = 0; d < 2; ++d)
    span[d] = window_span(filter[d], attrs.dilations[d]);
  const TensorType type{
      ElementType::f32,
      {shape[0], attrs.size[0] + span[0] - 1, attrs.size[1] + span[1] - 1, shape[3]},
      0};
  return k.copy(type, "padded", [&](const Index &i) {
    Expr inside = Halide::Internal::const_true();
    Index at = i;
    for (size_t d = 0; d < 2; ++d) {
      const int stride = as_int(attrs.strides[d]);
      const int extent = as_int(shape[d + 1]);
      const Expr position = i[d + 1] - as_int(span[d] - 1 - attrs.padding[d]);
      inside = inside && position >= 0 && position <= (extent - 1) * stride;
      if (stride > 1)
        inside = inside && position % stride == 0;
      at[d + 1] = Halide::clamp(position / stride, 0, extent - 1);
    }
    return Halide::select(inside, dy(at), 0.0F);
  });
}

} // namespace

void compute_conv2d(KernelBuilder &k) {
  const auto &attrs = k.attrs<Conv2dAttrs>();
  const Shape &taps = k.operand(1).type().shape;
  const bool depthwise = taps[2] == 1 && attrs.groups == taps[3];
  const Tensor input = padded_input(k, k.operand(0), attrs, depthwise);
  const Tensor filter = packed(k, k.operand(1), "filter");
  const Tensor sum = convolve(k, input, filter,
                              {{as_int(attrs.strides[0]), as_int(attrs.strides[1])},
                               {as_int(attrs.dilations[0]), as_int(attrs.dilations[1])},
                               as_int(taps[2]),
                               as_int(taps[3] / attrs.groups)},
                              attrs.groups);
  if (!is_by_position(k.type().shape, taps, attrs.groups)) {
    k.define([&](const Index &i) { return sum(i); });
    return;
  }
  const Tensor of_many = convolve_by_position(k, filter);
  k.define([&](const Index &i) {
    return Halide::select(k.extent(0) >= kManyImages, of_many(i), sum(i));
  });
}

namespace {

/// The part of an input gradient at y = q * stride + residue: sum over j < taps of
/// dy(q + shift - j) * w(first_tap + j * stride).
struct Phase {
  int first_tap, taps, shift;
};

std::vector<Phase> phases(int stride, int size, int padding) {
  std::vector<Phase> result;
  for (int residue = 0; residue < stride; ++residue) {
    const int first = (residue + padding) % stride;
    result.push_back(
        {first, std::max(0, (size - first + stride - 1) / stride), (residue + padding) / stride});
  }
  return result;
}

/// dy with the zeros that all phases reach: copy(Y, X) = dy(Y - before, X - before).
struct PhasedGradient {
  std::array<std::vector<Phase>, 2> phases;
  std::array<int, 2> before{};
  std::array<int64_t, 2> positions{}; // q
  std::array<int64_t, 2> extents{};   // of the copy
};

PhasedGradient phased_gradient(const Conv2dGradientAttrs &attrs, const Shape &filter) {
  PhasedGradient g;
  for (size_t d = 0; d < 2; ++d) {
    const int64_t stride = attrs.strides[d];
    g.phases[d] = phases(as_int(stride), as_int(filter[d]), as_int(attrs.padding[d]));
    g.before[d] = as_int((filter[d] + stride - 1) / stride - 1);
    g.positions[d] = (attrs.size[d] + stride - 1) / stride;
    g.extents[d] = g.before[d] + g.positions[d] + g.phases[d].back().shift;
  }
  return g;
}

/// A convolution for each pair of residues: none of them multiplies by the zeros that spreading dy
/// would put between its elements.
void define_by_phases(KernelBuilder &k, const Conv2dGradientAttrs &attrs) {
  const Tensor &dy = k.operand(0);
  const Tensor &filter = k.operand(1);
  const Shape &taps = filter.type().shape;
  const Shape &shape = dy.type().shape;
  const int channels = as_int(taps[2]), filters = as_int(taps[3] / attrs.groups);
  const int all_channels = as_int(k.type().shape[3]);
  const PhasedGradient g = phased_gradient(attrs, taps);
  const Tensor input =
      k.copy({ElementType::f32, {shape[0], g.extents[0], g.extents[1], shape[3]}, 0}, "padded",
             [&](const Index &i) {
               return pixel_or(dy, {i[0], i[1] - g.before[0], i[2] - g.before[1], i[3]}, 0.0F);
             });
  const int64_t lanes = all_channels % (2 * kLanes) == 0 ? 2 * kLanes : kLanes;
  const Tensor turned =
      k.copy({ElementType::f32, {taps[0], taps[1], filters, all_channels}, lanes}, "filter",
             [&](const Index &i) {
               return filter({i[0], i[1], i[3] % channels, i[3] / channels * filters + i[2]});
             });
  const Geometry geometry{{1, 1}, {1, 1}, filters, channels};
  const bool overhangs = attrs.groups != 1 && all_channels % kLanes != 0;
  const auto sum = [&](const Phase &py, const Phase &px) {
    return k.reduce(Reduction::sum, {shape[0], g.positions[0], g.positions[1], k.type().shape[3]},
                    {py.taps, px.taps, filters}, [&](const Index &i, const Index &r) {
                      const Expr to = overhangs ? held(i[3], all_channels) : i[3];
                      const Expr from = channel(geometry, to, r[2], attrs.groups);
                      return input({i[0], i[1] + py.shift + g.before[0] - r[0],
                                    i[2] + px.shift + g.before[1] - r[1], from}) *
                             turned({py.first_tap + r[0] * as_int(attrs.strides[0]),
                                     px.first_tap + r[1] * as_int(attrs.strides[1]), r[2], i[3]});
                    });
  };
  std::vector<std::vector<std::optional<Tensor>>> sums;
  for (const Phase &py : g.phases[0]) {
    sums.emplace_back();
    for (const Phase &px : g.phases[1])
      sums.back().push_back(py.taps > 0 && px.taps > 0 ? std::optional<Tensor>(sum(py, px))
                                                       : std::nullopt);
  }
  const int stride_y = as_int(attrs.strides[0]), stride_x = as_int(attrs.strides[1]);
  k.define([&](const Index &i) {
    Expr value = 0.0F;
    for (int y = 0; y < stride_y; ++y)
      for (int x = 0; x < stride_x; ++x)
        if (const auto &part = sums[static_cast<size_t>(y)][static_cast<size_t>(x)])
          value = Halide::select(i[1] % stride_y == y && i[2] % stride_x == x,
                                 (*part)({i[0], i[1] / stride_y, i[2] / stride_x, i[3]}), value);
    return value;
  });
}

/// Larger strides are rare, and their many phases would be much code.
bool is_phased(const Conv2dGradientAttrs &attrs) {
  const bool strided = attrs.strides[0] > 1 || attrs.strides[1] > 1;
  return strided && attrs.strides[0] <= 2 && attrs.strides[1] <= 2 &&
         attrs.dilations == std::array<int64_t, 2>{1, 1};
}

} // namespace

// dx[n,y,x,i] = sum of dy[n,oy,ox,o] * w[ky,kx,i,o] over oy*s - p + ky*d = y (and so for x):
// by phases, or a convolution of stride 1 of the spread gradient with the filter turned around and
// its last two dimensions exchanged.
void compute_conv2d_input_gradient(KernelBuilder &k) {
  const auto &attrs = k.attrs<Conv2dGradientAttrs>();
  if (is_by_position(k.operand(0).type().shape, k.operand(1).type().shape, attrs.groups)) {
    define_input_gradient_by_position(k);
    return;
  }
  if (is_phased(attrs)) {
    define_by_phases(k, attrs);
    return;
  }
  const Tensor &filter = k.operand(1);
  const Shape &taps = filter.type().shape;
  const int channels = as_int(taps[2]);               // input channels a group
  const int filters = as_int(taps[3] / attrs.groups); // filters a group
  const int height = as_int(taps[0]), width = as_int(taps[1]);
  const Tensor input = spread_gradient(k, k.operand(0), taps, attrs);
  const int64_t lanes = k.type().shape[3] % (2 * kLanes) == 0 ? 2 * kLanes : kLanes;
  const TensorType type{ElementType::f32, {taps[0], taps[1], filters, k.type().shape[3]}, lanes};
  const Tensor turned = k.copy(type, "filter", [&](const Index &i) {
    return filter(
        {height - 1 - i[0], width - 1 - i[1], i[3] % channels, i[3] / channels * filters + i[2]});
  });
  const Tensor sum = convolve(
      k, input, turned,
      {{1, 1}, {as_int(attrs.dilations[0]), as_int(attrs.dilations[1])}, filters, channels},
      attrs.groups);
  k.define([&](const Index &i) { return sum(i); });
}

namespace {

/// Samples summed one after the other by one task of a filter gradient. A constant, so that the
/// order of summation depends on the batch alone; more for large filters, whose partial sums
/// would not stay in a cache.
int samples_per_chunk(int64_t filter_bytes) {
  constexpr int64_t cached = 512 * 1024;
  return filter_bytes <= cached ? 8 : 1024;
}

} // namespace

// dw[ky,kx,i,o] = sum over n,oy,ox of x[n, oy*s+ky*d-p, ox*s+kx*d-p, i] * dy[n,oy,ox,o], over the
// storage of dw: first a sample, then the samples of a chunk, then the chunks.
void compute_conv2d_filter_gradient(KernelBuilder &k) {
  const auto &attrs = k.attrs<Conv2dGradientAttrs>();
  if (is_by_position(k.operand(1).type().shape, k.type().shape, attrs.groups)) {
    define_filter_gradient_by_position(k);
    return;
  }
  const TensorType &result = k.type();
  const Tensor &dy = k.operand(1);
  const Shape &dy_shape = dy.type().shape;
  const int filters = as_int(dy_shape[3]);
  const Tensor x = padded_input(k, k.operand(0), attrs);
  const int64_t lanes = round_up(filters, result.blocked() ? result.block : kLanes);
  const Tensor gradient =
      k.copy({ElementType::f32, {dy_shape[0], dy_shape[1], dy_shape[2], lanes}, 0}, "gradient",
             [&](const Index &i) {
               if (lanes == filters)
                 return dy(i);
               const Expr value = dy({i[0], i[1], i[2], held(i[3], filters)});
               return Halide::select(i[3] < filters, value, 0.0F);
             });

  const Geometry g{{as_int(attrs.strides[0]), as_int(attrs.strides[1])},
                   {as_int(attrs.dilations[0]), as_int(attrs.dilations[1])},
                   as_int(result.shape[2]),
                   as_int(filters / attrs.groups)};
  const Expr batch = dy.extent(0);
  const int samples = samples_per_chunk(result.storage_bytes());
  Shape storage = result.storage_shape();
  storage.insert(storage.begin(), dy_shape[0]); // the sample or, then, the chunk
  const size_t taps = result.blocked() ? 2 : 1; // where ky stands
  const Tensor image = k.reduce(
      Reduction::sum, storage, {as_int(dy_shape[1]), as_int(dy_shape[2])},
      [&](const Index &i, const Index &r) {
        const Expr o = result.blocked() ? i[1] * as_int(result.block) + i.back() : i.back();
        const Expr c =
            channel(g, attrs.groups == 1 ? o : held(o, filters), i[taps + 2], attrs.groups);
        return x({i[0], r[0] * g.strides[0] + i[taps] * g.dilations[0],
                  r[1] * g.strides[1] + i[taps + 1] * g.dilations[1], c}) *
               gradient({i[0], r[0], r[1], o});
      });
  if (dy_shape[0] != kBatch)
    storage[0] = (dy_shape[0] + samples - 1) / samples;
  const auto sample = [&](const Index &i, const Index &r) { return i[0] * samples + r[0]; };
  const Tensor chunk = k.reduce(
      Reduction::sum, storage, {samples},
      [&](const Index &i, const Index &r) {
        Index at = i;
        at[0] = held(sample(i, r), batch);
        return image(at);
      },
      [&](const Index &i, const Index &r) { return sample(i, r) < batch; });
  storage.erase(storage.begin());
  const Tensor total = k.reduce(Reduction::sum, storage, {(batch + samples - 1) / samples},
                                [&](const Index &i, const Index &r) {
                                  Index at{r[0]};
                                  at.insert(at.end(), i.begin(), i.end());
                                  return chunk(at);
                                });
  k.define_storage([&](const Index &i) { return total(i); });
}

namespace {

/// Long static sums are made of chunks, so that the rows of the right factor that a chunk needs
/// stay in a cache while all rows of the left one pass.
int chunk_length(int64_t length) {
  constexpr int64_t longest = 128;
  const int64_t chunks = (length + longest - 1) / longest;
  return as_int((length + chunks - 1) / chunks);
}

/// a . b with b's rows contiguous: vectors run along the result's last dimension.
void define_product(KernelBuilder &k, bool transpose_a) {
  const Tensor &a = k.operand(0);
  const Tensor b = packed(k, k.operand(1), "right");
  const TensorType &type = k.type();
  const Expr rows = k.extent(0);
  const auto term = [&](const Expr &row, const Expr &column, const Expr &r) {
    const Expr held_row = held(row, rows);
    return (transpose_a ? a({r, held_row}) : a({held_row, r})) * b({r, column});
  };
  const auto column = [&](const Index &i, size_t first) -> Expr {
    return type.blocked() ? i[first] * as_int(type.block) + i[first + 2] : i[first + 1];
  };
  const auto row = [&](const Index &i, size_t first) {
    return i[first + (type.blocked() ? 1 : 0)];
  };

  const Shape storage = type.storage_shape();
  const int64_t length = b.type().shape[0];
  const int chunk = length == kBatch ? 0 : chunk_length(length);
  if (length == kBatch || chunk == length) {
    const Tensor sum =
        k.reduce(Reduction::sum, storage, {b.extent(0)}, [&](const Index &i, const Index &r) {
          return term(row(i, 0), column(i, 0), r[0]);
        });
    k.define_storage([&](const Index &i) { return sum(i); });
    return;
  }
  const int chunks = as_int((length + chunk - 1) / chunk);
  Shape parts{chunks};
  parts.insert(parts.end(), storage.begin(), storage.end());
  KernelBuilder::Predicate inside;
  if (length % chunk != 0)
    inside = [&](const Index &i, const Index &r) { return i[0] * chunk + r[0] < as_int(length); };
  const Tensor part = k.reduce(
      Reduction::sum, parts, {chunk},
      [&](const Index &i, const Index &r) {
        const Expr at = i[0] * chunk + r[0];
        return term(row(i, 1), column(i, 1), inside ? held(at, as_int(length)) : at);
      },
      inside);
  const Tensor sum =
      k.reduce(Reduction::sum, storage, {chunks}, [&](const Index &i, const Index &r) {
        Index at{r[0]};
        at.insert(at.end(), i.begin(), i.end());
        return part(at);
      });
  k.define_storage([&](const Index &i) { return sum(i); });
}

/// a . b^T: both factors run along the sum, so vectors run along the rows of the result (often
/// the batch), over a transposed copy of the left factor.
void define_product_transposed(KernelBuilder &k, bool transpose_a) {
  const Tensor &a = k.operand(0);
  const Tensor &b = k.operand(1);
  const TensorType &type = k.type();
  const Expr rows = k.extent(0);
  const int columns = as_int(type.shape[1]);
  const TensorType left_type{ElementType::f32, {b.type().shape[1], type.shape[0]}, 0};
  const Tensor left = k.copy(left_type, "left", [&](const Index &i) {
    const Expr row = held(i[1], rows);
    return transpose_a ? a({i[0], row}) : a({row, i[0]});
  });
  const Tensor sum = k.reduce(Reduction::sum, {type.shape[1], type.shape[0]}, {b.extent(1)},
                              [&](const Index &i, const Index &r) {
                                return left({r[0], i[1]}) * b({held(i[0], columns), r[0]});
                              });
  k.define([&](const Index &i) { return sum({i[1], i[0]}); });
}

} // namespace

// y[i,j] = sum over r of a[i,r] * b[r,j], either factor transposed
void compute_matmul(KernelBuilder &k) {
  const auto &attrs = k.attrs<MatmulAttrs>();
  if (attrs.transpose_b)
    define_product_transposed(k, attrs.transpose_a);
  else
    define_product(k, attrs.transpose_a);
}

// The same of the matrices at each leading index; an operand whose leading extent is 1 repeats.
void compute_batch_matmul(KernelBuilder &k) {
  const auto &attrs = k.attrs<MatmulAttrs>();
  const auto element = [](const Tensor &x, const Index &index, const Expr &row,
                          const Expr &column) {
    const Shape &shape = x.type().shape;
    const size_t leading = shape.size() - 2;
    Index at(index.end() - 2 - static_cast<int64_t>(leading), index.end() - 2);
    for (size_t i = 0; i < leading; ++i)
      if (shape[i] == 1)
        at[i] = 0;
    at.push_back(row);
    at.push_back(column);
    return x(at);
  };
  const Tensor &a = k.operand(0);
  const Tensor &b = k.operand(1);
  const Expr depth = a.extent(a.type().rank() - (attrs.transpose_a ? 2 : 1));
  k.define_sum({depth}, [&](const Index &index, const Index &r) {
    const Expr &row = index[index.size() - 2];
    const Expr &column = index.back();
    return (attrs.transpose_a ? element(a, index, r[0], row) : element(a, index, row, r[0])) *
           (attrs.transpose_b ? element(b, index, column, r[0]) : element(b, index, r[0], column));
  });
}

} // namespace sinter

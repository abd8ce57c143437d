// The algorithms of gathers.

#include "ir/ops/compute.h"
#include "ir/ops/compute_math.h"

namespace sinter {

using Halide::Expr;

namespace {

/// An index of a value in [-extent, extent), whatever the value holds.
Expr resolved(const Expr &index, const Expr &extent) {
  return Halide::clamp(Halide::select(index < 0, index + extent, index), 0, extent - 1);
}

Index slice(const Index &index, size_t begin, size_t end) {
  return {index.begin() + static_cast<int64_t>(begin), index.begin() + static_cast<int64_t>(end)};
}

/// `index` with the dimension `axis` replaced by `by`.
Index replaced(const Index &index, size_t axis, size_t count, const Index &by) {
  return joined(joined(slice(index, 0, axis), by), slice(index, axis + count, index.size()));
}

/// A value and where along the axis it is added.
struct Scattered {
  Expr position, value;
};

/// result = zeros, and in the order of r every value added at its position: line by line along the
/// axis, so that the order of summation is fixed and lines can share the work.
void define_scatter(KernelBuilder &k, size_t axis, const std::vector<Expr> &extents,
                    const std::function<Scattered(const Index &, const Index &r)> &scattered) {
  const auto zero = [&](const Index &) { return Expr(0.0F); };
  const Tensor sums = k.scan(k.type(), static_cast<int>(axis), zero, extents,
                             [&](const Tensor &so_far, const Index &index, const Index &r) {
                               const Scattered next = scattered(index, r);
                               const Expr sum =
                                   so_far(moved(index, axis, next.position)) + next.value;
                               return KernelBuilder::Step{next.position, sum};
                             });
  k.define([&](const Index &index) { return sums(index); });
}

} // namespace

void compute_gather(KernelBuilder &k) {
  const auto axis = static_cast<size_t>(k.attrs<AxisAttrs>().axis);
  const Tensor &x = k.operand(0);
  const Tensor &indices = k.operand(1);
  const auto rank = static_cast<size_t>(indices.type().rank());
  k.define([&](const Index &index) {
    const Expr chosen =
        resolved(indices(slice(index, axis, axis + rank)), x.extent(static_cast<int>(axis)));
    return x(replaced(index, axis, rank, {chosen}));
  });
}

void compute_gather_gradient(KernelBuilder &k) {
  const auto axis = static_cast<size_t>(k.attrs<GatherGradientAttrs>().axis);
  const Tensor &dy = k.operand(0);
  const Tensor &indices = k.operand(1);
  const Expr extent = k.extent(static_cast<int>(axis));
  if (indices.type().rank() == 0) {
    k.define([&](const Index &index) {
      return Halide::select(resolved(indices({}), extent) == index[axis],
                            dy(replaced(index, axis, 1, {})), 0.0F);
    });
    return;
  }
  define_scatter(k, axis, extents_from(indices, 0), [&](const Index &index, const Index &r) {
    return Scattered{resolved(indices(r), extent), dy(replaced(index, axis, 1, r))};
  });
}

void compute_gather_elements(KernelBuilder &k) {
  const auto axis = static_cast<size_t>(k.attrs<AxisAttrs>().axis);
  const Tensor &x = k.operand(0);
  k.define([&](const Index &index) {
    const Expr chosen = resolved(k.operand(1)(index), x.extent(static_cast<int>(axis)));
    return x(moved(index, axis, chosen));
  });
}

void compute_gather_elements_gradient(KernelBuilder &k) {
  const auto axis = static_cast<size_t>(k.attrs<GatherGradientAttrs>().axis);
  const Tensor &dy = k.operand(0);
  const Expr extent = k.extent(static_cast<int>(axis));
  const std::vector<Expr> extents{dy.extent(static_cast<int>(axis))};
  define_scatter(k, axis, extents, [&](const Index &index, const Index &r) {
    const Index at = moved(index, axis, r[0]);
    return Scattered{resolved(k.operand(1)(at), extent), dy(at)};
  });
}

// The tables are part of the code.
void compute_resample(KernelBuilder &k) {
  const ResampleAttrs attrs = k.attrs<ResampleAttrs>();
  const auto axis = static_cast<size_t>(attrs.axis);
  const Tensor &x = k.operand(0);
  const int taps = as_int(attrs.taps);
  const auto count = static_cast<int>(attrs.indices.size()) / taps;
  Halide::Buffer<int32_t> indices(taps, count);
  for (int i = 0; i < taps * count; ++i)
    indices(i % taps, i / taps) = static_cast<int32_t>(attrs.indices[static_cast<size_t>(i)]);
  Halide::Buffer<float> weights;
  if (!attrs.weights.empty()) {
    weights = Halide::Buffer<float>(taps, count);
    std::copy(attrs.weights.begin(), attrs.weights.end(), weights.begin());
  }
  const Expr last = x.extent(static_cast<int>(axis)) - 1;
  define_sum_of_taps(k, taps, [&](const Index &index, const Index &r) {
    const Index in_table{r[0], index[axis]};
    const Expr chosen = Halide::unsafe_promise_clamped(indices(in_table), 0, last);
    const Expr value = x(moved(index, axis, chosen));
    return weights.defined() ? value * weights(in_table) : value;
  });
}

} // namespace sinter

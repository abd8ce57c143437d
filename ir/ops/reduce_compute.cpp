// The algorithms of reductions and broadcast.

#include "ir/ops/compute.h"
#include "ir/ops/compute_math.h"

#include <algorithm>

namespace sinter {

using Halide::Expr;

namespace {

bool contains(const std::vector<int64_t> &axes, int axis) {
  return std::find(axes.begin(), axes.end(), axis) != axes.end();
}

/// The operand of a reduction, addressed by the result's index and the reduction's.
struct ReducedOperand {
  const Tensor &x;
  const std::vector<int64_t> &axes;
  bool keep_dims;

  std::vector<Expr> extents() const {
    std::vector<Expr> result;
    for (int64_t axis : axes)
      result.push_back(x.extent(static_cast<int>(axis)));
    return result;
  }

  Expr operator()(const Index &index, const Index &r) const {
    Index at;
    size_t from_index = 0;
    size_t from_r = 0;
    for (int i = 0; i < x.type().rank(); ++i)
      if (contains(axes, i)) {
        at.push_back(r[from_r++]);
        from_index += keep_dims ? 1 : 0;
      } else {
        at.push_back(index[from_index++]);
      }
    return x(at);
  }
};

ReducedOperand reduced_operand(const KernelBuilder &k) {
  const auto &attrs = k.attrs<ReduceAttrs>();
  return {k.operand(0), attrs.axes, attrs.keep_dims};
}

} // namespace

void compute_reduce_sum(KernelBuilder &k) {
  const ReducedOperand x = reduced_operand(k);
  k.define_sum(x.extents(), x);
}

void compute_reduce_mean(KernelBuilder &k) {
  const ReducedOperand x = reduced_operand(k);
  const Expr count = element_count(x.extents());
  k.define_sum(x.extents(), x, [&](const Expr &sum) { return sum / count; });
}

void compute_reduce_max(KernelBuilder &k) {
  const ReducedOperand x = reduced_operand(k);
  k.define_reduction(Reduction::maximum, x.extents(), x);
}

void compute_reduce_min(KernelBuilder &k) {
  const ReducedOperand x = reduced_operand(k);
  k.define_reduction(Reduction::minimum, x.extents(), x);
}

void compute_reduce_prod(KernelBuilder &k) {
  const ReducedOperand x = reduced_operand(k);
  k.define_reduction(Reduction::product, x.extents(), x);
}

void compute_broadcast(KernelBuilder &k) {
  const auto &attrs = k.attrs<BroadcastAttrs>();
  std::vector<Expr> repeated;
  for (int64_t axis : attrs.axes)
    repeated.push_back(k.extent(static_cast<int>(axis)));
  k.define([&](const Index &index) {
    Index at;
    for (size_t i = 0; i < index.size(); ++i)
      if (!contains(attrs.axes, static_cast<int>(i)))
        at.push_back(index[i]);
    const Expr value = k.operand(0)(at);
    return attrs.mean ? value / element_count(repeated) : value;
  });
}

// The lowest index, or the highest, whose value is the maximum; a NaN is the largest.
void compute_argmax(KernelBuilder &k) {
  const auto &attrs = k.attrs<ArgmaxAttrs>();
  const std::vector<int64_t> axes{attrs.axis};
  const ReducedOperand x{k.operand(0), axes, /*keep_dims=*/false};
  const Tensor maximum = k.reduce(Reduction::maximum, k.type().shape, x.extents(), x);
  const Expr none = attrs.last ? 0 : x.extents()[0] - 1;
  k.define_reduction(attrs.last ? Reduction::maximum : Reduction::minimum, x.extents(),
                     [&](const Index &index, const Index &r) {
                       return Halide::select(is_extreme(x(index, r), maximum(index)), r[0], none);
                     });
}

// y[p] = y[p - 1] + x[p], or + x[p - 1] when the element itself does not count; from the other end
// when reversed.
void compute_cumulative_sum(KernelBuilder &k) {
  const auto &attrs = k.attrs<CumulativeSumAttrs>();
  const auto axis = static_cast<size_t>(attrs.axis);
  const Tensor &x = k.operand(0);
  const Expr extent = k.extent(static_cast<int>(axis));
  const auto start = [&](const Index &index) {
    const Expr value = x(index);
    return attrs.exclusive ? Halide::Internal::make_zero(value.type()) : value;
  };
  const Tensor sums =
      k.scan(k.type(), static_cast<int>(axis), start, {extent - 1},
             [&](const Tensor &so_far, const Index &index, const Index &r) {
               const Expr here = attrs.reverse ? extent - 2 - r[0] : r[0] + 1;
               const Expr before = attrs.reverse ? here + 1 : here - 1;
               const Expr term = x(moved(index, axis, attrs.exclusive ? before : here));
               return KernelBuilder::Step{here, so_far(moved(index, axis, before)) + term};
             });
  k.define([&](const Index &index) { return sums(index); });
}

// For p = 0, 1, ..., the best element of those that rank p - 1's beats. The order is total, so that
// no element stands twice: a NaN is the largest, and of equals the first wins.
void compute_top_k_indices(KernelBuilder &k) {
  const auto &attrs = k.attrs<TopKAttrs>();
  const auto axis = static_cast<size_t>(attrs.axis);
  const Tensor &x = k.operand(0);
  const Expr extent = x.extent(static_cast<int>(axis));
  const auto none = [&](const Index &) { return extent; };
  const auto search = [&](const Tensor &so_far, const Index &index, const Index &r) {
    const auto found = [&](const Expr &rank) {
      return so_far(moved(index, axis, Halide::max(rank, 0)));
    };
    const auto beats = [&](const Expr &a, const Expr &b) {
      const Expr value = x(moved(index, axis, Halide::clamp(a, 0, extent - 1)));
      const Expr other = x(moved(index, axis, Halide::clamp(b, 0, extent - 1)));
      const Expr no_worse = attrs.smallest ? at_least(other, value) : at_least(value, other);
      const Expr no_better = attrs.smallest ? at_least(value, other) : at_least(other, value);
      return no_worse && (!no_better || a < b);
    };
    const Expr best = found(r[0]);
    const Expr allowed = r[0] == 0 || beats(found(r[0] - 1), r[1]);
    const Expr better = best == extent || beats(r[1], best);
    return KernelBuilder::Step{r[0], Halide::select(allowed && better, r[1], best)};
  };
  const Tensor indices = k.scan(k.type(), static_cast<int>(axis), none,
                                {k.extent(static_cast<int>(axis)), extent}, search);
  k.define([&](const Index &index) { return indices(index); });
}

} // namespace sinter

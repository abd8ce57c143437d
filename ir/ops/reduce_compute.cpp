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

void compute_cumulative_sum(KernelBuilder &k) {
  const auto &attrs = k.attrs<CumulativeSumAttrs>();
  const auto axis = static_cast<size_t>(attrs.axis);
  k.define_sum({k.extent(static_cast<int>(axis))}, [&](const Index &index, const Index &r) {
    const Expr &here = index[axis];
    const Expr before = attrs.exclusive ? r[0] < here : r[0] <= here;
    const Expr after = attrs.exclusive ? r[0] > here : r[0] >= here;
    Index at = index;
    at[axis] = r[0];
    const Expr value = k.operand(0)(at);
    return Halide::select(attrs.reverse ? after : before, value,
                          Halide::Internal::make_zero(value.type()));
  });
}

// An element's rank is the number of those that beat it; the result at p is where rank p stands.
// Every rank stands once, because the order is total: a NaN is the largest, and of equals the first
// wins.
void compute_top_k_indices(KernelBuilder &k) {
  const auto &attrs = k.attrs<TopKAttrs>();
  const auto axis = static_cast<size_t>(attrs.axis);
  const Tensor &x = k.operand(0);
  const std::vector<Expr> extents{x.extent(static_cast<int>(axis))};
  const auto moved = [&](Index index, const Expr &position) {
    index[axis] = position;
    return index;
  };
  const Tensor rank =
      k.reduce(Reduction::sum, x.type().shape, extents, [&](const Index &index, const Index &r) {
        const Expr mine = x(index);
        const Expr other = x(moved(index, r[0]));
        const Expr no_worse = attrs.smallest ? at_least(mine, other) : at_least(other, mine);
        const Expr no_better = attrs.smallest ? at_least(other, mine) : at_least(mine, other);
        return Halide::cast<int32_t>(no_worse && (!no_better || r[0] < index[axis]));
      });
  k.define_sum(extents, [&](const Index &index, const Index &r) {
    return Halide::select(rank(moved(index, r[0])) == index[axis], r[0], 0);
  });
}

} // namespace sinter

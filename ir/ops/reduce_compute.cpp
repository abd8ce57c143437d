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
  k.define_maximum(x.extents(), x);
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

// The lowest index whose value is the maximum.
void compute_argmax(KernelBuilder &k) {
  const std::vector<int64_t> axes{k.attrs<AxisAttrs>().axis};
  const ReducedOperand x{k.operand(0), axes, /*keep_dims=*/false};
  const Tensor maximum = k.reduce(Reduction::maximum, k.type().shape, x.extents(), x);
  const Expr last = x.extents()[0] - 1;
  const Tensor first = k.reduce(Reduction::minimum, k.type().shape, x.extents(),
                                [&](const Index &index, const Index &r) {
                                  return Halide::select(x(index, r) >= maximum(index), r[0], last);
                                });
  k.define([&](const Index &index) { return first(index); });
}

} // namespace sinter

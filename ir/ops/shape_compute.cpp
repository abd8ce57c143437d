// The algorithms of the ops that move elements.

#include "ir/ops/compute.h"
#include "ir/ops/compute_math.h"

namespace sinter {

using Halide::Expr;

// A view costs nothing on its own; inside a fused kernel it is index arithmetic. The batch stays
// outside of it, so that a linear index never exceeds the elements of one sample.
void compute_reshape(KernelBuilder &k) {
  const Tensor &x = k.operand(0);
  const int first = k.type().batched() ? 1 : 0;
  k.define([&](const Index &index) {
    Expr linear = 0;
    for (int i = first; i < k.type().rank(); ++i)
      linear = linear * k.extent(i) + index[static_cast<size_t>(i)];
    Index at(x.type().shape.size());
    for (int i = x.type().rank() - 1; i >= first; --i) {
      const bool outermost = i == first;
      at[static_cast<size_t>(i)] = outermost ? linear : linear % x.extent(i);
      linear = linear / x.extent(i);
    }
    if (first == 1)
      at[0] = index[0];
    return x(at);
  });
}

void compute_transpose(KernelBuilder &k) {
  const auto &permutation = k.attrs<TransposeAttrs>().permutation;
  k.define([&](const Index &index) {
    Index at(index.size());
    for (size_t i = 0; i < index.size(); ++i)
      at[static_cast<size_t>(permutation[i])] = index[i];
    return k.operand(0)(at);
  });
}

void compute_pad(KernelBuilder &k) {
  const auto &attrs = k.attrs<PadAttrs>();
  const Tensor &x = k.operand(0);
  k.define([&](const Index &index) {
    Expr inside = Halide::Internal::const_true();
    Index at = index;
    for (size_t i = 0; i < index.size(); ++i) {
      const bool alone = x.type().shape[i] == 1; // nothing lies between its elements
      const int interior = attrs.interior.empty() || alone ? 0 : as_int(attrs.interior[i]);
      if (attrs.low[i] == 0 && attrs.high[i] == 0 && interior == 0)
        continue;
      const Expr last = x.extent(static_cast<int>(i)) - 1;
      const Expr position = index[i] - as_int(attrs.low[i]);
      const Expr element = interior == 0 ? position : position / (interior + 1);
      inside = inside && position >= 0 && element <= last;
      if (interior > 0)
        inside = inside && position % (interior + 1) == 0;
      at[i] = Halide::clamp(element, 0, last);
    }
    const Expr value = x(at);
    return Halide::select(inside, value, Halide::cast(value.type(), attrs.value));
  });
}

void compute_slice(KernelBuilder &k) {
  const auto &attrs = k.attrs<SliceAttrs>();
  k.define([&](const Index &index) {
    Index at = index;
    for (size_t i = 0; i < at.size(); ++i)
      at[i] = index[i] * (attrs.step.empty() ? 1 : as_int(attrs.step[i])) + as_int(attrs.begin[i]);
    return k.operand(0)(at);
  });
}

void compute_reverse(KernelBuilder &k) {
  const auto &axes = k.attrs<ReverseAttrs>().axes;
  k.define([&](const Index &index) {
    Index at = index;
    for (int64_t axis : axes)
      at[static_cast<size_t>(axis)] =
          k.extent(static_cast<int>(axis)) - 1 - index[static_cast<size_t>(axis)];
    return k.operand(0)(at);
  });
}

namespace {

/// The largest power of two up to a vector's width that divides every extent.
int common_block(const std::vector<int64_t> &extents) {
  int64_t block = 16;
  for (int64_t extent : extents)
    while (extent % block != 0)
      block /= 2;
  return as_int(block);
}

} // namespace

// From the last operand backwards: each one takes the positions before its end. Positions are
// compared and held block by block, so that a vector of channels is one load of one operand where
// the extents allow it, and not a gather from all.
void compute_concat(KernelBuilder &k) {
  const auto axis = static_cast<size_t>(k.attrs<AxisAttrs>().axis);
  std::vector<int64_t> extents;
  for (size_t i = 0; i < k.operand_count(); ++i)
    extents.push_back(k.operand(i).type().shape[axis]);
  const int block = common_block(extents);
  k.define([&](const Index &index) {
    const Expr position = index[axis] / block;
    const Expr inside = index[axis] % block;
    Expr value;
    int end = as_int(k.type().shape[axis]) / block;
    for (size_t i = k.operand_count(); i-- > 0;) {
      const int blocks = as_int(extents[i]) / block;
      Index at = index;
      at[axis] = Halide::clamp(position - (end - blocks), 0, blocks - 1) * block + inside;
      const Expr here = k.operand(i)(at);
      value = value.defined() ? Halide::select(position < end, here, value) : here;
      end -= blocks;
    }
    return value;
  });
}

} // namespace sinter

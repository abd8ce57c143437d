// Elements picked along an axis, and their way back.
#include "backends/reference/reference_ops.h"

#include <algorithm>

namespace sinter::reference {

namespace {

/// A tensor as [before][along the axis][after].
struct Split {
  int64_t before = 1, along = 1, after = 1;

  Split(const Shape &extents, int64_t axis, int64_t dimensions = 1) {
    for (size_t i = 0; i < extents.size(); ++i) {
      const auto position = static_cast<int64_t>(i);
      (position < axis ? before : position < axis + dimensions ? along : after) *= extents[i];
    }
  }
  int64_t offset(int64_t b, int64_t i, int64_t a) const { return (b * along + i) * after + a; }
};

int64_t resolve(double index, int64_t extent) {
  auto position = static_cast<int64_t>(index);
  if (position < 0)
    position += extent;
  return std::min(std::max<int64_t>(position, 0), extent - 1);
}

/// visit(offset in x, offset in y) for every element of y = gather(x, indices).
template <typename F>
void for_each_gathered(const Split &x, const Split &y, const Array &indices, F &&visit) {
  for (int64_t b = 0; b < y.before; ++b)
    for (int64_t i = 0; i < y.along; ++i)
      for (int64_t a = 0; a < y.after; ++a)
        visit(x.offset(b, resolve(indices[i], x.along), a), y.offset(b, i, a));
}

/// The same of gather_elements.
template <typename F>
void for_each_gathered_element(const Split &x, const Split &y, const Array &indices, F &&visit) {
  for (int64_t b = 0; b < y.before; ++b)
    for (int64_t i = 0; i < y.along; ++i)
      for (int64_t a = 0; a < y.after; ++a) {
        const int64_t position = y.offset(b, i, a);
        visit(x.offset(b, resolve(indices[position], x.along), a), position);
      }
}

} // namespace

void gather(const Evaluation &e) {
  const Array &x = e.operand(0);
  const Array &indices = e.operand(1);
  const int64_t axis = e.attrs<AxisAttrs>().axis;
  for_each_gathered(Split(x.extents(), axis), Split(e.result.extents(), axis, indices.type.rank()),
                    indices, [&](int64_t from, int64_t to) { e.result[to] = x[from]; });
}

// Operands (dy, indices).
void gather_gradient(const Evaluation &e) {
  const Array &dy = e.operand(0);
  const Array &indices = e.operand(1);
  const int64_t axis = e.attrs<GatherGradientAttrs>().axis;
  for_each_gathered(Split(e.result.extents(), axis), Split(dy.extents(), axis, indices.type.rank()),
                    indices, [&](int64_t to, int64_t from) { e.result[to] += dy[from]; });
}

void gather_elements(const Evaluation &e) {
  const Array &x = e.operand(0);
  const int64_t axis = e.attrs<AxisAttrs>().axis;
  for_each_gathered_element(Split(x.extents(), axis), Split(e.result.extents(), axis), e.operand(1),
                            [&](int64_t from, int64_t to) { e.result[to] = x[from]; });
}

// Operands (dy, indices).
void gather_elements_gradient(const Evaluation &e) {
  const Array &dy = e.operand(0);
  const int64_t axis = e.attrs<GatherGradientAttrs>().axis;
  for_each_gathered_element(Split(e.result.extents(), axis), Split(dy.extents(), axis),
                            e.operand(1),
                            [&](int64_t to, int64_t from) { e.result[to] += dy[from]; });
}

// y[.., o, ..] = sum over t of weights[o taps + t] * x[.., indices[o taps + t], ..]
void resample(const Evaluation &e) {
  const ResampleAttrs &attrs = e.attrs<ResampleAttrs>();
  const Array &x = e.operand(0);
  const Split from(x.extents(), attrs.axis);
  const Split to(e.result.extents(), attrs.axis);
  for (int64_t b = 0; b < to.before; ++b)
    for (size_t i = 0; i < attrs.indices.size(); ++i) {
      const int64_t o = static_cast<int64_t>(i) / attrs.taps;
      const double weight = attrs.weights.empty() ? 1.0 : static_cast<double>(attrs.weights[i]);
      for (int64_t a = 0; a < to.after; ++a)
        e.result[to.offset(b, o, a)] += weight * x[from.offset(b, attrs.indices[i], a)];
    }
}

} // namespace sinter::reference

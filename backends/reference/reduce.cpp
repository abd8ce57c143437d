// Reductions over whole dimensions, their reverse, and argmax.
#include "backends/reference/reference_ops.h"

#include <algorithm>
#include <limits>

namespace sinter::reference {

namespace {

bool contains(const std::vector<int64_t> &axes, size_t dimension) {
  return std::find(axes.begin(), axes.end(), static_cast<int64_t>(dimension)) != axes.end();
}

/// Strides that walk `full` extents while staying on an array without the dimensions `axes`.
std::vector<int64_t> strides_without(const Shape &full, const std::vector<int64_t> &axes) {
  std::vector<int64_t> strides(full.size(), 0);
  int64_t stride = 1;
  for (size_t i = full.size(); i > 0; --i)
    if (!contains(axes, i - 1)) {
      strides[i - 1] = stride;
      stride *= full[i - 1];
    }
  return strides;
}

int64_t repetitions(const Shape &full, const std::vector<int64_t> &axes) {
  int64_t count = 1;
  for (int64_t axis : axes)
    count *= full[static_cast<size_t>(axis)];
  return count;
}

/// result = combine(result, x) over the reduced dimensions.
template <typename F> void reduce(const Evaluation &e, F &&combine) {
  const Array &x = e.operand(0);
  const Shape full = x.extents();
  int64_t i = 0;
  for_each_offset(full, strides_without(full, e.attrs<ReduceAttrs>().axes),
                  [&](int64_t offset) { e.result[offset] = combine(e.result[offset], x[i++]); });
}

} // namespace

void reduce_sum(const Evaluation &e) {
  reduce(e, [](double a, double b) { return a + b; });
}

void reduce_mean(const Evaluation &e) {
  reduce_sum(e);
  const double count =
      static_cast<double>(repetitions(e.operand(0).extents(), e.attrs<ReduceAttrs>().axes));
  for (double &value : e.result.values)
    value /= count;
}

void reduce_max(const Evaluation &e) {
  std::fill(e.result.values.begin(), e.result.values.end(),
            -std::numeric_limits<double>::infinity());
  reduce(e, [](double a, double b) { return a > b ? a : b; });
}

// The value repeated along the axes; with `mean`, divided by the number of repetitions.
void broadcast(const Evaluation &e) {
  const BroadcastAttrs &attrs = e.attrs<BroadcastAttrs>();
  const Array &x = e.operand(0);
  const Shape full = e.result.extents();
  const double divisor = attrs.mean ? static_cast<double>(repetitions(full, attrs.axes)) : 1.0;
  int64_t i = 0;
  for_each_offset(full, strides_without(full, attrs.axes),
                  [&](int64_t offset) { e.result[i++] = x[offset] / divisor; });
}

// The index of the first maximum along the axis.
void argmax(const Evaluation &e) {
  const Array &x = e.operand(0);
  const Shape full = x.extents();
  const int64_t axis = e.attrs<AxisAttrs>().axis;
  std::vector<int64_t> position_strides(full.size(), 0);
  position_strides[static_cast<size_t>(axis)] = 1;
  std::vector<int64_t> positions;
  for_each_offset(full, position_strides, [&](int64_t offset) { positions.push_back(offset); });

  std::vector<double> best(e.result.values.size(), -std::numeric_limits<double>::infinity());
  int64_t i = 0;
  for_each_offset(full, strides_without(full, {axis}), [&](int64_t offset) {
    if (x[i] > best[static_cast<size_t>(offset)]) {
      best[static_cast<size_t>(offset)] = x[i];
      e.result[offset] = static_cast<double>(positions[static_cast<size_t>(i)]);
    }
    ++i;
  });
}

} // namespace sinter::reference

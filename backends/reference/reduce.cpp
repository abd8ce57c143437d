// Reductions over whole dimensions, their reverse, and argmax.
#include "backends/reference/reference_ops.h"

#include <algorithm>
#include <limits>
#include <numeric>

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
  reduce(e, [](double a, double b) { return exceeds(a, b) ? a : b; });
}

void reduce_min(const Evaluation &e) {
  std::fill(e.result.values.begin(), e.result.values.end(),
            std::numeric_limits<double>::infinity());
  reduce(e, [](double a, double b) { return a < b || std::isnan(a) ? a : b; });
}

void reduce_prod(const Evaluation &e) {
  std::fill(e.result.values.begin(), e.result.values.end(), 1.0);
  reduce(e, [](double a, double b) { return a * b; });
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

namespace {

/// visit(values along the axis, in order, position of the first in x, stride) for every line of x.
template <typename F> void for_each_line(const Array &x, int64_t axis, F &&visit) {
  const Shape extents = x.extents();
  const int64_t stride = row_major_strides(extents)[static_cast<size_t>(axis)];
  const int64_t count = extents[static_cast<size_t>(axis)];
  std::vector<double> line(static_cast<size_t>(count));
  for (int64_t first = 0; first < x.size(); ++first) {
    if (first / stride % count != 0)
      continue;
    for (int64_t i = 0; i < count; ++i)
      line[static_cast<size_t>(i)] = x[first + i * stride];
    visit(line, first, stride);
  }
}

} // namespace

// The index of the first maximum along the axis, or the last.
void argmax(const Evaluation &e) {
  const ArgmaxAttrs &attrs = e.attrs<ArgmaxAttrs>();
  int64_t next = 0; // lines come in the order of the result
  for_each_line(e.operand(0), attrs.axis, [&](const std::vector<double> &line, int64_t, int64_t) {
    size_t best = 0;
    for (size_t i = 1; i < line.size(); ++i)
      if (attrs.last ? !exceeds(line[best], line[i]) : exceeds(line[i], line[best]))
        best = i;
    e.result[next++] = static_cast<double>(best);
  });
}

void cumulative_sum(const Evaluation &e) {
  const CumulativeSumAttrs &attrs = e.attrs<CumulativeSumAttrs>();
  for_each_line(e.operand(0), attrs.axis,
                [&](const std::vector<double> &line, int64_t first, int64_t stride) {
                  double sum = 0;
                  for (size_t n = 0; n < line.size(); ++n) {
                    const size_t i = attrs.reverse ? line.size() - 1 - n : n;
                    double &y = e.result[first + static_cast<int64_t>(i) * stride];
                    y = sum;
                    sum += line[i];
                    if (!attrs.exclusive)
                      y = sum;
                  }
                });
}

void top_k_indices(const Evaluation &e) {
  const TopKAttrs &attrs = e.attrs<TopKAttrs>();
  const int64_t extent = e.operand(0).extents()[static_cast<size_t>(attrs.axis)];
  for_each_line(e.operand(0), attrs.axis,
                [&](const std::vector<double> &line, int64_t first, int64_t stride) {
                  std::vector<size_t> order(line.size());
                  std::iota(order.begin(), order.end(), size_t{0});
                  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) {
                    return attrs.smallest ? exceeds(line[b], line[a]) : exceeds(line[a], line[b]);
                  });
                  const int64_t block = extent * stride; // of x; the result's is k * stride
                  const int64_t to = first / block * attrs.k * stride + first % block;
                  for (int64_t i = 0; i < attrs.k; ++i)
                    e.result[to + i * stride] = static_cast<double>(order[static_cast<size_t>(i)]);
                });
}

} // namespace sinter::reference

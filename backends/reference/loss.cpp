// Losses and metrics, one value a row: along the last dimension of (prediction, target).
#include "backends/reference/reference_ops.h"

#include <cmath>

namespace sinter::reference {

namespace {

/// Keras keeps probabilities in [epsilon, 1 - epsilon] before a logarithm.
constexpr double kEpsilon = 1e-7;

double clip(double p) { return p < kEpsilon ? kEpsilon : p > 1 - kEpsilon ? 1 - kEpsilon : p; }
bool clipped(double p) { return p < kEpsilon || p > 1 - kEpsilon; }

double logistic(double x) { return 1 / (1 + std::exp(-x)); }

/// visit(row, first, width): the elements of row `row` of `x` are x[first .. first + width).
template <typename F> void for_each_row(const Array &x, F &&visit) {
  const int64_t width = x.extents().back();
  for (int64_t first = 0; first < x.size(); first += width)
    visit(first / width, first, width);
}

/// result(row) = sum over the row of term(prediction, target), divided by the width if `mean`.
template <typename F> void sum_rows(const Evaluation &e, bool mean, F &&term) {
  for_each_row(e.operand(0), [&](int64_t row, int64_t first, int64_t width) {
    double sum = 0;
    for (int64_t i = first; i < first + width; ++i)
      sum += term(e.operand(0)[i], e.operand(1)[i]);
    e.result[row] = mean ? sum / static_cast<double>(width) : sum;
  });
}

/// result(i) = dy(row of i) * derivative(prediction, target), divided by the width if `mean`.
/// Operands (dy, prediction, target).
template <typename F> void row_gradient(const Evaluation &e, bool mean, F &&derivative) {
  for_each_row(e.operand(1), [&](int64_t row, int64_t first, int64_t width) {
    const double dy = e.operand(0)[row] / (mean ? static_cast<double>(width) : 1.0);
    for (int64_t i = first; i < first + width; ++i)
      e.result[i] = dy * derivative(e.operand(1)[i], e.operand(2)[i]);
  });
}

/// log(sum of exp(x)) of a row.
double log_sum_exp(const Array &x, int64_t first, int64_t width) {
  double largest = x[first];
  for (int64_t i = first; i < first + width; ++i)
    largest = x[i] > largest ? x[i] : largest;
  double sum = 0;
  for (int64_t i = first; i < first + width; ++i)
    sum += std::exp(x[i] - largest);
  return largest + std::log(sum);
}

int64_t argmax_of_row(const Array &x, int64_t first, int64_t width) {
  int64_t best = first;
  for (int64_t i = first + 1; i < first + width; ++i)
    if (x[i] > x[best])
      best = i;
  return best - first;
}

} // namespace

// The last dimension of the result is new: 1 at the label, else 0.
void one_hot(const Evaluation &e) {
  const int64_t depth = e.attrs<OneHotAttrs>().depth;
  const Array &labels = e.operand(0);
  for (int64_t i = 0; i < labels.size(); ++i)
    e.result[i * depth + static_cast<int64_t>(labels[i])] = 1;
}

// -sum(t * log(clip(p)))
void categorical_crossentropy(const Evaluation &e) {
  sum_rows(e, /*mean=*/false, [](double p, double t) { return -t * std::log(clip(p)); });
}

// Operands (dy, p, t): dp = -dy * t / p, and zero where p was clipped.
void categorical_crossentropy_gradient(const Evaluation &e) {
  row_gradient(e, /*mean=*/false, [](double p, double t) { return clipped(p) ? 0.0 : -t / p; });
}

// sum(t * (log(sum(exp(x))) - x))
void softmax_cross_entropy(const Evaluation &e) {
  for_each_row(e.operand(0), [&](int64_t row, int64_t first, int64_t width) {
    const double normalizer = log_sum_exp(e.operand(0), first, width);
    for (int64_t i = first; i < first + width; ++i)
      e.result[row] += e.operand(1)[i] * (normalizer - e.operand(0)[i]);
  });
}

// Operands (dy, x, t): dx = dy * (softmax(x) * sum(t) - t).
void softmax_cross_entropy_gradient(const Evaluation &e) {
  const Array &x = e.operand(1);
  const Array &t = e.operand(2);
  for_each_row(x, [&](int64_t row, int64_t first, int64_t width) {
    const double normalizer = log_sum_exp(x, first, width);
    double total = 0;
    for (int64_t i = first; i < first + width; ++i)
      total += t[i];
    for (int64_t i = first; i < first + width; ++i)
      e.result[i] = e.operand(0)[row] * (std::exp(x[i] - normalizer) * total - t[i]);
  });
}

// mean(-t * log(p) - (1 - t) * log(1 - p)), p clipped
void binary_crossentropy(const Evaluation &e) {
  sum_rows(e, /*mean=*/true, [](double p, double t) {
    return -t * std::log(clip(p)) - (1 - t) * std::log(1 - clip(p));
  });
}

// Operands (dy, p, t): dp = dy / width * (p - t) / (p * (1 - p)), and zero where p was clipped.
void binary_crossentropy_gradient(const Evaluation &e) {
  row_gradient(e, /*mean=*/true,
               [](double p, double t) { return clipped(p) ? 0.0 : (p - t) / (p * (1 - p)); });
}

// mean(max(x, 0) - x * t + log(1 + exp(-|x|)))
void sigmoid_cross_entropy(const Evaluation &e) {
  sum_rows(e, /*mean=*/true, [](double x, double t) {
    return (x > 0 ? x : 0.0) - x * t + std::log1p(std::exp(-std::fabs(x)));
  });
}

// Operands (dy, x, t): dx = dy / width * (sigmoid(x) - t).
void sigmoid_cross_entropy_gradient(const Evaluation &e) {
  row_gradient(e, /*mean=*/true, [](double x, double t) { return logistic(x) - t; });
}

// mean((p - t)^2)
void mean_squared_error(const Evaluation &e) {
  sum_rows(e, /*mean=*/true, [](double p, double t) { return (p - t) * (p - t); });
}

// 1 where the first largest prediction is at the first largest target.
void categorical_accuracy(const Evaluation &e) {
  for_each_row(e.operand(0), [&](int64_t row, int64_t first, int64_t width) {
    const bool right =
        argmax_of_row(e.operand(0), first, width) == argmax_of_row(e.operand(1), first, width);
    e.result[row] = right ? 1.0 : 0.0;
  });
}

// mean((p > 0.5) == t)
void binary_accuracy(const Evaluation &e) {
  sum_rows(e, /*mean=*/true,
           [](double p, double t) { return (p > 0.5 ? 1.0 : 0.0) == t ? 1.0 : 0.0; });
}

} // namespace sinter::reference

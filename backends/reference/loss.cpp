// Losses and metrics of (prediction, target), one value a row or a sample.
#include "backends/reference/reference_ops.h"

#include <cmath>

namespace sinter::reference {

namespace {

/// Keras keeps probabilities in [epsilon, 1 - epsilon] before a logarithm.
constexpr double kEpsilon = 1e-7;

double clip(double p) { return p < kEpsilon ? kEpsilon : p > 1 - kEpsilon ? 1 - kEpsilon : p; }
bool clipped(double p) { return p < kEpsilon || p > 1 - kEpsilon; }

double logistic(double x) { return 1 / (1 + std::exp(-x)); }

/// Elements of one row, along the last dimension.
int64_t row_width(const Array &x) { return x.extents().back(); }
/// Elements of one sample, in all dimensions but the first.
int64_t sample_width(const Array &x) { return x.size() / x.extents().front(); }

/// visit(group, first): the elements of group `group` of `x` are x[first .. first + width).
template <typename F> void for_each_group(const Array &x, int64_t width, F &&visit) {
  for (int64_t first = 0; first < x.size(); first += width)
    visit(first / width, first);
}

/// A value a sample: the mean of term(prediction, target). Operands (prediction, target).
template <typename F> void sample_mean(const Evaluation &e, F &&term) {
  const int64_t width = sample_width(e.operand(0));
  for_each_group(e.operand(0), width, [&](int64_t sample, int64_t first) {
    double sum = 0;
    for (int64_t i = first; i < first + width; ++i)
      sum += term(e.operand(0)[i], e.operand(1)[i]);
    e.result[sample] = sum / static_cast<double>(width);
  });
}

/// Its gradient: dy(sample) / width * derivative(prediction, target).
/// Operands (dy, prediction, target).
template <typename F> void sample_mean_gradient(const Evaluation &e, F &&derivative) {
  const int64_t width = sample_width(e.operand(1));
  for_each_group(e.operand(1), width, [&](int64_t sample, int64_t first) {
    const double dy = e.operand(0)[sample] / static_cast<double>(width);
    for (int64_t i = first; i < first + width; ++i)
      e.result[i] = dy * derivative(e.operand(1)[i], e.operand(2)[i]);
  });
}

double sum_of(const Array &x, int64_t first, int64_t width) {
  double sum = 0;
  for (int64_t i = first; i < first + width; ++i)
    sum += x[i];
  return sum;
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
    if (exceeds(x[i], x[best]))
      best = i;
  return best - first;
}

} // namespace

// The last dimension of the result is new: 1 at the label, else 0; a label out of range gives
// zeros only.
void one_hot(const Evaluation &e) {
  const int64_t depth = e.attrs<OneHotAttrs>().depth;
  const Array &labels = e.operand(0);
  for (int64_t i = 0; i < labels.size(); ++i) {
    const int64_t label = static_cast<int64_t>(labels[i]);
    if (label >= 0 && label < depth)
      e.result[i * depth + label] = 1;
  }
}

// -sum(t * log(clip(p / sum(p))))
void categorical_crossentropy(const Evaluation &e) {
  const Array &p = e.operand(0);
  const int64_t width = row_width(p);
  for_each_group(p, width, [&](int64_t row, int64_t first) {
    const double total = sum_of(p, first, width);
    for (int64_t i = first; i < first + width; ++i)
      e.result[row] -= e.operand(1)[i] * std::log(clip(p[i] / total));
  });
}

// Operands (dy, p, t). With s = sum(p), q = p / s and l(q) = -t log(clip(q)), whose derivative is
// l'(q) = -t / q, or 0 where q was clipped: dq_j/dp_i = ([i = j] - q_j) / s, so
// dp_i = dy / s * (l'(q_i) - sum over j of l'(q_j) q_j).
void categorical_crossentropy_gradient(const Evaluation &e) {
  const Array &p = e.operand(1);
  const Array &t = e.operand(2);
  const int64_t width = row_width(p);
  for_each_group(p, width, [&](int64_t row, int64_t first) {
    const double total = sum_of(p, first, width);
    const auto slope = [&](int64_t i) {
      return clipped(p[i] / total) ? 0.0 : -t[i] / (p[i] / total);
    };
    double common = 0;
    for (int64_t j = first; j < first + width; ++j)
      common += slope(j) * p[j] / total;
    for (int64_t i = first; i < first + width; ++i)
      e.result[i] = e.operand(0)[row] / total * (slope(i) - common);
  });
}

// sum(t * (log(sum(exp(x))) - x))
void softmax_cross_entropy(const Evaluation &e) {
  const Array &x = e.operand(0);
  const int64_t width = row_width(x);
  for_each_group(x, width, [&](int64_t row, int64_t first) {
    const double normalizer = log_sum_exp(x, first, width);
    for (int64_t i = first; i < first + width; ++i)
      e.result[row] += e.operand(1)[i] * (normalizer - x[i]);
  });
}

// Operands (dy, x, t): dx = dy * (softmax(x) * sum(t) - t).
void softmax_cross_entropy_gradient(const Evaluation &e) {
  const Array &x = e.operand(1);
  const Array &t = e.operand(2);
  const int64_t width = row_width(x);
  for_each_group(x, width, [&](int64_t row, int64_t first) {
    const double normalizer = log_sum_exp(x, first, width);
    const double total = sum_of(t, first, width);
    for (int64_t i = first; i < first + width; ++i)
      e.result[i] = e.operand(0)[row] * (std::exp(x[i] - normalizer) * total - t[i]);
  });
}

// -t log(p) - (1 - t) log(1 - p), p clipped
void binary_crossentropy(const Evaluation &e) {
  sample_mean(e, [](double p, double t) {
    return -t * std::log(clip(p)) - (1 - t) * std::log(1 - clip(p));
  });
}

// (p - t) / (p * (1 - p)), and zero where p was clipped
void binary_crossentropy_gradient(const Evaluation &e) {
  sample_mean_gradient(
      e, [](double p, double t) { return clipped(p) ? 0.0 : (p - t) / (p * (1 - p)); });
}

// max(x, 0) - x * t + log(1 + exp(-|x|))
void sigmoid_cross_entropy(const Evaluation &e) {
  sample_mean(e, [](double x, double t) {
    return (x > 0 ? x : 0.0) - x * t + std::log1p(std::exp(-std::fabs(x)));
  });
}

// sigmoid(x) - t
void sigmoid_cross_entropy_gradient(const Evaluation &e) {
  sample_mean_gradient(e, [](double x, double t) { return logistic(x) - t; });
}

void mean_squared_error(const Evaluation &e) {
  sample_mean(e, [](double p, double t) { return (p - t) * (p - t); });
}

// A row's 1 says that the first largest prediction is at the first largest target.
void categorical_accuracy(const Evaluation &e) {
  const int64_t width = row_width(e.operand(0));
  for_each_group(e.operand(0), width, [&](int64_t row, int64_t first) {
    const bool right =
        argmax_of_row(e.operand(0), first, width) == argmax_of_row(e.operand(1), first, width);
    e.result[row] = right ? 1.0 : 0.0;
  });
}

// 1 where the prediction, made 0 or 1, is the target
void binary_accuracy(const Evaluation &e) {
  sample_mean(e, [](double p, double t) { return (p > 0.5 ? 1.0 : 0.0) == t ? 1.0 : 0.0; });
}

} // namespace sinter::reference

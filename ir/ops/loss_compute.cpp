// The algorithms of losses and metrics. The formulas stand with the records in loss.cpp.

#include "ir/ops/compute.h"
#include "ir/ops/compute_math.h"

namespace sinter {

using Halide::Expr;

namespace {

constexpr float kEpsilon = 1e-7F; // Keras's
constexpr float kMostCertain = 1 - kEpsilon;

Index row_of(const Index &index) { return {index.begin(), index.end() - 1}; }

/// 1 where clipping leaves q alone, else 0.
Expr inside_clip(const Expr &q) {
  return Halide::select(q >= kEpsilon && q <= kMostCertain, 1.0F, 0.0F);
}

// Not a clamp: of 1 - p, Halide's simplifier would make 1 - clamp(p, ...), and 1 - 1e-7 is not a
// float.
Expr clipped(const Expr &q) {
  return exactly(
      Halide::select(q < kEpsilon, kEpsilon, Halide::select(q > kMostCertain, kMostCertain, q)));
}

Tensor row_sum(KernelBuilder &k, const Tensor &rows) {
  return reduce_rows(k, Reduction::sum, rows,
                     [&](const Index &i, const Index &r) { return rows(joined(i, r)); });
}

/// The largest logit of each row, and the sum of the exponentials relative to it.
struct ExponentialSum {
  Tensor maximum;
  Tensor sum;
};

ExponentialSum exponential_sum(KernelBuilder &k, const Tensor &x) {
  const Tensor maximum = row_maximum(k, x);
  return {maximum, reduce_rows(k, Reduction::sum, x, [&](const Index &i, const Index &r) {
            return exp_of_negative(x(joined(i, r)) - maximum(i));
          })};
}

/// result(n) = mean over the rest of a sample of term(prediction, target).
void define_sample_mean(KernelBuilder &k,
                        const std::function<Expr(const Expr &, const Expr &)> &term) {
  const std::vector<Expr> extents = extents_from(k.operand(0), 1);
  k.define_sum(
      extents,
      [&](const Index &index, const Index &r) {
        const Index at = joined(index, r);
        return term(k.operand(0)(at), k.operand(1)(at));
      },
      [&](const Expr &sum) { return sum / element_count(extents); });
}

/// result(index) = dy(n) / count * slope(prediction, target): the gradient of a sample's mean.
void define_sample_mean_gradient(KernelBuilder &k,
                                 const std::function<Expr(const Expr &, const Expr &)> &slope) {
  const Expr count = element_count(extents_from(k.operand(1), 1));
  k.define([&](const Index &index) {
    return k.operand(0)({index[0]}) / count * slope(k.operand(1)(index), k.operand(2)(index));
  });
}

} // namespace

void compute_one_hot(KernelBuilder &k) {
  k.define([&](const Index &index) {
    const Expr label = Halide::cast<int32_t>(k.operand(0)(row_of(index)));
    return Halide::select(label == index.back(), 1.0F, 0.0F);
  });
}

void compute_categorical_crossentropy(KernelBuilder &k) {
  const Tensor &p = k.operand(0);
  const Tensor &target = k.operand(1);
  const Tensor sum = row_sum(k, p);
  k.define_sum({p.extent(p.type().rank() - 1)}, [&](const Index &index, const Index &r) {
    const Index at = joined(index, r);
    return -target(at) * log_of(clipped(p(at) / sum(index)));
  });
}

void compute_categorical_crossentropy_gradient(KernelBuilder &k) {
  const Tensor &dy = k.operand(0);
  const Tensor &p = k.operand(1);
  const Tensor &target = k.operand(2);
  const Tensor sum = row_sum(k, p);
  const auto active_target = [&](const Index &at) {
    return inside_clip(p(at) / sum(row_of(at))) * target(at);
  };
  const Tensor active_sum = reduce_rows(k, Reduction::sum, p, [&](const Index &i, const Index &r) {
    return active_target(joined(i, r));
  });
  k.define([&](const Index &index) {
    const Index row = row_of(index);
    const Expr q = clipped(p(index) / sum(row));
    return dy(row) / sum(row) * (active_sum(row) - active_target(index) / q);
  });
}

void compute_softmax_cross_entropy(KernelBuilder &k) {
  const Tensor &x = k.operand(0);
  const Tensor &target = k.operand(1);
  const ExponentialSum exponentials = exponential_sum(k, x);
  k.define_sum({x.extent(x.type().rank() - 1)}, [&](const Index &index, const Index &r) {
    const Index at = joined(index, r);
    return target(at) *
           (Halide::log(exponentials.sum(index)) - (x(at) - exponentials.maximum(index)));
  });
}

void compute_softmax_cross_entropy_gradient(KernelBuilder &k) {
  const Tensor &dy = k.operand(0);
  const Tensor &x = k.operand(1);
  const Tensor &target = k.operand(2);
  const ExponentialSum exponentials = exponential_sum(k, x);
  const Tensor target_sum = row_sum(k, target);
  k.define([&](const Index &index) {
    const Index row = row_of(index);
    const Expr softmax =
        exp_of_negative(x(index) - exponentials.maximum(row)) / exponentials.sum(row);
    return dy(row) * (softmax * target_sum(row) - target(index));
  });
}

// 1 - clip(p) is written clip(1 - p), which is exact near p = 1.
void compute_binary_crossentropy(KernelBuilder &k) {
  define_sample_mean(k, [](const Expr &p, const Expr &t) {
    return -(t * log_of(clipped(p)) + (1.0F - t) * log_of(clipped(1.0F - p)));
  });
}

void compute_binary_crossentropy_gradient(KernelBuilder &k) {
  define_sample_mean_gradient(k, [](const Expr &p, const Expr &t) {
    return inside_clip(p) * (p - t) / (clipped(p) * clipped(1.0F - p));
  });
}

// softplus(x) - x t = max(x, 0) - x t + log(1 + exp(-|x|))
void compute_sigmoid_cross_entropy(KernelBuilder &k) {
  define_sample_mean(k, [](const Expr &x, const Expr &t) { return softplus_of(x) - x * t; });
}

void compute_sigmoid_cross_entropy_gradient(KernelBuilder &k) {
  define_sample_mean_gradient(k, [](const Expr &x, const Expr &t) { return sigmoid_of(x) - t; });
}

void compute_mean_squared_error(KernelBuilder &k) {
  define_sample_mean(k, [](const Expr &p, const Expr &t) { return (p - t) * (p - t); });
}

void compute_categorical_accuracy(KernelBuilder &k) {
  const Tensor predicted = row_argmax(k, k.operand(0));
  const Tensor expected = row_argmax(k, k.operand(1));
  k.define([&](const Index &index) {
    return Halide::select(predicted(index) == expected(index), 1.0F, 0.0F);
  });
}

void compute_binary_accuracy(KernelBuilder &k) {
  define_sample_mean(k, [](const Expr &p, const Expr &t) {
    return Halide::select(Halide::select(p > 0.5F, 1.0F, 0.0F) == t, 1.0F, 0.0F);
  });
}

} // namespace sinter

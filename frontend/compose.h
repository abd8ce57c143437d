// Functions that the IR has no op for, as nodes: what Keras, torch.nn and ONNX call by many names
// is spelled once here. Axes are non-negative; images are NHWC.
#pragma once

#include "ir/graph.h"
#include "ir/permutation.h"

namespace sinter {

/// The most positions of a table that becomes part of the graph.
constexpr int64_t kLongestTable = int64_t{1} << 20;

/// Appends nodes of one layer to a graph.
class Composer {
public:
  Composer(Graph &graph, std::string layer, SourceLocation location)
      : graph_(graph), layer_(std::move(layer)), location_(std::move(location)) {}

  NodeId append(OpKind kind, std::vector<NodeId> inputs, Attrs attributes = NoAttrs{}) {
    return graph_.append(kind, std::move(inputs), std::move(attributes), layer_, location_);
  }
  /// A scalar of the node's element type.
  NodeId scalar_like(NodeId node, float value);
  // By value: appending a node moves the graph's own.
  TensorType type(NodeId id) const { return graph_.type(id); }
  Shape shape(NodeId id) const { return graph_.type(id).shape; }
  int rank(NodeId id) const { return graph_.type(id).rank(); }

private:
  Graph &graph_;
  std::string layer_;
  SourceLocation location_;
};

namespace compose {

// Masks: u8 of zeros and ones.
NodeId not_equal(Composer &, NodeId a, NodeId b);
NodeId logical_not(Composer &, NodeId mask);
/// Where x is not zero, NaNs included.
NodeId to_mask(Composer &, NodeId x);

// Activations.
/// x * scale + offset
NodeId affine(Composer &, NodeId x, float scale, float offset = 0);
/// min(max(x, low), high); an infinite bound is none.
NodeId clip(Composer &, NodeId x, float low, float high);
/// x where positive, else slope * x.
NodeId leaky_relu(Composer &, NodeId x, float slope);
/// The same with a slope that broadcasts to x and may be trained.
NodeId prelu(Composer &, NodeId x, NodeId slope);
/// x where above the threshold, else 0.
NodeId thresholded_relu(Composer &, NodeId x, float threshold);
/// x where positive, else alpha * (exp(x) - 1).
NodeId elu(Composer &, NodeId x, float alpha = 1);
/// x where positive, else alpha * (exp(x / alpha) - 1).
NodeId celu(Composer &, NodeId x, float alpha = 1);
/// gamma * elu(x, alpha)
NodeId selu(Composer &, NodeId x, float alpha = 1.67326319F, float gamma = 1.05070102F);
/// x * Phi(x) with Phi the normal distribution's, exactly.
NodeId gelu(Composer &, NodeId x);
/// The same by a hyperbolic tangent.
NodeId gelu_tanh(Composer &, NodeId x);
/// clip(scale * x + offset, 0, 1): 1/6 and 1/2 in Keras 3 and torch.nn, 0.2 and 1/2 in ONNX.
NodeId hard_sigmoid(Composer &, NodeId x, float scale, float offset = 0.5F);
/// x * hard_sigmoid(x, 1/6, 1/2)
NodeId hard_swish(Composer &, NodeId x);
/// x * sigmoid(x), also called swish
NodeId silu(Composer &, NodeId x);
/// log(1 + exp(x)), accurate everywhere
NodeId softplus(Composer &, NodeId x);
/// log(sigmoid(x))
NodeId log_sigmoid(Composer &, NodeId x);
/// x / (1 + |x|)
NodeId softsign(Composer &, NodeId x);
/// x * tanh(softplus(x))
NodeId mish(Composer &, NodeId x);
/// x moved towards zero by bias, 0 where |x| <= threshold.
NodeId shrink(Composer &, NodeId x, float threshold, float bias);
/// 1 / x
NodeId reciprocal(Composer &, NodeId x);

// Along axes.
/// The dimensions [begin, end).
std::vector<int64_t> axes_between(int64_t begin, int64_t end);
NodeId reduce(Composer &, OpKind kind, NodeId x, std::vector<int64_t> axes, bool keep_dims);
NodeId softmax(Composer &, NodeId x, int64_t axis);
NodeId log_softmax(Composer &, NodeId x, int64_t axis);
NodeId log_sum_exp(Composer &, NodeId x, const std::vector<int64_t> &axes, bool keep_dims);

/// y and what it was made with: x less its mean, and statistics that keep the reduced dimensions.
struct Normalized {
  NodeId y, centered, mean, variance, inverse_deviation;
};
/// (x - mean) / sqrt(variance + epsilon), both over `axes`.
Normalized standardize(Composer &, NodeId x, const std::vector<int64_t> &axes, float epsilon);
/// standardize over the last dimensions from `axis` on, times scale, plus offset where those are
/// valid; they broadcast to x.
Normalized layer_norm(Composer &, NodeId x, int64_t axis, NodeId scale, NodeId offset,
                      float epsilon);
/// x / (bias + scale * s)^beta, s the sum of the squares of each channel and its neighbours (local
/// response normalisation).
NodeId local_response_norm(Composer &, NodeId x, const ChannelSumAttrs &neighbours, float scale,
                           float beta, float bias);

// Products and pools.
/// NumPy's matmul: vectors, matrices, and batches of these that broadcast.
NodeId matmul(Composer &, NodeId a, NodeId b);
/// How far the last window of a pooling reaches beyond input and padding when partial windows
/// count too (ceil_mode); a window that would begin in the padding does not. {bottom, right}
std::array<int64_t, 2> partial_windows(const Shape &x, const Pool2dAttrs &);
/// average_pool2d with such windows, whose positions beyond the padding never count.
NodeId average_pool(Composer &, NodeId x, Pool2dAttrs, std::array<int64_t, 2> beyond);

// Indices.
NodeId argmin(Composer &, NodeId x, const ArgmaxAttrs &);
struct TopK {
  NodeId values, indices;
};
TopK top_k(Composer &, NodeId x, const TopKAttrs &);

// Losses: a value a row, the last dimension, of a prediction and a target of one shape: the mean
// over its elements unless said otherwise.
/// The sum over the row of -target * log_probability.
NodeId negative_log_likelihood(Composer &, NodeId log_probabilities, NodeId target);
NodeId mean_absolute_error(Composer &, NodeId prediction, NodeId target);
/// e^2 / 2 where |e| <= delta, else delta * (|e| - delta / 2), of the error e.
NodeId huber(Composer &, NodeId prediction, NodeId target, float delta);
/// log(cosh(e)) of the error e.
NodeId log_cosh(Composer &, NodeId prediction, NodeId target);
/// max(1 - target * prediction, 0), or its square; targets of 0 stand for -1, as in Keras.
NodeId hinge(Composer &, NodeId prediction, NodeId target, bool squared);
/// The sum over the row of t * log(t / p), both clipped to [1e-7, 1].
NodeId kl_divergence(Composer &, NodeId prediction, NodeId target);
/// prediction - target * log(prediction + 1e-7)
NodeId poisson(Composer &, NodeId prediction, NodeId target);

// Shapes.
enum class PadMode {
  reflect, // mirrored without the edge: 2 1 | 0 1 2
  edge,    // 0 0 | 0 1 2
  wrap     // 1 2 | 0 1 2
};
/// x with elements of its own around.
NodeId pad(Composer &, NodeId x, PadMode, const std::vector<int64_t> &low,
           const std::vector<int64_t> &high);
NodeId reshape(Composer &, NodeId x, Shape);
NodeId transpose(Composer &, NodeId x, Permutation);
/// x broadcast to a shape, as NumPy does.
NodeId expand(Composer &, NodeId x, const Shape &);
/// x repeated whole along each dimension.
NodeId tile(Composer &, NodeId x, const std::vector<int64_t> &repeats);
} // namespace compose

} // namespace sinter

// The loops of a convolution's filter gradient, innermost last; a chunk is some images:
//
//   chunk
//     parallel image:  pairs of the input, transposed;  pairs of dy
//     parallel channels in blocks, parallel row of taps
//       products = of these channels and taps by all filters, over the chunk's positions
//       total += products
//   update, store
//
// Threads share channels and taps, so that the order of summation does not depend on their number.
// A matrix's gradient, whose samples are the positions of one image, needs no total:
//
//   pairs of dy
//   parallel rows of the result in blocks
//     pairs of these columns of the input, transposed
//     products = of these rows by all columns
//     update, store
#include "backends/halide/cpu/bf16_gradient.h"

#include "backends/halide/cpu/loops.h"
#include "backends/halide/cpu/surroundings.h"
#include "ir/diagnostics.h"

#include <algorithm>

namespace sinter {

using Halide::Func;
using Halide::TailStrategy;
using Halide::Var;
using Halide::VarOrRVar;

namespace {

/// Channels, or rows of a matrix, of a task: whole pairs of AMX's tiles.
constexpr int kRows = 64;

/// Func dimensions of stages, innermost first.
enum PairDimension { pair_channel = 0, pair = 1, pair_phase = 2, pair_image = 3 };
enum GradientDimension { lane_of_panel = 0, gradient_pair = 1, gradient_image = 2, panel = 3 };
enum ProductDimension { filter = 0, product_channel = 1 };

class Bf16GradientSchedule {
public:
  Bf16GradientSchedule(const LoweredKernel &kernel, const LoweredNode &node, const Variant &variant)
      : kernel_(kernel), node_(node), variant_(variant), around_(find_surroundings(kernel, node)),
        pairs_(stage("pairs")), turned_(stage("turned")), gradient_(stage("gradient_pairs")),
        products_(stage("products")), total_(node.find_stage("reduction")),
        type_(kernel.kernel.graph.type(node.id)) {}

  std::string apply() {
    Func products = products_.func;
    products.bound(products.args()[filter], 0, static_cast<int>(products_.type.shape.back()));
    pad_buffer(products, products_.type);
    vectorize_copy(pairs_, variant_);
    order_gradient();
    if (total_) {
      place_total();
      place_images();
      for (const OutputGroup &group : kernel_.groups)
        schedule_stores(group, variant_);
      if (!around_.plain_before || !around_.plain_after)
        schedule_other_stages(kernel_, node_, variant_);
      return "bf16 filter gradient";
    }
    place_rows();
    return "bf16 product gradient";
  }

private:
  const Stage &stage(const char *role) const {
    const Stage *found = node_.find_stage(role);
    SINTER_ASSERT(found, "a gradient of bf16 numbers without the stage {}", role);
    return *found;
  }

  /// Panels inside, so that a pixel's filters are read in one go.
  void order_gradient() {
    Func gradient = gradient_.func;
    const std::vector<Var> v = gradient.args();
    const auto panel_lanes = static_cast<int>(gradient_.type.block);
    gradient.bound(v[lane_of_panel], 0, panel_lanes);
    gradient.reorder(v[lane_of_panel], v[panel], v[gradient_pair], v[gradient_image]);
    gradient.vectorize(v[lane_of_panel], std::min(panel_lanes, variant_.vector_width));
  }

  void place_total() {
    Func total = total_->func;
    const std::vector<Var> v = total.args();
    const int lanes = lanes_for(halide_extents(total_->type)[0], variant_);
    const Var vector("vector"), lane("lane"), task("task"), channel("channel"), taps("taps");
    total.compute_root().vectorize(v[0], lanes, TailStrategy::GuardWithIf).parallel(v[3]);
    pad_buffer(total, total_->type);
    Halide::Stage update = total.update();
    update.split(v[0], vector, lane, lanes, TailStrategy::GuardWithIf);
    update.split(v[1], task, channel, kRows, TailStrategy::GuardWithIf).rename(v[3], taps);
    std::vector<VarOrRVar> order{lane, vector};
    if (type_.blocked())
      order.emplace_back(v[4]);
    order.insert(order.end(), {channel, v[2], taps, task, total_->domain[0]});
    update.reorder(order).vectorize(lane).parallel(taps).parallel(task);
    Func(products_.func).compute_at(total, taps);
  }

  void place_images() {
    Func total = total_->func, channels = stage("channels").func;
    Func pairs = pairs_.func, turned = turned_.func, gradient = gradient_.func;
    const Halide::RVar chunk = total_->domain[0];
    const std::vector<Var> v = channels.args();
    const auto count = static_cast<int>(pairs_.type.shape[2]);
    channels.compute_at(total, chunk).bound(v[0], 0, count);
    channels.vectorize(v[0], variant_.vector_width).parallel(v[pair_image]);
    turned.compute_at(channels, v[pair_image]);
    pairs.compute_at(channels, v[pair_image]);
    const std::vector<Var> g = gradient.args();
    gradient.compute_at(total, chunk).parallel(g[gradient_image]);
    gradient.bound(g[gradient_pair], 0, static_cast<int>(gradient_.type.shape[1]));
  }

  void place_rows() {
    const bool fused = around_.plain_before && around_.plain_after;
    Func consumer = fused ? Func(kernel_.groups[0].func) : Func(node_.result);
    const std::vector<Var> v = consumer.args();
    const int lanes = lanes_for(type_.storage_shape().back(), variant_);
    const Var vector("vector"), lane("lane"), task("task"), row("row");
    consumer.split(v[0], vector, lane, lanes, TailStrategy::GuardWithIf);
    consumer.split(v[1], task, row, kRows, TailStrategy::GuardWithIf);
    std::vector<VarOrRVar> order{lane, vector, row};
    if (type_.blocked())
      order.emplace_back(v[2]);
    order.emplace_back(task);
    consumer.reorder(order).vectorize(lane).parallel(task);
    Func(products_.func).compute_at(consumer, task);
    Func(turned_.func).compute_at(consumer, task);
    Func(pairs_.func).compute_at(consumer, task);
    Func(gradient_.func).compute_root();
    if (!fused) {
      consumer.compute_root();
      pad_buffer(consumer, type_);
      schedule_rest(kernel_, node_, variant_);
    } else if (kernel_.groups[0].outputs.size() > 1) {
      Func values = kernel_.groups[0].values;
      values.compute_at(consumer, vector);
      pad_buffer(values, type_);
      values.vectorize(values.args()[0], lanes, TailStrategy::GuardWithIf);
    }
  }

  const LoweredKernel &kernel_;
  const LoweredNode &node_;
  const Variant &variant_;
  const Surroundings around_;
  const Stage &pairs_, &turned_, &gradient_, &products_;
  const Stage *total_; // over chunks; null for a matrix
  const TensorType &type_;
};

} // namespace

std::string schedule_bf16_gradient(const LoweredKernel &kernel, const LoweredNode &contraction,
                                   const Variant &variant) {
  return Bf16GradientSchedule(kernel, contraction, variant).apply();
}

std::string schedule_bf16_turned_filter(const LoweredKernel &kernel, const Variant &variant) {
  const LoweredNode &node = kernel.nodes[0];
  const Stage *turned = node.find_stage("turned"), *rounded = node.find_stage("rounded");
  SINTER_ASSERT(turned && rounded, "a turned filter without its stages");
  Func result = kernel.groups[0].func;
  const std::vector<Var> v = result.args();
  const int lanes = std::min(16, variant.vector_width);
  result.vectorize(v[0], lanes).parallel(v.back());
  Func(turned->func).compute_at(result, v.back());
  // A vector of pairs is made of one block of the filter's, where it has blocks.
  const int64_t half = kernel.kernel.graph.type(kernel.kernel.inputs[0]).block / 2;
  Func pairs = rounded->func;
  pairs.compute_at(result, v.back());
  for (size_t d = 0; d + 1 < v.size(); ++d) // Halide knows but what the transpose asks for
    pairs.bound(pairs.args()[d], 0, static_cast<int>(halide_extents(rounded->type)[d]));
  pairs.vectorize(pairs.args()[0], half > 0 && lanes % half == 0 ? static_cast<int>(half) : lanes);
  return "bf16, turned";
}

} // namespace sinter

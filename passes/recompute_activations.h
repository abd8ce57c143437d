// Rematerialisation: activations that the backward part of a training step computes again instead
// of keeping them (Chen et al., "Training Deep Nets with Sublinear Memory Cost", 2016).
//
//   %2 = conv2d %0, %1                          %2 = conv2d %0, %1
//   %3 = relu %2                                %3 = relu %2
//   ... the loss                           ->   ... the loss
//                                               %20 = conv2d %0, %1
//                                               %21 = relu %20
//   %30 = relu_gradient %29, %3                 %30 = relu_gradient %29, %21
//
// A value computed again has one copy, right before its first reader in the backward part, made of
// what is still there: kept activations, the caller's data, parameters (which are overwritten after
// their last reader), and statistics over the batch, which are small and always kept. So a run of
// dropped values is computed again from the last kept one before it, as a whole, once. Random masks
// are functions of their counter and come out the same; moving averages are updated by the forward
// part alone.
//
// What is forward and what is backward, and what lies in memory between the two, follows from the
// plan: the forward kernels are those up to the one that makes the loss.
//
// Requires: to come after all graph passes (merge_common_subexpressions would undo it).
#pragma once

#include "ir/plan.h"

namespace sinter {

class Recomputation {
public:
  /// A plan of a training step, with its placements.
  explicit Recomputation(const Plan &);

  /// An activation that forward kernels write and backward kernels read: a value with memory of its
  /// own, in the order of their making.
  struct Kept {
    NodeId value;
    int64_t bytes = 0; // a sample
  };
  const std::vector<Kept> &kept() const { return kept_; }

  /// By index of kept().
  using Dropped = std::vector<bool>;

  /// The estimated work of computing the dropped values again, in operations a sample.
  double work(const Dropped &) const;
  /// The plan's graph, with the dropped values computed again where the backward part reads them.
  Graph apply(const Dropped &) const;

private:
  class Choice;

  void find_forward(const std::vector<int> &kernel_of, int last);
  NodeId place_of_copies(NodeId reader) const;
  void find_kept(const std::vector<int> &kernel_of, int last);

  const Plan &plan_;
  const Graph &graph_;
  std::vector<Location> locations_;     // by node
  std::vector<bool> forward_;           // by node: made by the forward part, or a leaf
  std::vector<bool> depends_on_images_; // by node: on anything with a batch
  std::vector<int> kept_index_;         // by node: of kept_, or -1
  std::vector<bool> stays_;             // by node: made with the loss, as its gradients are
  std::vector<double> work_;            // by node
  std::vector<Kept> kept_;
};

} // namespace sinter

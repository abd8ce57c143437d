#include "passes/reuse_sums.h"

#include "passes/eliminate_dead_nodes.h"

#include <map>

namespace sinter {

namespace {

/// A sum that was found: zero, or a node of the new graph.
struct Sum {
  bool zero = false;
  NodeId value;
};

/// Finds the sum of a value over the axes of the reduce_sum under the rule.
class SumFinder {
public:
  SumFinder(const RewriteContext &context, const std::map<NodeId, NodeId> &known)
      : context_(context), known_(known), axes_(attrs<ReduceAttrs>(context.node()).axes) {}

  /// Each value once, however many ways lead to it.
  std::optional<Sum> find(NodeId x) {
    const auto [entry, added] = found_.try_emplace(x);
    if (added)
      entry->second = search(x);
    return entry->second;
  }

private:
  std::optional<Sum> search(NodeId x) {
    const auto known = known_.find(x);
    if (known != known_.end() && attrs<ReduceAttrs>(before(known->second)).axes == axes_)
      return Sum{false, mapped(known->second)};
    const Node &node = before(x);
    if (node.kind == OpKind::negate)
      return scaled(find(node.inputs[0]), -1);
    if (node.kind == OpKind::affine && attrs<AffineAttrs>(node).offset == 0)
      return scaled(find(node.inputs[0]), attrs<AffineAttrs>(node).scale);
    if (node.kind == OpKind::add)
      return total(node);
    if (node.kind == OpKind::subtract && is_centered(node))
      return Sum{true, {}};
    if (node.kind == OpKind::multiply) {
      const std::optional<Sum> product = factored(node, 0);
      return product ? product : factored(node, 1);
    }
    if (node.kind == OpKind::broadcast && attrs<BroadcastAttrs>(node).mean &&
        attrs<BroadcastAttrs>(node).axes == axes_)
      return Sum{false, mapped(node.inputs[0])}; // repeated, and divided by the repetitions
    if (node.kind == OpKind::max_pool2d_gradient)
      return find(node.inputs[0]);
    return std::nullopt;
  }

  const Node &before(NodeId old) const { return context_.before[old]; }
  NodeId mapped(NodeId old) const { return context_.map[static_cast<size_t>(old.index)]; }

  std::optional<Sum> scaled(std::optional<Sum> sum, float scale) const {
    if (sum && !sum->zero)
      sum->value = scale == -1
                       ? context_.append(OpKind::negate, {sum->value})
                       : context_.append(OpKind::affine, {sum->value}, AffineAttrs{scale, 0});
    return sum;
  }

  std::optional<Sum> total(const Node &node) {
    if (before(node.inputs[0]).type != before(node.inputs[1]).type)
      return std::nullopt;
    const std::optional<Sum> a = find(node.inputs[0]);
    const std::optional<Sum> b = a ? find(node.inputs[1]) : std::nullopt;
    if (!b)
      return std::nullopt;
    if (a->zero || b->zero)
      return a->zero ? b : a;
    return Sum{false, context_.append(OpKind::add, {a->value, b->value})};
  }

  /// x - mean(x), over the same axes.
  bool is_centered(const Node &node) const {
    const Node &mean = before(node.inputs[1]);
    return mean.kind == OpKind::reduce_mean && mean.inputs[0] == node.inputs[0] &&
           attrs<ReduceAttrs>(mean).axes == axes_;
  }

  /// The sum of a product whose operand number `factor` is the same at all summed indices.
  std::optional<Sum> factored(const Node &node, size_t factor) {
    const NodeId other = node.inputs[1 - factor];
    const Node &constant = before(node.inputs[factor]);
    const bool is_vector =
        constant.type.rank() == 1 && node.type.rank() > 1 && before(other).type == node.type;
    const bool is_spread =
        constant.kind == OpKind::broadcast && attrs<BroadcastAttrs>(constant).axes == axes_;
    if (!is_vector && !is_spread)
      return std::nullopt;
    std::optional<Sum> sum = find(other);
    if (!sum || sum->zero)
      return sum;
    if (is_spread)
      return std::nullopt; // the number of repetitions is known at run time alone
    return Sum{false, context_.append(OpKind::multiply, {sum->value, mapped(node.inputs[factor])})};
  }

  const RewriteContext &context_;
  const std::map<NodeId, NodeId> &known_; // what is summed -> the reduce_sum, in the old graph
  std::vector<int64_t> axes_;
  std::map<NodeId, std::optional<Sum>> found_; // by the value in the old graph
};

bool keeps_the_last_dimension_alone(const Graph &graph, const Node &node) {
  const auto &reduce = attrs<ReduceAttrs>(node);
  return !reduce.keep_dims && node.type.rank() == 1 && node.type.shape[0] != kBatch &&
         reduce.axes.back() != graph.type(node.inputs[0]).rank() - 1;
}

} // namespace

void reuse_sums(Graph &graph) {
  std::map<NodeId, NodeId> known;
  graph = rewrite(graph, [&](const RewriteContext &context) -> std::optional<NodeId> {
    const Node &node = context.node();
    if (node.kind != OpKind::reduce_sum || !keeps_the_last_dimension_alone(context.before, node))
      return std::nullopt;
    const std::optional<Sum> sum = SumFinder(context, known).find(node.inputs[0]);
    known.emplace(node.inputs[0], context.old_id);
    if (sum && sum->zero)
      return context.append(OpKind::constant, {}, ConstantAttrs{{0.0F}, node.type});
    return sum ? std::optional(sum->value) : std::nullopt;
  });
  eliminate_dead_nodes(graph);
}

} // namespace sinter

#include "passes/simplify.h"

#include "ir/op.h"
#include "passes/eliminate_dead_nodes.h"
#include "passes/merge_common_subexpressions.h"

#include <algorithm>

namespace sinter {

namespace {

using Result = std::optional<NodeId>;

/// One round over the graph; finds forward values by looking at the old graph's users.
class Round {
public:
  explicit Round(const Graph &before) : users_(before.users()) {}

  Result apply(const RewriteContext &context) const {
    using Rule = Result (Round::*)(const RewriteContext &) const;
    constexpr Rule rules[] = {&Round::pool_before_activation, &Round::sink_reshape,
                              &Round::reshape_of_mask, &Round::reuse_dropped_activation,
                              &Round::sum_before_pool};
    for (Rule rule : rules)
      if (Result replacement = (this->*rule)(context))
        return replacement;
    return std::nullopt;
  }

private:
  static const Node &operand(const RewriteContext &context, size_t i) {
    return context.before[context.node().inputs[i]];
  }
  static NodeId mapped(const RewriteContext &context, NodeId old) {
    return context.map[static_cast<size_t>(old.index)];
  }
  static bool is_activation_gradient(OpKind kind) {
    return kind == OpKind::relu_gradient || kind == OpKind::tanh_gradient ||
           kind == OpKind::sigmoid_gradient;
  }

  /// A node `kind (x, ...)` that precedes the one under the rule and satisfies `accept`.
  template <typename Accept>
  Result find_user(const RewriteContext &context, NodeId x, OpKind kind, Accept accept) const {
    for (NodeId user : users_[static_cast<size_t>(x.index)])
      if (user < context.old_id && context.before[user].kind == kind &&
          accept(context.before[user]))
        return user;
    return std::nullopt;
  }

  Result pool_before_activation(const RewriteContext &context) const {
    const Node &node = context.node();
    if (!is_activation_gradient(node.kind) ||
        operand(context, 0).kind != OpKind::max_pool2d_gradient)
      return std::nullopt;
    const Node &pool_gradient = operand(context, 0);
    const Node &argmax = context.before[pool_gradient.inputs[1]];
    const NodeId y = node.inputs[1];
    if (argmax.kind != OpKind::max_pool2d_argmax || argmax.inputs[0] != y)
      return std::nullopt;
    const Result pooled = find_user(context, y, OpKind::max_pool2d, [&](const Node &candidate) {
      return candidate.attrs == argmax.attrs;
    });
    if (!pooled)
      return std::nullopt;
    const NodeId inner = context.append(
        node.kind, {mapped(context, pool_gradient.inputs[0]), mapped(context, *pooled)});
    return context.append(OpKind::max_pool2d_gradient,
                          {inner, mapped(context, pool_gradient.inputs[1])}, pool_gradient.attrs);
  }

  static NodeId without_reshapes(const Graph &graph, NodeId id) {
    while (graph[id].kind == OpKind::reshape)
      id = graph[id].inputs[0];
    return id;
  }

  /// An operand of the elementwise op under the rule in the shape before the reshape, or nothing.
  static Result under_reshape(const RewriteContext &context, NodeId id, const Shape &shape) {
    if (context.after.type(id).shape.empty())
      return id; // a single value
    if (context.after.type(id).shape != context.node().type.shape)
      return std::nullopt; // broadcasts along dimensions that the reshape changes
    const NodeId base = without_reshapes(context.after, id);
    if (context.after.type(base).shape == shape)
      return base;
    return context.append(OpKind::reshape, {base}, ReshapeAttrs{shape});
  }

  /// Operand 0 alone leads: were both to, two reshapes would push each other down forever.
  Result sink_reshape(const RewriteContext &context) const {
    const Node &node = context.node();
    const Traits &traits = op_def(node.kind).traits;
    if (traits.op_class != OpClass::elementwise || traits.by_channel ||
        context.after[context.inputs[0]].kind != OpKind::reshape ||
        context.after.type(context.inputs[0]).shape != node.type.shape)
      return std::nullopt;
    const NodeId base = without_reshapes(context.after, context.inputs[0]);
    if (op_def(context.after[base].kind).traits.op_class == OpClass::leaf)
      return std::nullopt; // no kernel to join
    const Shape shape = context.after.type(base).shape;
    std::vector<NodeId> operands{base};
    for (size_t i = 1; i < context.inputs.size(); ++i) {
      const Result moved = under_reshape(context, context.inputs[i], shape);
      if (!moved)
        return std::nullopt;
      operands.push_back(*moved);
    }
    const NodeId value = context.append(node.kind, operands, node.attrs);
    return context.append(OpKind::reshape, {value}, ReshapeAttrs{node.type.shape});
  }

  Result reshape_of_mask(const RewriteContext &context) const {
    if (context.node().kind != OpKind::reshape ||
        context.after[context.inputs[0]].kind != OpKind::dropout_mask)
      return std::nullopt;
    const Node &mask = context.after[context.inputs[0]];
    auto attributes = attrs<DropoutMaskAttrs>(mask);
    attributes.shape = context.node().type.shape;
    return context.append(OpKind::dropout_mask, mask.inputs, attributes);
  }

  Result reuse_dropped_activation(const RewriteContext &context) const {
    const Node &node = context.node();
    if (node.kind != OpKind::relu_gradient || operand(context, 0).kind != OpKind::multiply)
      return std::nullopt;
    const Node &product = operand(context, 0);
    const NodeId y = node.inputs[1];
    for (size_t position : {size_t{0}, size_t{1}}) {
      const NodeId mask = product.inputs[position];
      if (context.before[mask].kind != OpKind::dropout_mask)
        continue;
      const Result dropped = find_user(context, y, OpKind::multiply, [&](const Node &candidate) {
        return candidate.inputs[0] == mask || candidate.inputs[1] == mask;
      });
      if (!dropped)
        continue;
      const NodeId dy = mapped(context, product.inputs[1 - position]);
      const NodeId passed = context.append(OpKind::relu_gradient, {dy, mapped(context, *dropped)});
      const float keep = 1.0F - attrs<DropoutMaskAttrs>(context.before[mask]).rate;
      return context.append(OpKind::affine, {passed}, AffineAttrs{1.0F / keep, 0});
    }
    return std::nullopt;
  }

  static bool spreads_all_of_dy(const Node &node) {
    if (node.kind == OpKind::max_pool2d_gradient)
      return true;
    if (node.kind != OpKind::average_pool2d_gradient)
      return false;
    const auto &pool = attrs<Pool2dGradientAttrs>(node);
    return !pool.count_include_pad || pool.padding == std::array<int64_t, 4>{0, 0, 0, 0};
  }

  Result sum_before_pool(const RewriteContext &context) const {
    if (context.node().kind != OpKind::reduce_sum)
      return std::nullopt;
    const std::vector<int64_t> &axes = attrs<ReduceAttrs>(context.node()).axes;
    const bool over_images = axes == std::vector<int64_t>{0, 1, 2};
    const Node &pool_gradient = context.after[context.inputs[0]];
    if (!over_images || !spreads_all_of_dy(pool_gradient))
      return std::nullopt;
    return context.append(OpKind::reduce_sum, {pool_gradient.inputs[0]}, context.node().attrs);
  }

  std::vector<std::vector<NodeId>> users_;
};

} // namespace

void simplify(Graph &graph) {
  // A rewrite can make room for another one. Each moves work towards smaller values or reshapes
  // towards their users, so the rounds end.
  for (bool changed = true; changed;) {
    changed = false;
    merge_common_subexpressions(graph);
    const Round round(graph);
    graph = rewrite(graph, [&](const RewriteContext &context) {
      const Result replacement = round.apply(context);
      changed = changed || replacement.has_value();
      return replacement;
    });
    eliminate_dead_nodes(graph);
  }
}

} // namespace sinter

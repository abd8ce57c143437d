#include "passes/canonicalize.h"

#include "ir/op.h"
#include "ir/permutation.h"
#include "passes/eliminate_dead_nodes.h"

#include <algorithm>

namespace sinter {

namespace {

using Result = std::optional<NodeId>;

/// Operand i of the node under the rule, in the new graph, when it is of the given kind.
const Node *operand_of_kind(const RewriteContext &context, size_t i, OpKind kind) {
  const Node &operand = context.after[context.inputs[i]];
  return operand.kind == kind ? &operand : nullptr;
}

bool has_type_of(const RewriteContext &context, NodeId replacement) {
  return context.after.type(replacement) == context.node().type;
}

/// The value of a constant that holds one value everywhere.
std::optional<float> splat_value(const Node &node) {
  if (node.kind != OpKind::constant || node.type.element != ElementType::f32)
    return std::nullopt;
  const std::vector<float> &values = attrs<ConstantAttrs>(node).values;
  const bool same = std::all_of(values.begin(), values.end(),
                                [&](float value) { return value == values.front(); });
  return same && !values.empty() ? std::optional(values.front()) : std::nullopt;
}

/// `loss (activation x), t` -> `fused x, t`.
Result skip_activation(const RewriteContext &context, OpKind loss, OpKind activation,
                       OpKind fused) {
  if (context.node().kind != loss)
    return std::nullopt;
  const Node *probability = operand_of_kind(context, 0, activation);
  if (!probability)
    return std::nullopt;
  return context.append(fused, {probability->inputs[0], context.inputs[1]});
}

Result fuse_losses(const RewriteContext &context) {
  if (Result found = skip_activation(context, OpKind::categorical_crossentropy, OpKind::softmax,
                                     OpKind::softmax_cross_entropy))
    return found;
  if (Result found = skip_activation(context, OpKind::binary_crossentropy, OpKind::sigmoid,
                                     OpKind::sigmoid_cross_entropy))
    return found;
  return skip_activation(context, OpKind::categorical_accuracy, OpKind::softmax,
                         OpKind::categorical_accuracy);
}

bool is_always_identity(const Node &) { return true; }

bool has_one_operand(const Node &node) { return node.inputs.size() == 1; }

bool keeps_order(const Node &node) { return is_identity(attrs<TransposeAttrs>(node).permutation); }

bool scales_by_one(const Node &node) {
  return attrs<AffineAttrs>(node).scale == 1 && attrs<AffineAttrs>(node).offset == 0;
}

bool drops_nothing(const Node &node) { return attrs<DropoutAttrs>(node).rate == 0; }

/// Ops that are the identity on their operand when its type is theirs too and this holds.
struct IdentityRule {
  OpKind kind;
  bool (*is_identity)(const Node &);
};

constexpr IdentityRule kIdentityRules[] = {
    {OpKind::reshape, is_always_identity}, {OpKind::slice, is_always_identity},
    {OpKind::cast, is_always_identity},    {OpKind::pad, is_always_identity},
    {OpKind::concat, has_one_operand},     {OpKind::transpose, keeps_order},
    {OpKind::affine, scales_by_one},       {OpKind::dropout, drops_nothing},
};

Result remove_identities(const RewriteContext &context) {
  const Node &node = context.node();
  for (const IdentityRule &rule : kIdentityRules)
    if (rule.kind == node.kind && rule.is_identity(node) && has_type_of(context, context.inputs[0]))
      return context.inputs[0];
  return std::nullopt;
}

Result keep_inner(const RewriteContext &context, const Node &) { return context.inputs[0]; }

Result cancel_both(const RewriteContext &, const Node &inner) { return inner.inputs[0]; }

Result reshape_once(const RewriteContext &context, const Node &inner) {
  if (context.after.type(inner.inputs[0]) == context.node().type)
    return inner.inputs[0];
  return context.append(OpKind::reshape, {inner.inputs[0]}, context.node().attrs);
}

Result scale_once(const RewriteContext &context, const Node &inner) {
  const auto &outer = attrs<AffineAttrs>(context.node());
  const auto &first = attrs<AffineAttrs>(inner);
  return context.append(
      OpKind::affine, {inner.inputs[0]},
      AffineAttrs{outer.scale * first.scale, outer.scale * first.offset + outer.offset});
}

Result transpose_once(const RewriteContext &context, const Node &inner) {
  const Permutation order = permuted(attrs<TransposeAttrs>(inner).permutation,
                                     attrs<TransposeAttrs>(context.node()).permutation);
  if (is_identity(order))
    return inner.inputs[0];
  return context.append(OpKind::transpose, {inner.inputs[0]}, TransposeAttrs{order});
}

/// Two of a kind in a row become one, or none.
struct ChainRule {
  OpKind kind;
  Result (*merge)(const RewriteContext &, const Node &inner);
};

constexpr ChainRule kChainRules[] = {
    {OpKind::relu, keep_inner},    {OpKind::abs, keep_inner},
    {OpKind::negate, cancel_both}, {OpKind::reshape, reshape_once},
    {OpKind::affine, scale_once},  {OpKind::transpose, transpose_once},
};

Result merge_chains(const RewriteContext &context) {
  const OpKind kind = context.node().kind;
  for (const ChainRule &rule : kChainRules)
    if (rule.kind == kind)
      if (const Node *inner = operand_of_kind(context, 0, kind))
        return rule.merge(context, *inner);
  return std::nullopt;
}

/// x + c, c + x, x - c, x * c, c * x with one value in c, which must not widen x.
Result make_affine(const RewriteContext &context) {
  const OpKind kind = context.node().kind;
  const bool commutes = kind == OpKind::add || kind == OpKind::multiply;
  if (!commutes && kind != OpKind::subtract)
    return std::nullopt;
  for (size_t position : {size_t{1}, size_t{0}}) {
    if (position == 0 && !commutes)
      continue;
    const std::optional<float> value = splat_value(context.after[context.inputs[position]]);
    const NodeId x = context.inputs[1 - position];
    if (!value || !has_type_of(context, x))
      continue;
    AffineAttrs affine;
    if (kind == OpKind::multiply)
      affine.scale = *value;
    else
      affine.offset = kind == OpKind::add ? *value : -*value;
    if (affine.scale == 1 && affine.offset == 0)
      return x;
    return context.append(OpKind::affine, {x}, affine);
  }
  return std::nullopt;
}

/// conv2d pads with zeros itself: a ZeroPadding2D layer before it costs nothing.
Result pad_in_convolution(const RewriteContext &context) {
  if (context.node().kind != OpKind::conv2d)
    return std::nullopt;
  const Node *pad = operand_of_kind(context, 0, OpKind::pad);
  if (!pad)
    return std::nullopt;
  const auto &padding = attrs<PadAttrs>(*pad);
  const bool spatial_only =
      padding.low[0] == 0 && padding.high[0] == 0 && padding.low[3] == 0 && padding.high[3] == 0;
  if (!spatial_only || padding.value != 0 || !padding.interior.empty())
    return std::nullopt;
  Conv2dAttrs convolution = attrs<Conv2dAttrs>(context.node());
  convolution.padding[0] += padding.low[1];
  convolution.padding[1] += padding.low[2];
  convolution.padding[2] += padding.high[1];
  convolution.padding[3] += padding.high[2];
  return context.append(OpKind::conv2d, {pad->inputs[0], context.inputs[1]}, convolution);
}

} // namespace

void canonicalize(Graph &graph) {
  using Rule = Result (*)(const RewriteContext &);
  constexpr Rule rules[] = {remove_identities, merge_chains, fuse_losses, make_affine,
                            pad_in_convolution};
  // A rewrite can lay bare another one (a chain that became an identity): each round shortens the
  // graph, so the rounds end.
  for (bool changed = true; changed;) {
    changed = false;
    graph = rewrite(graph, [&](const RewriteContext &context) -> Result {
      for (Rule rule : rules)
        if (Result replacement = rule(context)) {
          changed = true;
          return replacement;
        }
      return std::nullopt;
    });
    eliminate_dead_nodes(graph);
  }
}

} // namespace sinter

#include "passes/choose_layout.h"

#include <algorithm>

namespace sinter {

namespace {

constexpr int64_t kWideBlock = 32;
constexpr int64_t kNarrowBlock = 16;
constexpr int64_t kFewestOutputs = 8;

/// The block that `user` wishes for its operand `parameter`; 0 is row-major.
int64_t wished_block(const Graph &graph, NodeId user, NodeId parameter) {
  const Node &node = graph[user];
  const bool is_weight =
      node.inputs.size() == 2 && node.inputs[1] == parameter && node.inputs[0] != parameter;
  const Shape &shape = graph.type(parameter).shape;
  if (!is_weight || shape.empty() || shape.back() < kFewestOutputs)
    return 0;
  if (node.kind == OpKind::conv2d) {
    if (attrs<Conv2dAttrs>(node).groups != 1)
      return kNarrowBlock;
    return shape.back() % kWideBlock == 0 ? kWideBlock : kNarrowBlock;
  }
  if (node.kind == OpKind::matmul) {
    const auto &matmul = attrs<MatmulAttrs>(node);
    return matmul.transpose_a || matmul.transpose_b ? 0 : kNarrowBlock;
  }
  return 0;
}

int64_t choose_block(const Graph &graph, NodeId parameter, const std::vector<NodeId> &users) {
  int64_t block = 0;
  for (size_t i = 0; i < users.size(); ++i) {
    const int64_t wish = wished_block(graph, users[i], parameter);
    if (i > 0 && wish != block)
      return 0;
    block = wish;
  }
  return block;
}

} // namespace

void choose_layout(Graph &graph) {
  const std::vector<std::vector<NodeId>> users = graph.users();
  graph = rewrite(graph, [&](const RewriteContext &context) -> std::optional<NodeId> {
    if (context.node().kind != OpKind::parameter)
      return std::nullopt;
    auto parameter = attrs<ParameterAttrs>(context.node());
    if (!parameter.norm_axes.empty()) // the norms broadcast over it, which storage must allow
      return std::nullopt;
    parameter.type.block = choose_block(context.before, context.old_id,
                                        users[static_cast<size_t>(context.old_id.index)]);
    return context.append(OpKind::parameter, {}, parameter);
  });
}

} // namespace sinter

#include "passes/differentiate.h"

#include "ir/diagnostics.h"
#include "ir/op.h"
#include "passes/eliminate_dead_nodes.h"

namespace sinter {

namespace {

bool is_weight(const Node &node) {
  return node.kind == OpKind::parameter && attrs<ParameterAttrs>(node).role == "weight";
}

/// Sums `gradient` over the dimensions along which `target` was broadcast to its shape.
NodeId sum_to_shape(Graph &graph, NodeId gradient, const Node &user, const Shape &target) {
  const Shape shape = graph.type(gradient).shape;
  if (shape == target)
    return gradient;
  const size_t added = shape.size() - target.size();
  ReduceAttrs reduce;
  for (size_t i = 0; i < shape.size(); ++i)
    if (i < added || target[i - added] != shape[i])
      reduce.axes.push_back(static_cast<int64_t>(i));
  NodeId sum = graph.append(OpKind::reduce_sum, {gradient}, reduce, user.layer, user.location);
  if (graph.type(sum).shape != target) // an extent of 1 was dropped
    sum = graph.append(OpKind::reshape, {sum}, ReshapeAttrs{target}, user.layer, user.location);
  return sum;
}

class Differentiator {
public:
  explicit Differentiator(Graph &graph) : graph_(graph), forward_size_(graph.size()) {}

  void run() {
    const NodeId loss = graph_.find_output("loss");
    SINTER_ASSERT(loss.valid(), "differentiate needs an output \"loss\"");
    SINTER_ASSERT(graph_.type(loss).shape.empty(), "the loss is no scalar but {}",
                  graph_.type(loss).str());
    mark_nodes_on_the_way(loss);
    gradients_.resize(static_cast<size_t>(forward_size_));
    gradients_[index(loss)] =
        graph_.append(OpKind::constant, {}, ConstantAttrs{{1.0F}, graph_.type(loss)});
    for (int i = forward_size_ - 1; i >= 0; --i)
      if (on_the_way_[static_cast<size_t>(i)] && gradients_[static_cast<size_t>(i)].valid())
        propagate({i});
    for (const Cut &cut : cuts_)
      require_gradients_above(cut);
    for (int i = 0; i < forward_size_; ++i)
      if (is_weight(graph_[{i}]) && gradients_[static_cast<size_t>(i)].valid())
        add_output({i});
  }

private:
  /// Where a gradient ends though weights stand above: at a node whose op has none, or at an
  /// operand that its op gives none, such as a mask or indices.
  struct Cut {
    NodeId node;
    std::optional<size_t> operand = {};
  };

  static size_t index(NodeId id) { return static_cast<size_t>(id.index); }

  /// Nodes that depend on a weight and that the loss depends on: those whose gradient is needed.
  void mark_nodes_on_the_way(NodeId loss) {
    std::vector<bool> needed_by_loss(static_cast<size_t>(forward_size_), false);
    needed_by_loss[index(loss)] = true;
    for (int i = loss.index; i >= 0; --i)
      if (needed_by_loss[static_cast<size_t>(i)])
        for (NodeId input : graph_[{i}].inputs)
          needed_by_loss[index(input)] = true;
    on_the_way_.assign(static_cast<size_t>(forward_size_), false);
    for (int i = 0; i < forward_size_; ++i) {
      bool trainable = is_weight(graph_[{i}]);
      for (NodeId input : graph_[{i}].inputs)
        trainable = trainable || on_the_way_[index(input)];
      on_the_way_[static_cast<size_t>(i)] = trainable && needed_by_loss[static_cast<size_t>(i)];
    }
  }

  void propagate(NodeId id) {
    const OpKind kind = graph_[id].kind;
    if (kind == OpKind::parameter)
      return;
    const OpDef &def = op_def(kind);
    if (!def.gradient) {
      if (!def.traits.metric)
        reject({id}, weights_above(id));
      cuts_.push_back({id});
      return;
    }
    std::vector<bool> reached(graph_[id].inputs.size(), false);
    const std::function<void(size_t, NodeId)> accumulate = [&](size_t operand, NodeId gradient) {
      reached[operand] = true;
      this->accumulate(id, operand, gradient);
    };
    GradientBuilder builder(graph_, id, gradients_[index(id)], accumulate);
    def.gradient(builder);
    for (size_t operand = 0; operand < reached.size(); ++operand)
      if (!reached[operand] && on_the_way_[index(graph_[id].inputs[operand])])
        cuts_.push_back({id, operand});
  }

  void accumulate(NodeId user, size_t operand, NodeId gradient) {
    const Node node = graph_[user]; // a copy: appending moves the nodes
    const NodeId input = node.inputs[operand];
    if (!on_the_way_[index(input)])
      return;
    NodeId &sum = gradients_[index(input)];
    const Shape shape = graph_.type(input).shape; // a copy, too
    const NodeId summed = sum_to_shape(graph_, gradient, node, shape);
    sum = sum.valid()
              ? graph_.append(OpKind::add, {sum, summed}, NoAttrs{}, node.layer, node.location)
              : summed;
  }

  /// The weights that the node depends on, in the model's order.
  std::vector<NodeId> weights_above(NodeId id) const {
    std::vector<bool> reaches(static_cast<size_t>(id.index) + 1, false);
    reaches[index(id)] = true;
    std::vector<NodeId> weights;
    for (int i = id.index; i >= 0; --i) {
      if (!reaches[static_cast<size_t>(i)])
        continue;
      for (NodeId input : graph_[{i}].inputs)
        reaches[index(input)] = true;
      if (is_weight(graph_[{i}]))
        weights.insert(weights.begin(), NodeId{i});
    }
    return weights;
  }

  /// A cut is no matter when the loss depends on the weights above it in other ways.
  void require_gradients_above(const Cut &cut) const {
    std::vector<NodeId> cut_off;
    for (NodeId weight :
         weights_above(cut.operand ? graph_[cut.node].inputs[*cut.operand] : cut.node))
      if (!gradients_[index(weight)].valid())
        cut_off.push_back(weight);
    if (!cut_off.empty())
      reject(cut, cut_off);
  }

  [[noreturn]] void reject(const Cut &cut, const std::vector<NodeId> &cut_off) const {
    std::string names;
    for (NodeId weight : cut_off)
      names += (names.empty() ? "" : ", ") + attrs<ParameterAttrs>(graph_[weight]).name;
    const std::string by = cut.operand ? fmt::format(" by operand {}", *cut.operand) : "";
    throw CompileError(graph_[cut.node].location,
                       "{} has no gradient{}: it cuts the loss off from {}",
                       name(graph_[cut.node].kind), by, names);
  }

  void add_output(NodeId parameter) {
    const std::string &parameter_name = attrs<ParameterAttrs>(graph_[parameter]).name;
    const NodeId gradient = gradients_[index(parameter)];
    SINTER_ASSERT(graph_.type(gradient) == graph_.type(parameter),
                  "the gradient of {} : {} has type {}", parameter_name,
                  graph_.type(parameter).str(), graph_.type(gradient).str());
    graph_.outputs.push_back({kGradientPrefix + parameter_name, gradient});
  }

  Graph &graph_;
  int forward_size_;
  std::vector<bool> on_the_way_;
  std::vector<NodeId> gradients_; // by forward node
  std::vector<Cut> cuts_;         // where gradients ended
};

} // namespace

void differentiate(Graph &graph) {
  Differentiator(graph).run();
  eliminate_dead_nodes(graph); // rules also build gradients of operands that nobody asked for
}

} // namespace sinter

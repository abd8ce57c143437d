#include "passes/recompute_activations.h"

#include "ir/diagnostics.h"
#include "ir/op.h"
#include "passes/eliminate_dead_nodes.h"

#include <algorithm>

namespace sinter {

namespace {

size_t index(NodeId id) { return static_cast<size_t>(id.index); }

bool is_leaf(const Graph &graph, NodeId id) {
  return op_def(graph[id].kind).traits.op_class == OpClass::leaf;
}

/// A byte that goes through memory takes about as long as this many operations.
constexpr double kOperationsPerByte = 8;

double work_of(const Graph &graph, NodeId id) {
  if (op_def(graph[id].kind).traits.view || !graph.type(id).batched())
    return 0;
  return cost(graph, id).flops_per_sample +
         kOperationsPerByte * static_cast<double>(graph.type(id).storage_bytes());
}

} // namespace

/// What follows from the values that are dropped.
class Recomputation::Choice {
public:
  Choice(const Recomputation &all, const Dropped &dropped) : all_(all), dropped_(dropped) {
    const Graph &graph = all.graph_;
    stale_.assign(graph.nodes().size(), false);
    for (int i = 0; i < graph.size(); ++i)
      stale_[index({i})] = !is_there({i}) && (is_dropped({i}) || reads_stale({i}));
  }

  /// Whether the backward part reads a copy in place of this node.
  bool is_stale(NodeId id) const { return all_.forward_[index(id)] && stale_[index(id)]; }

  /// Marks what must be copied so that `id` can be read: itself and operands of its own that are
  /// not in memory.
  void mark_copies(NodeId id, std::vector<bool> &copied) const {
    std::vector<NodeId> open{id};
    while (!open.empty()) {
      const NodeId current = open.back();
      open.pop_back();
      if (is_there(current) || copied[index(current)])
        continue;
      copied[index(current)] = true;
      for (NodeId input : all_.graph_[current].inputs)
        open.push_back(input);
    }
  }

  /// All that is copied.
  std::vector<bool> copied() const {
    std::vector<bool> result(stale_.size(), false);
    for (int i = 0; i < all_.graph_.size(); ++i)
      if (!all_.forward_[index({i})])
        for (NodeId input : all_.graph_[{i}].inputs)
          if (is_stale(input))
            mark_copies(input, result);
    return result;
  }

private:
  bool is_dropped(NodeId id) const {
    const int kept = all_.kept_index_[index(id)];
    return kept >= 0 && dropped_[static_cast<size_t>(kept)];
  }

  /// Whether a forward value is still there when the backward part runs.
  bool is_there(NodeId id) const {
    if (is_leaf(all_.graph_, id) || all_.stays_[index(id)])
      return true;
    if (!all_.graph_.type(id).batched() && all_.depends_on_images_[index(id)])
      return true;
    return all_.kept_index_[index(id)] >= 0 && !is_dropped(id);
  }

  bool reads_stale(NodeId id) const {
    const std::vector<NodeId> &inputs = all_.graph_[id].inputs;
    return std::any_of(inputs.begin(), inputs.end(), [&](NodeId input) { return is_stale(input); });
  }

  const Recomputation &all_;
  const Dropped &dropped_;
  std::vector<bool> stale_; // of forward nodes: dropped, or made of such and not in memory
};

Recomputation::Recomputation(const Plan &plan)
    : plan_(plan), graph_(plan.graph), locations_(plan.locations()) {
  std::vector<int> kernel_of(graph_.nodes().size(), -1); // the first one that computes it
  for (size_t k = plan.kernels.size(); k-- > 0;)
    for (NodeId id : plan.kernels[k].nodes)
      kernel_of[index(id)] = static_cast<int>(k);
  const NodeId loss = graph_.find_output("loss");
  SINTER_ASSERT(loss.valid(), "a training step without a loss");
  const int last = kernel_of[index(plan.storage_root(loss))];
  find_forward(kernel_of, last);
  find_kept(kernel_of, last);
  for (int i = 0; i < graph_.size(); ++i)
    work_.push_back(work_of(graph_, {i}));
}

void Recomputation::find_forward(const std::vector<int> &kernel_of, int last) {
  for (int i = 0; i < graph_.size(); ++i) {
    const std::vector<NodeId> &inputs = graph_[{i}].inputs;
    const int kernel = kernel_of[index({i})];
    depends_on_images_.push_back(graph_.type({i}).batched() ||
                                 std::any_of(inputs.begin(), inputs.end(), [&](NodeId input) {
                                   return depends_on_images_[index(input)];
                                 }));
    forward_.push_back(is_leaf(graph_, {i}) ||
                       (kernel >= 0 ? kernel <= last // views and what is free: by their operands
                                    : std::all_of(inputs.begin(), inputs.end(), [&](NodeId input) {
                                        return forward_[index(input)];
                                      })));
  }
}

// What the kernel of the loss itself writes is the beginning of the backward part.
void Recomputation::find_kept(const std::vector<int> &kernel_of, int last) {
  std::vector<bool> crosses(graph_.nodes().size(), false);
  for (size_t k = static_cast<size_t>(last) + 1; k < plan_.kernels.size(); ++k)
    for (NodeId input : plan_.kernels[k].inputs)
      crosses[index(locations_[index(input)].owner)] = true;
  for (const Output &output : graph_.outputs)
    crosses[index(locations_[index(output.value)].owner)] = false;
  std::vector<int> kept_of_owner(graph_.nodes().size(), -1);
  stays_.assign(graph_.nodes().size(), false);
  for (NodeId output : plan_.kernels[static_cast<size_t>(last)].outputs)
    stays_[index(output)] = true;
  for (int i = 0; i < graph_.size(); ++i) {
    const int kernel = kernel_of[index({i})];
    const NodeId owner = locations_[index({i})].owner;
    int &kept = kept_of_owner[index(owner)];
    const bool placed = plan_.placements[index(owner)].region == Region::arena_batch;
    if (forward_[index({i})] && crosses[index(owner)] && placed && kept < 0 && kernel >= 0 &&
        kernel < last) {
      kept = static_cast<int>(kept_.size());
      kept_.push_back({owner, graph_.type(owner).storage_bytes()});
    }
  }
  for (int i = 0; i < graph_.size(); ++i)
    kept_index_.push_back(forward_[index({i})] ? kept_of_owner[index(locations_[index({i})].owner)]
                                               : -1);
}

double Recomputation::work(const Dropped &dropped) const {
  const std::vector<bool> copied = Choice(*this, dropped).copied();
  double sum = 0;
  for (size_t i = 0; i < copied.size(); ++i)
    sum += copied[i] ? work_[i] : 0;
  return sum;
}

/// The node before which the operands of `reader` are copied: what computes the gradient that it
/// works on element by element. The copy's kernel is then the earlier one, and the reader joins the
/// gradient's.
NodeId Recomputation::place_of_copies(NodeId reader) const {
  NodeId place = reader;
  while (op_def(graph_[place].kind).traits.op_class == OpClass::elementwise) {
    NodeId latest;
    for (NodeId input : graph_[place].inputs)
      if (!forward_[index(input)] && latest < input)
        latest = input;
    if (!latest.valid())
      break;
    place = latest;
  }
  return place;
}

Graph Recomputation::apply(const Dropped &dropped) const {
  const Choice choice(*this, dropped);
  std::vector<std::vector<NodeId>> due(graph_.nodes().size()); // copies to be made before a node
  for (int i = 0; i < graph_.size(); ++i)
    if (!forward_[index({i})])
      for (NodeId input : graph_[{i}].inputs)
        if (choice.is_stale(input))
          due[index(place_of_copies({i}))].push_back(input);
  std::vector<NodeId> copies(graph_.nodes().size()); // in the new graph
  const auto copy = [&](const RewriteContext &context, NodeId id) {
    std::vector<bool> marked(graph_.nodes().size(), false);
    choice.mark_copies(id, marked);
    for (int i = 0; i <= id.index; ++i) {
      if (!marked[index({i})] || copies[index({i})].valid())
        continue;
      const Node &node = graph_[{i}];
      std::vector<NodeId> operands;
      for (NodeId input : node.inputs)
        operands.push_back(marked[index(input)] ? copies[index(input)] : context.map[index(input)]);
      copies[index({i})] =
          context.after.append(node.kind, operands, node.attrs, node.layer, node.location);
    }
  };
  Graph result = rewrite(graph_, [&](const RewriteContext &context) -> std::optional<NodeId> {
    for (NodeId id : due[index(context.old_id)])
      copy(context, id);
    if (forward_[index(context.old_id)])
      return std::nullopt;
    std::vector<NodeId> operands = context.inputs;
    for (size_t i = 0; i < operands.size(); ++i)
      if (const NodeId input = context.node().inputs[i]; choice.is_stale(input))
        operands[i] = copies[index(input)];
    return context.append(context.node().kind, operands, context.node().attrs);
  });
  eliminate_dead_nodes(result);
  return result;
}

} // namespace sinter

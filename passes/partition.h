// The graph cut into groups of nodes: what the fusion passes edit. A group becomes a kernel.
//
// An edit that would break the plan is refused and leaves the partition as it was. The plan holds
// when the groups can be run one after another: each after the groups whose values it reads, and
// after every reader of a parameter that it overwrites. So no group may need a value that is made
// from its own (convexity). No group may read its own value through a view, for a view is memory;
// nor read a parameter that it overwrites, but element by element. A group that works on batched
// values reads or leaves one, for its kernel learns the batch from its arguments.
#pragma once

#include "ir/plan.h"

namespace sinter {

class Partition {
public:
  /// One group for every node that is computed: neither leaf nor view.
  explicit Partition(const Graph &);
  /// The groups that the plan's kernels are.
  explicit Partition(const Plan &);

  const Graph &graph() const { return graph_; }
  /// The group whose output the node would be; -1 for leaves and views.
  int home(NodeId id) const { return state_.home[static_cast<size_t>(id.index)]; }
  int group_count() const { return static_cast<int>(state_.groups.size()); }
  /// Sorted. Empty once the group was merged into another.
  const std::vector<NodeId> &nodes(int group) const {
    return state_.groups[static_cast<size_t>(group)];
  }
  bool contains(int group, NodeId) const;
  /// The nodes that read the value, through views included.
  const std::vector<NodeId> &users(NodeId value) const {
    return users_[static_cast<size_t>(value.index)];
  }
  /// The groups with a node that reads the value, its own group and reads through views included.
  std::vector<int> readers(NodeId value) const;
  /// Whether the value is a graph output or an update, by itself or through a view.
  bool is_result(NodeId value) const { return result_[static_cast<size_t>(value.index)]; }
  /// The values that the group must leave in memory.
  std::vector<NodeId> outputs(int group) const;

  /// Moves all nodes of `from` into `into`; false, without effect, when the plan would break.
  bool merge(int into, int from);
  /// Has every group that reads the value compute it, so that it need not be stored; its own group
  /// goes on only if it reads it too. False, without effect, when the plan would break.
  bool move_to_readers(NodeId);

  /// Replaces the plan's kernels by the groups, in an order of execution.
  void write_to(Plan &) const;

private:
  struct State {
    std::vector<std::vector<NodeId>> groups;
    std::vector<int> home;                      // by node
    std::vector<std::pair<NodeId, int>> copies; // nodes in groups that are not their home
  };

  void add_group(std::vector<NodeId> nodes);
  void find_users();
  /// Groups that must run before this one, with repetitions. The group itself is among them when it
  /// reads a value of its own through a view.
  std::vector<int> dependencies(int group) const;
  bool depends_on_itself(int group) const;
  bool destroys_what_it_reads(int group) const;
  bool loses_the_batch(int group) const;
  bool keep_if_sound(State before, const std::vector<int> &changed_groups);
  /// Live groups, each after its dependencies.
  std::vector<int> execution_order() const;
  Kernel make_kernel(int group) const;

  const Graph &graph_;
  std::vector<std::vector<NodeId>> users_; // by storage root: who reads its memory or its value
  std::vector<NodeId> parameter_of_;       // by node: the parameter that it is the new value of
  std::vector<bool> result_;               // by node
  State state_;
};

} // namespace sinter

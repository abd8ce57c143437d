// The graph cut into groups of nodes: what the fusion passes edit. A group becomes a kernel.
//
// An edit that would break the plan is refused and leaves the partition as it was. The plan holds
// when the groups can be run one after another: each after the groups whose values it reads, and
// after every reader of a parameter that it overwrites. So no group may need a value that is made
// from its own (convexity). No group may read its own value through a view, for a view is memory;
// so are the plan's free nodes, which stay groups of their own that no kernel comes of;
// nor read a parameter that it overwrites, but element by element. A group that works on batched
// values reads or leaves one, for its kernel learns the batch from its arguments.
#pragma once

#include "ir/plan.h"

#include <optional>

namespace sinter {

class Partition {
public:
  /// The groups that the plan's kernels are, and one for every other node that is neither leaf nor
  /// view. The plan must live as long; its kernels may change.
  explicit Partition(const Plan &);

  const Graph &graph() const { return graph_; }
  Slice slice(NodeId id) const { return plan_.slice(id); }
  bool is_free(NodeId id) const { return plan_.is_free(id); }
  /// The group whose output the node would be; -1 for leaves and views.
  int home(NodeId id) const { return home_[static_cast<size_t>(id.index)]; }
  int group_count() const { return static_cast<int>(groups_.size()); }
  /// Sorted. Empty once the group was merged into another.
  const std::vector<NodeId> &nodes(int group) const { return groups_[static_cast<size_t>(group)]; }
  bool contains(int group, NodeId) const;
  /// The nodes that read the value, through views included.
  const std::vector<NodeId> &users(NodeId value) const {
    return users_[static_cast<size_t>(value.index)];
  }
  /// The groups with a node that reads the value, its own group and reads through views included;
  /// sorted.
  std::vector<int> readers(NodeId value) const;
  /// Whether the value is a graph output or an update, by itself or through a view.
  bool is_result(NodeId value) const { return result_[static_cast<size_t>(value.index)]; }
  bool is_update(NodeId value) const {
    return parameter_of_[static_cast<size_t>(value.index)].valid();
  }
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
  void add_group(std::vector<NodeId> nodes);
  bool is_free_group(int group) const { return is_free(nodes(group).front()); }
  void find_users();
  void find_ranks();
  /// Groups that must run before this one, with repetitions. The group itself is among them when it
  /// reads a value of its own through a view.
  std::vector<int> dependencies(int group) const;
  /// Whether these nodes could be one group in the place of `group` and `other`, seen by
  /// themselves.
  bool may_be_one(const std::vector<NodeId> &nodes, int group, int other) const;
  /// Whether they compute values with a batch, and no argument would tell how large it is.
  bool loses_the_batch(const std::vector<NodeId> &nodes, int group, int other) const;

  /// What the group needs of the groups ranked above `floor`'s rank, by rank; nothing when one of
  /// those needs `floor`.
  std::optional<std::vector<int>> needed_above(int floor, int group) const;
  /// Gives `first` the lowest ranks from `low` to `high`, then the window's other groups in their
  /// order.
  void rank_first(int low, int high, const std::vector<int> &first);
  /// Sees to it that one group is ranked after the other. False when that one needs it.
  bool rank_after(int group, int dependency);
  /// Ranks the groups anew as far as a copy of the node in the group asks for it.
  bool rank_copy(NodeId, int group);

  /// Live groups, each after its dependencies.
  std::vector<int> execution_order() const;
  Kernel make_kernel(int group) const;

  const Plan &plan_;
  const Graph &graph_;
  std::vector<std::vector<NodeId>> users_; // by storage root: who reads its memory or its value
  std::vector<NodeId> root_;               // by node: its storage root
  std::vector<NodeId> parameter_of_;       // by node: the parameter that it is the new value of
  std::vector<NodeId> update_of_;          // by parameter: its new value's storage root
  std::vector<bool> result_;               // by node

  std::vector<std::vector<NodeId>> groups_;
  std::vector<int> home_;                // by node
  std::vector<std::vector<int>> copies_; // by node: groups with it that are not its home
  // A topological order of the live groups, kept up from edit to edit: what could close a circle
  // lies between the ranks of the groups concerned (Pearce and Kelly, 2006).
  std::vector<int> rank_;     // by group
  std::vector<int> group_at_; // by rank, -1 where none is left
};

} // namespace sinter

#include "passes/partition.h"

#include "ir/diagnostics.h"
#include "ir/op.h"

#include <algorithm>
#include <map>
#include <set>

namespace sinter {

namespace {

size_t index(NodeId id) { return static_cast<size_t>(id.index); }

bool is_computed(const Graph &graph, NodeId id) {
  const Traits &traits = op_def(graph[id].kind).traits;
  return traits.op_class != OpClass::leaf && !traits.view;
}

/// "conv2d_relu_max_pool2d": the ops that are not plain, each once, or all when none is.
std::string describe(const Graph &graph, const std::vector<NodeId> &nodes) {
  std::string all;
  std::string notable;
  std::set<OpKind> seen;
  for (NodeId id : nodes) {
    const OpKind kind = graph[id].kind;
    if (!seen.insert(kind).second)
      continue;
    all += (all.empty() ? "" : "_") + std::string(name(kind));
    if (!op_def(kind).traits.plain)
      notable += (notable.empty() ? "" : "_") + std::string(name(kind));
  }
  return notable.empty() ? all : notable;
}

} // namespace

Partition::Partition(const Plan &plan)
    : plan_(plan), graph_(plan.graph), home_(graph_.nodes().size(), -1),
      copies_(graph_.nodes().size()) {
  for (size_t i = 0; i < plan.kernels.size(); ++i)
    for (NodeId output : plan.kernels[i].outputs)
      home_[index(output)] = static_cast<int>(i);
  for (const Kernel &kernel : plan.kernels)
    add_group(kernel.nodes);
  for (int i = 0; i < graph_.size(); ++i)
    if (is_computed(graph_, {i}) && home({i}) < 0)
      add_group({{i}});
  find_users();
  find_ranks();
}

void Partition::add_group(std::vector<NodeId> nodes) {
  groups_.push_back(std::move(nodes));
  const int group = group_count() - 1;
  for (NodeId id : this->nodes(group))
    if (home(id) < 0)
      home_[index(id)] = group;
    else if (home(id) != group)
      copies_[index(id)].push_back(group);
}

void Partition::find_users() {
  const size_t count = graph_.nodes().size();
  root_.reserve(count);
  for (int i = 0; i < graph_.size(); ++i) { // operands come first: their roots are known
    const bool view = op_def(graph_[{i}].kind).traits.view;
    root_.push_back(view ? root_[index(graph_[{i}].inputs[0])] : NodeId{i});
  }
  users_.resize(count);
  for (int i = 0; i < graph_.size(); ++i)
    if (is_computed(graph_, {i}))
      for (NodeId input : graph_[{i}].inputs)
        users_[index(root_[index(input)])].push_back({i});
  result_.assign(count, false);
  for (const Output &output : graph_.outputs)
    result_[index(root_[index(output.value)])] = true;
  parameter_of_.assign(count, {});
  update_of_.assign(count, {});
  for (const Update &update : graph_.updates) {
    const NodeId root = root_[index(update.value)];
    result_[index(root)] = true;
    parameter_of_[index(root)] = update.parameter;
    update_of_[index(update.parameter)] = root;
  }
}

void Partition::find_ranks() {
  group_at_ = execution_order();
  rank_.assign(groups_.size(), -1);
  for (size_t rank = 0; rank < group_at_.size(); ++rank)
    rank_[static_cast<size_t>(group_at_[rank])] = static_cast<int>(rank);
}

bool Partition::contains(int group, NodeId id) const {
  return std::binary_search(nodes(group).begin(), nodes(group).end(), id);
}

std::vector<int> Partition::readers(NodeId value) const {
  std::vector<int> found;
  for (NodeId user : users_[index(value)]) {
    found.push_back(home(user));
    found.insert(found.end(), copies_[index(user)].begin(), copies_[index(user)].end());
  }
  std::sort(found.begin(), found.end());
  found.erase(std::unique(found.begin(), found.end()), found.end());
  return found;
}

std::vector<NodeId> Partition::outputs(int group) const {
  std::vector<NodeId> result;
  for (NodeId id : nodes(group)) {
    if (home(id) != group)
      continue;
    const std::vector<int> groups = readers(id);
    const bool read_elsewhere = std::any_of(groups.begin(), groups.end(),
                                            [&](int reader) { return !contains(reader, id); });
    if (is_result(id) || read_elsewhere)
      result.push_back(id);
  }
  return result;
}

std::vector<int> Partition::dependencies(int group) const {
  std::vector<int> result;
  for (NodeId id : nodes(group)) {
    for (NodeId input : graph_[id].inputs) {
      const int producer = home(root_[index(input)]);
      if (producer >= 0 && !contains(group, input))
        result.push_back(producer);
    }
    if (parameter_of_[index(id)].valid() && home(id) == group) // written in place: readers first
      for (int reader : readers(parameter_of_[index(id)]))
        if (reader != group)
          result.push_back(reader);
  }
  return result;
}

std::optional<std::vector<int>> Partition::needed_above(int floor, int group) const {
  const auto rank = [&](int g) { return rank_[static_cast<size_t>(g)]; };
  std::vector<bool> seen(groups_.size(), false);
  std::vector<int> needed;
  std::vector<int> open{group};
  while (!open.empty()) {
    const int current = open.back();
    open.pop_back();
    for (int dependency : dependencies(current)) {
      if (dependency == floor && current != group)
        return std::nullopt;
      if (rank(dependency) <= rank(floor) || seen[static_cast<size_t>(dependency)])
        continue;
      seen[static_cast<size_t>(dependency)] = true;
      needed.push_back(dependency);
      open.push_back(dependency);
    }
  }
  std::sort(needed.begin(), needed.end(), [&](int a, int b) { return rank(a) < rank(b); });
  return needed;
}

void Partition::rank_first(int low, int high, const std::vector<int> &first) {
  std::vector<int> order = first;
  std::vector<bool> placed(groups_.size(), false);
  for (int group : first)
    placed[static_cast<size_t>(group)] = true;
  for (int rank = low; rank <= high; ++rank) {
    const int group = group_at_[static_cast<size_t>(rank)];
    if (group >= 0 && !nodes(group).empty() && !placed[static_cast<size_t>(group)])
      order.push_back(group);
  }
  std::fill(group_at_.begin() + low, group_at_.begin() + high + 1, -1);
  for (int group : order) {
    rank_[static_cast<size_t>(group)] = low;
    group_at_[static_cast<size_t>(low++)] = group;
  }
}

bool Partition::rank_after(int group, int dependency) {
  if (group == dependency)
    return false;
  const int low = rank_[static_cast<size_t>(group)];
  const int high = rank_[static_cast<size_t>(dependency)];
  if (high < low)
    return true;
  const std::vector<int> direct = dependencies(dependency);
  std::optional<std::vector<int>> needed = needed_above(group, dependency);
  if (!needed || std::find(direct.begin(), direct.end(), group) != direct.end())
    return false;
  needed->push_back(dependency);
  rank_first(low, high, *needed);
  return true;
}

std::vector<int> Partition::execution_order() const {
  // Depth first from the group of the earliest node: what a group needs runs right before it,
  // though it may come late in the graph (optimizer ops), so that values die early.
  std::vector<int> by_first_node;
  for (int group = 0; group < group_count(); ++group)
    if (!nodes(group).empty())
      by_first_node.push_back(group);
  std::sort(by_first_node.begin(), by_first_node.end(),
            [&](int a, int b) { return nodes(a).front() < nodes(b).front(); });
  std::vector<int> order;
  enum class Mark { unseen, open, done };
  std::vector<Mark> marks(groups_.size(), Mark::unseen);
  const std::function<void(int)> visit = [&](int group) {
    Mark &mark = marks[static_cast<size_t>(group)];
    SINTER_ASSERT(mark != Mark::open, "the kernels depend on each other in a circle");
    if (mark == Mark::done)
      return;
    mark = Mark::open;
    for (int dependency : dependencies(group))
      visit(dependency);
    mark = Mark::done;
    order.push_back(group);
  };
  for (int group : by_first_node)
    visit(group);
  return order;
}

bool Partition::loses_the_batch(const std::vector<NodeId> &nodes, int group, int other) const {
  const auto batched = [&](NodeId id) { return graph_.type(id).batched(); };
  const auto stored = [&](NodeId id) {
    const std::vector<int> groups = readers(id);
    return is_result(id) || std::any_of(groups.begin(), groups.end(), [&](int reader) {
             return reader != group && reader != other && !contains(reader, id);
           });
  };
  bool needed = false;
  for (NodeId id : nodes) {
    needed = needed || batched(id);
    if (batched(id) && (home(id) == group || home(id) == other) && stored(id))
      return false;
    for (NodeId input : graph_[id].inputs)
      if (batched(input) && !std::binary_search(nodes.begin(), nodes.end(), input))
        return false;
  }
  return needed;
}

// No value is read through a view of the group's own, and no parameter that it overwrites but
// element by element.
bool Partition::may_be_one(const std::vector<NodeId> &nodes, int group, int other) const {
  const auto inside = [&](NodeId id) { return std::binary_search(nodes.begin(), nodes.end(), id); };
  const auto own = [&](NodeId id) { return home(id) == group || home(id) == other; };
  if (loses_the_batch(nodes, group, other))
    return false;
  for (NodeId id : nodes) {
    for (NodeId input : graph_[id].inputs)
      if (own(root_[index(input)]) && !inside(input))
        return false;
    const NodeId parameter = parameter_of_[index(id)];
    if (!parameter.valid() || !own(id))
      continue;
    for (NodeId user : users(parameter))
      if (inside(user) && (op_def(graph_[user].kind).traits.op_class != OpClass::elementwise ||
                           graph_.type(user) != graph_.type(parameter)))
        return false;
  }
  return true;
}

bool Partition::merge(int into, int from) {
  SINTER_ASSERT(into != from && !nodes(into).empty() && !nodes(from).empty(),
                "merge of groups {} and {}", into, from);
  if (is_free_group(into) || is_free_group(from))
    return false;
  std::vector<NodeId> merged;
  std::set_union(nodes(into).begin(), nodes(into).end(), nodes(from).begin(), nodes(from).end(),
                 std::back_inserter(merged));
  const bool into_first = rank_[static_cast<size_t>(into)] < rank_[static_cast<size_t>(from)];
  const int first = into_first ? into : from;
  const int second = into_first ? from : into;
  std::optional<std::vector<int>> between = needed_above(first, second);
  if (!between || !may_be_one(merged, into, from))
    return false;
  for (NodeId id : nodes(from)) {
    if (home(id) == from)
      home_[index(id)] = into;
    std::vector<int> &copies = copies_[index(id)]; // one may have become another, or met its home
    std::replace(copies.begin(), copies.end(), from, into);
    std::sort(copies.begin(), copies.end());
    copies.erase(std::unique(copies.begin(), copies.end()), copies.end());
    copies.erase(std::remove(copies.begin(), copies.end(), home(id)), copies.end());
  }
  groups_[static_cast<size_t>(into)] = std::move(merged);
  groups_[static_cast<size_t>(from)].clear();
  between->push_back(into);
  rank_first(rank_[static_cast<size_t>(first)], rank_[static_cast<size_t>(second)], *between);
  return true;
}

// The group reads what the node reads, so it runs after what makes that, and before what overwrites
// it.
bool Partition::rank_copy(NodeId id, int group) {
  for (int dependency : dependencies(group))
    if (!rank_after(group, dependency))
      return false;
  for (NodeId input : graph_[id].inputs) {
    const NodeId update = update_of_[index(root_[index(input)])];
    if (update.valid() && home(update) != group && !rank_after(home(update), group))
      return false;
  }
  return true;
}

bool Partition::move_to_readers(NodeId id) {
  SINTER_ASSERT(!is_result(id), "%{} must stay in its group", id.index);
  const int own = home(id);
  const std::vector<int> groups = readers(id);
  if (is_free(id) ||
      std::any_of(groups.begin(), groups.end(), [&](int group) { return is_free_group(group); }))
    return false;
  const std::vector<int> copies = copies_[index(id)];
  const std::vector<int> ranks = rank_, at_ranks = group_at_;
  std::vector<int> grown;
  const auto nodes_of = [&](int group) -> std::vector<NodeId> & {
    return groups_[static_cast<size_t>(group)];
  };
  const auto insert = [&](int group) {
    nodes_of(group).insert(std::upper_bound(nodes(group).begin(), nodes(group).end(), id), id);
  };
  const auto erase = [&](int group) {
    nodes_of(group).erase(std::find(nodes(group).begin(), nodes(group).end(), id));
  };
  const bool leaves = std::find(groups.begin(), groups.end(), own) == groups.end();
  if (leaves) {
    erase(own);
    home_[index(id)] = groups.front();
  }
  copies_[index(id)].clear();
  for (int group : groups) {
    if (!contains(group, id)) {
      insert(group);
      grown.push_back(group);
    }
    if (group != home(id))
      copies_[index(id)].push_back(group);
  }
  const bool sound = std::all_of(groups.begin(), groups.end(), [&](int group) {
    return may_be_one(nodes(group), group, group) && rank_copy(id, group);
  });
  if (sound)
    return true;
  for (int group : grown)
    erase(group);
  if (leaves)
    insert(own);
  home_[index(id)] = own;
  copies_[index(id)] = copies;
  rank_ = ranks;
  group_at_ = at_ranks;
  return false;
}

Kernel Partition::make_kernel(int group) const {
  Kernel kernel;
  kernel.nodes = nodes(group);
  kernel.outputs = outputs(group);
  std::set<NodeId> seen;
  for (NodeId id : kernel.nodes)
    for (NodeId input : graph_[id].inputs)
      if (!contains(group, input) && graph_[input].kind != OpKind::constant &&
          seen.insert(input).second)
        kernel.inputs.push_back(input);
  return kernel;
}

void Partition::write_to(Plan &plan) const {
  plan.kernels.clear();
  std::map<std::string, int> counts;
  for (int group : execution_order()) {
    if (is_free_group(group))
      continue;
    Kernel kernel = make_kernel(group);
    const std::string description = describe(graph_, kernel.nodes);
    kernel.name = fmt::format("{}.{}", description, counts[description]++);
    plan.kernels.push_back(std::move(kernel));
  }
}

} // namespace sinter

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

Partition::Partition(const Graph &graph) : graph_(graph) {
  state_.home.assign(graph.nodes().size(), -1);
  for (int i = 0; i < graph.size(); ++i)
    if (is_computed(graph, {i}))
      add_group({{i}});
  find_users();
}

Partition::Partition(const Plan &plan) : graph_(plan.graph) {
  state_.home.assign(graph_.nodes().size(), -1);
  for (size_t i = 0; i < plan.kernels.size(); ++i)
    for (NodeId output : plan.kernels[i].outputs)
      state_.home[index(output)] = static_cast<int>(i);
  for (const Kernel &kernel : plan.kernels)
    add_group(kernel.nodes);
  find_users();
}

void Partition::add_group(std::vector<NodeId> nodes) {
  state_.groups.push_back(std::move(nodes));
  const int group = group_count() - 1;
  for (NodeId id : this->nodes(group))
    if (home(id) < 0)
      state_.home[index(id)] = group;
    else if (home(id) != group)
      state_.copies.push_back({id, group});
}

void Partition::find_users() {
  users_.resize(graph_.nodes().size());
  for (int i = 0; i < graph_.size(); ++i)
    if (is_computed(graph_, {i}))
      for (NodeId input : graph_[{i}].inputs)
        users_[index(storage_root(graph_, input))].push_back({i});
  result_.assign(graph_.nodes().size(), false);
  for (const Output &output : graph_.outputs)
    result_[index(storage_root(graph_, output.value))] = true;
  parameter_of_.assign(graph_.nodes().size(), {});
  for (const Update &update : graph_.updates) {
    const size_t root = index(storage_root(graph_, update.value));
    result_[root] = true;
    parameter_of_[root] = update.parameter;
  }
}

bool Partition::contains(int group, NodeId id) const {
  return std::binary_search(nodes(group).begin(), nodes(group).end(), id);
}

std::vector<int> Partition::readers(NodeId value) const {
  std::set<int> found;
  for (NodeId user : users_[index(value)]) {
    found.insert(home(user));
    for (const auto &[node, group] : state_.copies)
      if (node == user)
        found.insert(group);
  }
  return {found.begin(), found.end()};
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
      const int producer = home(storage_root(graph_, input));
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

bool Partition::depends_on_itself(int group) const {
  std::vector<bool> seen(state_.groups.size(), false);
  std::vector<int> open{group};
  while (!open.empty()) {
    const int current = open.back();
    open.pop_back();
    for (int dependency : dependencies(current)) {
      if (dependency == group)
        return true;
      if (!seen[static_cast<size_t>(dependency)])
        open.push_back(dependency);
      seen[static_cast<size_t>(dependency)] = true;
    }
  }
  return false;
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
  std::vector<Mark> marks(state_.groups.size(), Mark::unseen);
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

bool Partition::destroys_what_it_reads(int group) const {
  for (NodeId id : nodes(group)) {
    const NodeId parameter = parameter_of_[index(id)];
    if (!parameter.valid() || home(id) != group)
      continue;
    for (NodeId user : users(parameter))
      if (contains(group, user) &&
          (op_def(graph_[user].kind).traits.op_class != OpClass::elementwise ||
           graph_.type(user) != graph_.type(parameter)))
        return true;
  }
  return false;
}

bool Partition::loses_the_batch(int group) const {
  const auto batched = [&](NodeId id) { return graph_.type(id).batched(); };
  const std::vector<NodeId> results = outputs(group);
  if (std::none_of(nodes(group).begin(), nodes(group).end(), batched) ||
      std::any_of(results.begin(), results.end(), batched))
    return false;
  for (NodeId id : nodes(group))
    for (NodeId input : graph_[id].inputs)
      if (!contains(group, input) && batched(input))
        return false;
  return true;
}

bool Partition::keep_if_sound(State before, const std::vector<int> &changed_groups) {
  const bool sound = std::none_of(changed_groups.begin(), changed_groups.end(), [&](int group) {
    return depends_on_itself(group) || destroys_what_it_reads(group) || loses_the_batch(group);
  });
  if (!sound)
    state_ = std::move(before);
  return sound;
}

bool Partition::merge(int into, int from) {
  SINTER_ASSERT(into != from && !nodes(into).empty() && !nodes(from).empty(),
                "merge of groups {} and {}", into, from);
  State before = state_;
  std::vector<NodeId> &target = state_.groups[static_cast<size_t>(into)];
  std::vector<NodeId> merged;
  std::set_union(target.begin(), target.end(), nodes(from).begin(), nodes(from).end(),
                 std::back_inserter(merged));
  target = std::move(merged);
  state_.groups[static_cast<size_t>(from)].clear();
  for (int &group : state_.home)
    if (group == from)
      group = into;
  std::set<std::pair<NodeId, int>> copies; // two copies may have become one, or met their home
  for (const auto &[node, group] : state_.copies)
    if (home(node) != (group == from ? into : group))
      copies.insert({node, group == from ? into : group});
  state_.copies.assign(copies.begin(), copies.end());
  return keep_if_sound(std::move(before), {into});
}

bool Partition::move_to_readers(NodeId id) {
  SINTER_ASSERT(!is_result(id), "%{} must stay in its group", id.index);
  State before = state_;
  const int own = home(id);
  const std::vector<int> groups = readers(id);
  if (std::find(groups.begin(), groups.end(), own) == groups.end()) {
    std::vector<NodeId> &source = state_.groups[static_cast<size_t>(own)];
    source.erase(std::find(source.begin(), source.end(), id));
    state_.home[index(id)] = groups.front();
  }
  for (int group : groups) {
    if (contains(group, id))
      continue;
    std::vector<NodeId> &target = state_.groups[static_cast<size_t>(group)];
    target.insert(std::upper_bound(target.begin(), target.end(), id), id);
    if (group != home(id))
      state_.copies.push_back({id, group});
  }
  return keep_if_sound(std::move(before), groups);
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
    Kernel kernel = make_kernel(group);
    const std::string description = describe(graph_, kernel.nodes);
    kernel.name = fmt::format("{}.{}", description, counts[description]++);
    plan.kernels.push_back(std::move(kernel));
  }
}

} // namespace sinter

// The checks of verify(Plan); their list is in ir/plan.h.
#include "ir/diagnostics.h"
#include "ir/op.h"
#include "ir/plan.h"
#include "ir/verify.h"

#include <algorithm>
#include <set>

namespace sinter {

namespace {

constexpr int64_t kAlignment = 64;

class PlanVerifier {
public:
  explicit PlanVerifier(const Plan &plan)
      : plan_(plan), graph_(plan.graph), written_by_(nodes(), -1), last_use_(nodes(), -1) {}

  void run() {
    verify(graph_);
    for (size_t i = 0; i < plan_.kernels.size(); ++i)
      check_kernel(static_cast<int>(i));
    check_coverage();
    check_results();
    check_overwritten_parameters();
    if (!plan_.placements.empty())
      check_memory();
  }

private:
  size_t nodes() const { return static_cast<size_t>(plan_.graph.size()); }
  static size_t index(NodeId id) { return static_cast<size_t>(id.index); }
  const Kernel &kernel(int i) const { return plan_.kernels[static_cast<size_t>(i)]; }
  bool is_leaf(NodeId id) const { return op_def(graph_[id].kind).traits.op_class == OpClass::leaf; }
  bool is_view(NodeId id) const { return op_def(graph_[id].kind).traits.view; }
  static bool contains(const std::vector<NodeId> &ids, NodeId id) {
    return std::find(ids.begin(), ids.end(), id) != ids.end();
  }

  void check_kernel(int position) {
    const Kernel &k = kernel(position);
    SINTER_ASSERT(std::is_sorted(k.nodes.begin(), k.nodes.end()) && !k.outputs.empty(),
                  "invariant 2: kernel {} has unsorted nodes or no output", k.name);
    std::set<NodeId> read;
    for (NodeId id : k.nodes) {
      SINTER_ASSERT(!is_leaf(id) && !is_view(id),
                    "invariant 2: kernel {} holds the leaf or view %{}", k.name, id.index);
      for (NodeId input : graph_[id].inputs)
        if (!contains(k.nodes, input) && graph_[input].kind != OpKind::constant)
          read.insert(input);
    }
    const std::set<NodeId> inputs(k.inputs.begin(), k.inputs.end());
    SINTER_ASSERT(inputs == read && inputs.size() == k.inputs.size(),
                  "invariant 2: the inputs of kernel {} are not what its nodes read", k.name);
    for (NodeId input : k.inputs) {
      const NodeId root = plan_.storage_root(input);
      SINTER_ASSERT(graph_[root].kind != OpKind::constant,
                    "invariant 2: kernel {} reads a view of a constant, %{}", k.name, input.index);
      SINTER_ASSERT(is_leaf(root) || written_by_[index(root)] >= 0,
                    "invariant 3: kernel {} reads %{} before it is written", k.name, input.index);
      last_use_[index(root)] = position;
    }
    for (NodeId output : k.outputs) {
      SINTER_ASSERT(contains(k.nodes, output), "invariant 2: kernel {} does not compute %{}",
                    k.name, output.index);
      SINTER_ASSERT(written_by_[index(output)] < 0, "invariant 1: %{} is written twice",
                    output.index);
      written_by_[index(output)] = position;
    }
  }

  void check_coverage() const {
    std::vector<bool> covered(nodes(), false);
    for (const Kernel &k : plan_.kernels)
      for (NodeId id : k.nodes)
        covered[index(id)] = true;
    for (int i = 0; i < graph_.size(); ++i)
      SINTER_ASSERT(covered[static_cast<size_t>(i)] || is_leaf({i}) || is_view({i}),
                    "invariant 1: %{} is in no kernel", i);
  }

  void check_results() const {
    const auto check = [&](NodeId value) {
      SINTER_ASSERT(written_by_[index(plan_.storage_root(value))] >= 0,
                    "invariant 4: the result %{} is no kernel's output", value.index);
    };
    for (const Output &output : graph_.outputs)
      check(output.value);
    for (const Update &update : graph_.updates)
      check(update.value);
  }

  /// Whether all that a kernel computes from the value `root` reads it at the very index that it
  /// writes.
  bool is_read_elementwise(const Kernel &k, NodeId root) const {
    std::set<NodeId> derived;
    for (NodeId id : k.nodes) {
      bool depends = false;
      for (NodeId input : graph_[id].inputs)
        depends = depends || plan_.storage_root(input) == root || derived.count(input) > 0;
      if (!depends)
        continue;
      derived.insert(id);
      if (op_def(graph_[id].kind).traits.op_class != OpClass::elementwise ||
          graph_.type(id).storage_elements() != graph_.type(root).storage_elements())
        return false;
    }
    return true;
  }

  void check_overwritten_parameters() const {
    for (const Update &update : graph_.updates) {
      const int writer = written_by_[index(plan_.storage_root(update.value))];
      SINTER_ASSERT(last_use_[index(update.parameter)] <= writer,
                    "invariant 5: kernel {} reads %{} after {} overwrote it",
                    kernel(last_use_[index(update.parameter)]).name, update.parameter.index,
                    kernel(writer).name);
      SINTER_ASSERT(is_read_elementwise(kernel(writer), update.parameter),
                    "invariant 5: kernel {} overwrites %{} while it still reads it",
                    kernel(writer).name, update.parameter.index);
    }
  }

  const Placement &place(NodeId id) const { return plan_.placements[index(id)]; }

  void check_place(NodeId id) const {
    const Placement &placement = place(id);
    SINTER_ASSERT(placement.region != Region::none, "invariant 6: %{} has no place", id.index);
    SINTER_ASSERT(placement.offset >= 0 && placement.offset % kAlignment == 0 &&
                      placement.bytes >= graph_.type(id).storage_bytes(),
                  "invariant 6: %{} lies at {}+{}", id.index, placement.offset, placement.bytes);
    const bool batched = graph_.type(id).batched();
    SINTER_ASSERT(!(placement.region == Region::arena_fixed && batched) &&
                      !(placement.region == Region::arena_batch && !batched),
                  "invariant 6: %{} : {} lies in {}", id.index, graph_.type(id).str(),
                  name(placement.region));
    const int64_t end = placement.offset + placement.bytes;
    SINTER_ASSERT((placement.region != Region::arena_fixed || end <= plan_.arena_fixed) &&
                      (placement.region != Region::arena_batch || end <= plan_.arena_per_sample),
                  "invariant 6: %{} ends at {}, beyond its arena", id.index, end);
  }

  void check_memory() {
    for (const Output &output : graph_.outputs) // results are read after the last kernel
      last_use_[index(plan_.storage_root(output.value))] = static_cast<int>(plan_.kernels.size());
    std::vector<NodeId> written;
    for (const Kernel &k : plan_.kernels) {
      for (NodeId input : k.inputs)
        check_place(plan_.storage_root(input));
      for (NodeId output : k.outputs) {
        check_place(output);
        check_overlap(output, written);
        if (place(output).in_place)
          check_in_place(k, output);
        written.push_back(output);
      }
    }
    for (const Update &update : graph_.updates) {
      const Placement &value = place(plan_.storage_root(update.value));
      const Placement &parameter = place(update.parameter);
      SINTER_ASSERT(value.region == Region::parameter && value.offset == parameter.offset,
                    "invariant 9: the new value of %{} lies elsewhere", update.parameter.index);
    }
  }

  /// Each prediction is a buffer of its own, at its offset 0.
  static bool overlap(const Placement &a, const Placement &b) {
    return a.region == b.region && a.region != Region::prediction &&
           a.offset < b.offset + b.bytes && b.offset < a.offset + a.bytes;
  }

  /// `value` against everything written before it.
  void check_overlap(NodeId value, const std::vector<NodeId> &written) const {
    const int now = written_by_[index(value)];
    for (NodeId earlier : written) {
      const bool alive = last_use_[index(earlier)] >= now || written_by_[index(earlier)] == now;
      if (!alive || !overlap(place(earlier), place(value)))
        continue;
      const bool replaced = place(value).in_place && last_use_[index(earlier)] == now &&
                            written_by_[index(earlier)] < now;
      SINTER_ASSERT(replaced, "invariant 7: %{} and %{} overlap in {}", earlier.index, value.index,
                    name(place(value).region));
    }
  }

  void check_in_place(const Kernel &k, NodeId value) const {
    const auto shares = [&](NodeId input) {
      const NodeId root = plan_.storage_root(input);
      return place(root).region == place(value).region &&
             place(root).offset == place(value).offset && is_read_elementwise(k, root);
    };
    SINTER_ASSERT(std::any_of(k.inputs.begin(), k.inputs.end(), shares),
                  "invariant 8: %{} is in place of no input of {}", value.index, k.name);
  }

  const Plan &plan_;
  const Graph &graph_;
  std::vector<int> written_by_; // by node: the position of the kernel whose output it is
  std::vector<int> last_use_;   // by storage root: the position of its last reader
};

} // namespace

void verify(const Plan &plan) { PlanVerifier(plan).run(); }

} // namespace sinter

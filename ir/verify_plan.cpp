// The checks of verify(Plan); their list is in ir/plan.h.
#include "ir/diagnostics.h"
#include "ir/op.h"
#include "ir/plan.h"
#include "ir/verify.h"

#include <algorithm>
#include <limits>
#include <map>
#include <set>

namespace sinter {

namespace {

constexpr int64_t kAlignment = 64;

class PlanVerifier {
public:
  explicit PlanVerifier(const Plan &plan)
      : plan_(plan), graph_(plan.graph), written_by_(nodes(), -1), complete_(nodes(), -1),
        last_use_(nodes(), -1) {}

  void run() {
    verify(graph_);
    check_slices();
    locations_ = plan_.locations();
    for (size_t i = 0; i < plan_.kernels.size(); ++i)
      check_kernel(static_cast<int>(i));
    check_coverage();
    check_micro_batches();
    find_complete();
    for (size_t i = 0; i < plan_.kernels.size(); ++i)
      check_reads(static_cast<int>(i));
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
  NodeId owner(NodeId id) const { return locations_[index(id)].owner; }
  static bool contains(const std::vector<NodeId> &ids, NodeId id) {
    return std::find(ids.begin(), ids.end(), id) != ids.end();
  }

  void check_kernel(int position) {
    const Kernel &k = kernel(position);
    SINTER_ASSERT(std::is_sorted(k.nodes.begin(), k.nodes.end()) && !k.outputs.empty(),
                  "invariant 2: kernel {} has unsorted nodes or no output", k.name);
    std::set<NodeId> read;
    for (NodeId id : k.nodes) {
      SINTER_ASSERT(!is_leaf(id) && !is_view(id) && !plan_.is_free(id),
                    "invariant 2: kernel {} holds the leaf, view or free %{}", k.name, id.index);
      for (NodeId input : graph_[id].inputs)
        if (!contains(k.nodes, input) && graph_[input].kind != OpKind::constant)
          read.insert(input);
    }
    const std::set<NodeId> inputs(k.inputs.begin(), k.inputs.end());
    SINTER_ASSERT(inputs == read && inputs.size() == k.inputs.size(),
                  "invariant 2: the inputs of kernel {} are not what its nodes read", k.name);
    for (NodeId output : k.outputs) {
      SINTER_ASSERT(contains(k.nodes, output), "invariant 2: kernel {} does not compute %{}",
                    k.name, output.index);
      SINTER_ASSERT(written_by_[index(output)] < 0, "invariant 1: %{} is written twice",
                    output.index);
      written_by_[index(output)] = position;
    }
  }

  /// By node: the first kernel after which all of the value is there, or kNever.
  void find_complete() {
    complete_ = written_by_;
    for (int i = 0; i < graph_.size(); ++i) {
      int &complete = complete_[static_cast<size_t>(i)];
      if (is_leaf({i}) || (!is_view({i}) && !plan_.is_free({i}))) {
        complete = is_leaf({i}) ? -1 : complete < 0 ? kNever : complete;
        continue;
      }
      for (NodeId input : graph_[{i}].inputs)
        complete = std::max(complete, complete_[index(input)]);
    }
  }

  void check_reads(int position) {
    const Kernel &k = kernel(position);
    for (NodeId input : k.inputs) {
      SINTER_ASSERT(graph_[owner(input)].kind != OpKind::constant,
                    "invariant 2: kernel {} reads memory of a constant, %{}", k.name, input.index);
      SINTER_ASSERT(complete_[index(input)] < position,
                    "invariant 3: kernel {} reads %{} before it is written", k.name, input.index);
      last_use_[index(owner(input))] =
          std::max(last_use_[index(owner(input))], last_need(position, owner(input)));
    }
  }

  /// The last kernel before which the memory of a value that kernel `position` reads must be left
  /// alone: the next micro-batch reads it again, unless it is their own.
  int last_need(int position, NodeId value) const {
    const bool own = !plan_.placements.empty() && place(value).region == Region::arena_micro_batch;
    return own ? position : plan_.micro_batch_of(position).last - 1;
  }

  /// Where the operand begins in the rows of the concatenation, or -1 when it is not there once.
  int64_t begin_in_concat(NodeId operand, NodeId concat) const {
    int64_t begin = 0;
    int64_t found = -1;
    for (NodeId input : graph_[concat].inputs) {
      if (input == operand && found >= 0)
        return -1;
      if (input == operand)
        found = begin;
      begin += graph_.type(input).shape.back();
    }
    return found;
  }

  /// Whether the base's op, or the slice's, puts the slice where it is said to be.
  bool is_there(NodeId id, const Slice &slice) const {
    const Node &base = graph_[slice.base];
    const int last = base.type.rank() - 1;
    if (last < 1 || graph_.type(id).rank() != base.type.rank())
      return false;
    if (base.kind == OpKind::concat && contains(base.inputs, id))
      return attrs<AxisAttrs>(base).axis == last && begin_in_concat(id, slice.base) == slice.begin;
    if (graph_[id].kind != OpKind::slice || graph_[id].inputs[0] != slice.base)
      return false;
    const auto &cut = attrs<SliceAttrs>(graph_[id]);
    return cut.begin.back() == slice.begin &&
           graph_.type(id).shape.back() == cut.end.back() - slice.begin &&
           std::equal(base.type.shape.begin(), base.type.shape.end() - 1,
                      graph_.type(id).shape.begin());
  }

  void check_slices() const {
    SINTER_ASSERT(plan_.slices.empty() || plan_.slices.size() == nodes(),
                  "invariant 10: {} slices of {} values", plan_.slices.size(), nodes());
    for (int i = 0; i < graph_.size(); ++i) {
      const Slice slice = plan_.slice({i});
      if (is_view({i}) && i != plan_.storage_root({i}).index)
        SINTER_ASSERT(!plan_.slice(plan_.storage_root({i})).base.valid(),
                      "invariant 10: %{} is a view of a slice", i);
      if (!slice.base.valid())
        continue;
      SINTER_ASSERT(slice.base.index < graph_.size() && !is_leaf({i}) && !is_view({i}) &&
                        is_there({i}, slice),
                    "invariant 10: %{} does not lie in %{} at {}", i, slice.base.index,
                    slice.begin);
      if (graph_[slice.base].kind == OpKind::concat && graph_[{i}].kind != OpKind::slice)
        for (NodeId operand : graph_[slice.base].inputs)
          SINTER_ASSERT(plan_.slice(operand).base == slice.base,
                        "invariant 10: %{} lies in %{}, but not %{}", i, slice.base.index,
                        operand.index);
    }
  }

  void check_coverage() const {
    std::vector<bool> covered(nodes(), false);
    for (const Kernel &k : plan_.kernels)
      for (NodeId id : k.nodes)
        covered[index(id)] = true;
    for (int i = 0; i < graph_.size(); ++i)
      SINTER_ASSERT(covered[static_cast<size_t>(i)] || is_leaf({i}) || is_view({i}) ||
                        plan_.is_free({i}),
                    "invariant 1: %{} is in no kernel", i);
  }

  void check_results() const {
    const auto check = [&](NodeId value) {
      const NodeId root = plan_.storage_root(value);
      SINTER_ASSERT(!is_leaf(root) && complete_[index(value)] != kNever,
                    "invariant 4: the result %{} is no kernel's output", value.index);
      SINTER_ASSERT(!plan_.slice(root).base.valid(), "invariant 10: the result %{} is a slice",
                    value.index);
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

  void check_micro_batches() const {
    int end = 0;
    for (const MicroBatch &part : plan_.micro_batches) {
      SINTER_ASSERT(part.samples > 0 && end <= part.first && part.first < part.last &&
                        part.last <= static_cast<int>(plan_.kernels.size()),
                    "invariant 11: a micro-batch of {} samples in kernels {} to {}", part.samples,
                    part.first, part.last);
      end = part.last;
      for (int i = part.first; i < part.last; ++i)
        SINTER_ASSERT(is_sample_by_sample(graph_, kernel(i)),
                      "invariant 11: kernel {} mixes samples", kernel(i).name);
    }
  }

  /// Whether the value may lie in the memory of the kernel's micro-batch, or does not.
  void check_region(int position, NodeId value) {
    if (place(value).region != Region::arena_micro_batch)
      return;
    const MicroBatch part = plan_.micro_batch_of(position);
    const auto known = home_.emplace(value, part.first).first;
    SINTER_ASSERT(part.samples > 0 && known->second == part.first,
                  "invariant 11: kernel {} uses %{} of another micro-batch", kernel(position).name,
                  value.index);
  }

  const Placement &place(NodeId id) const { return plan_.placements[index(id)]; }

  void check_place(NodeId id) const {
    const Placement &placement = place(id);
    SINTER_ASSERT(placement.region != Region::none, "invariant 6: %{} has no place", id.index);
    SINTER_ASSERT(placement.offset >= 0 && placement.offset % kAlignment == 0 &&
                      placement.bytes >= graph_.type(id).storage_bytes(),
                  "invariant 6: %{} lies at {}+{}", id.index, placement.offset, placement.bytes);
    const bool batched = graph_.type(id).batched();
    const bool by_sample =
        placement.region == Region::arena_batch || placement.region == Region::arena_micro_batch;
    SINTER_ASSERT(!(placement.region == Region::arena_fixed && batched) && !(by_sample && !batched),
                  "invariant 6: %{} : {} lies in {}", id.index, graph_.type(id).str(),
                  name(placement.region));
    const int64_t end = placement.offset + placement.bytes;
    SINTER_ASSERT(
        (placement.region != Region::arena_fixed || end <= plan_.arena_fixed) &&
            (placement.region != Region::arena_batch || end <= plan_.arena_per_sample) &&
            (placement.region != Region::arena_micro_batch || end <= plan_.micro_batch_per_sample),
        "invariant 6: %{} ends at {}, beyond its arena", id.index, end);
  }

  void check_memory() {
    for (const Output &output : graph_.outputs) { // results are read after the last kernel
      last_use_[index(owner(output.value))] = static_cast<int>(plan_.kernels.size());
      SINTER_ASSERT(place(owner(output.value)).region != Region::arena_micro_batch,
                    "invariant 11: the result %{} is one of a micro-batch", output.value.index);
    }
    std::vector<NodeId> written;
    for (size_t i = 0; i < plan_.kernels.size(); ++i) {
      const Kernel &k = plan_.kernels[i];
      for (NodeId input : k.inputs) {
        check_place(owner(input));
        check_region(static_cast<int>(i), owner(input));
      }
      for (NodeId output : k.outputs) {
        check_place(owner(output));
        check_region(static_cast<int>(i), owner(output));
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

  /// Whether both are parts of one value, beside each other.
  bool are_disjoint_slices(NodeId a, NodeId b) const {
    const Location &x = locations_[index(a)];
    const Location &y = locations_[index(b)];
    return x.owner == y.owner && (x.begin + graph_.type(a).shape.back() <= y.begin ||
                                  y.begin + graph_.type(b).shape.back() <= x.begin);
  }

  /// `value` against everything written before it.
  void check_overlap(NodeId value, const std::vector<NodeId> &written) const {
    const int now = written_by_[index(value)];
    for (NodeId earlier : written) {
      const int last_use = last_use_[index(owner(earlier))];
      const bool alive = last_use >= now || written_by_[index(earlier)] == now;
      if (!alive || !overlap(place(owner(earlier)), place(owner(value))) ||
          are_disjoint_slices(earlier, value))
        continue;
      const bool replaced =
          place(value).in_place && last_use == now && written_by_[index(earlier)] < now;
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
    const auto is_part = [&](NodeId input) {
      const Placement &whole = place(owner(input));
      return plan_.slice(input).base.valid() && whole.region == place(value).region &&
             whole.offset == place(value).offset;
    };
    SINTER_ASSERT(std::none_of(k.inputs.begin(), k.inputs.end(), is_part),
                  "invariant 8: %{} is in place of a value whose part {} reads", value.index,
                  k.name);
  }

  static constexpr int kNever = std::numeric_limits<int>::max();

  const Plan &plan_;
  const Graph &graph_;
  std::vector<Location> locations_; // by node
  std::vector<int> written_by_;     // by node: the position of the kernel whose output it is
  std::vector<int> complete_;       // by node: after which kernel all of it is there
  std::vector<int> last_use_;       // by owner of memory: the position of its last reader
  std::map<NodeId, int> home_;      // the first kernel of the micro-batch that a value is of
};

} // namespace

void verify(const Plan &plan) { PlanVerifier(plan).run(); }

} // namespace sinter

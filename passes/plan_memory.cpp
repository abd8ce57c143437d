#include "passes/plan_memory.h"

#include "ir/diagnostics.h"
#include "ir/op.h"

#include <algorithm>
#include <limits>

namespace sinter {

namespace {

constexpr int64_t kAlignment = 64; // SINTER_ALIGNMENT of the runtime

int64_t aligned(int64_t bytes) { return (bytes + kAlignment - 1) / kAlignment * kAlignment; }

/// Memory that one value, or several in place of each other, hold from kernel `first` to `last`.
struct Block {
  std::vector<NodeId> values;
  int64_t bytes = 0;
  int first = 0;
  int last = 0;
  int64_t offset = -1;

  bool alive_with(const Block &other) const { return first <= other.last && other.first <= last; }
};

/// The smallest gap between the blocks in the way that holds `bytes`, or the end of them.
int64_t best_fit(std::vector<const Block *> in_the_way, int64_t bytes) {
  std::sort(in_the_way.begin(), in_the_way.end(),
            [](const Block *a, const Block *b) { return a->offset < b->offset; });
  int64_t best = -1;
  int64_t best_gap = std::numeric_limits<int64_t>::max();
  int64_t end = 0;
  for (const Block *block : in_the_way) {
    const int64_t gap = block->offset - end;
    if (gap >= bytes && gap < best_gap) {
      best = end;
      best_gap = gap;
    }
    end = std::max(end, block->offset + block->bytes);
  }
  return best >= 0 ? best : end;
}

/// Chooses all offsets; returns the arena's size.
int64_t assign_offsets(std::vector<Block> &blocks) {
  std::vector<Block *> order;
  for (Block &block : blocks)
    order.push_back(&block);
  std::stable_sort(order.begin(), order.end(),
                   [](const Block *a, const Block *b) { return a->bytes > b->bytes; });
  int64_t size = 0;
  for (Block *block : order) {
    std::vector<const Block *> in_the_way;
    for (const Block *other : order)
      if (other->offset >= 0 && other->alive_with(*block))
        in_the_way.push_back(other);
    block->offset = best_fit(in_the_way, block->bytes);
    size = std::max(size, block->offset + block->bytes);
  }
  return size;
}

class MemoryPlanner {
public:
  MemoryPlanner(Plan &plan, const std::vector<ParameterSlot> &slots)
      : plan_(plan), slots_(slots), locations_(plan.locations()), last_use_(nodes(), -1),
        allocated_(nodes(), false), home_(nodes(), kUnused),
        in_micro_batch_(plan.micro_batches.size()) {}

  void run() {
    plan_.placements.assign(nodes(), {});
    for (int i = 0; i < plan_.graph.size(); ++i)
      place_leaf({i});
    place_results();
    find_homes();
    find_last_uses();
    for (size_t i = 0; i < plan_.kernels.size(); ++i)
      for (NodeId output : plan_.kernels[i].outputs)
        allocate(output, static_cast<int>(i));
    plan_.arena_fixed = aligned(commit(fixed_, Region::arena_fixed));
    plan_.arena_per_sample = commit(batched_, Region::arena_batch);
    commit_micro_batches();
    for (int i = 0; i < plan_.graph.size(); ++i) // a view lies where its operand lies
      plan_.placements[static_cast<size_t>(i)] = place(owner({i}));
  }

private:
  size_t nodes() const { return plan_.graph.nodes().size(); }
  Placement &place(NodeId id) { return plan_.placements[static_cast<size_t>(id.index)]; }
  int &last_use(NodeId id) { return last_use_[static_cast<size_t>(id.index)]; }
  int &home(NodeId id) { return home_[static_cast<size_t>(id.index)]; }
  NodeId owner(NodeId id) const { return locations_[static_cast<size_t>(id.index)].owner; }

  void place_leaf(NodeId id) {
    const Node &node = plan_.graph[id];
    if (node.kind == OpKind::input)
      place(id) = {input_region(attrs<InputAttrs>(node).role), 0, node.type.storage_bytes(), false};
    if (node.kind == OpKind::parameter)
      place(id) = parameter_place(attrs<ParameterAttrs>(node));
  }

  static Region input_region(const std::string &role) {
    for (Region region :
         {Region::data, Region::label, Region::rng, Region::learning_rate, Region::step})
      if (role == name(region))
        return region;
    SINTER_UNREACHABLE("input role {}", role);
  }

  Placement parameter_place(const ParameterAttrs &parameter) const {
    for (const ParameterSlot &slot : slots_)
      if (slot.attrs.name == parameter.name) {
        SINTER_ASSERT(slot.attrs.type == parameter.type, "parameter {} : {} has a slot for {}",
                      parameter.name, parameter.type.str(), slot.attrs.type.str());
        return {Region::parameter, slot.offset, slot.bytes, false};
      }
    SINTER_UNREACHABLE("parameter {} has no slot", parameter.name);
  }

  const Kernel &writer(NodeId value) const {
    for (const Kernel &kernel : plan_.kernels)
      if (std::find(kernel.outputs.begin(), kernel.outputs.end(), value) != kernel.outputs.end())
        return kernel;
    SINTER_UNREACHABLE("%{} is no kernel's output", value.index);
  }

  void place_results() {
    for (const Update &update : plan_.graph.updates) {
      const NodeId root = plan_.storage_root(update.value);
      const Kernel &kernel = writer(root);
      place(root) = place(update.parameter);
      place(root).in_place =
          std::any_of(kernel.inputs.begin(), kernel.inputs.end(),
                      [&](NodeId input) { return plan_.storage_root(input) == update.parameter; });
    }
    for (const Output &output : plan_.graph.outputs)
      if (is_prediction(output))
        place(plan_.storage_root(output.value)) = {
            Region::prediction, 0, plan_.graph.type(output.value).storage_bytes(), false};
  }

  void find_homes() {
    for (size_t i = 0; i < plan_.kernels.size(); ++i) {
      const int number = plan_.micro_batch_number(static_cast<int>(i));
      const auto use = [&](NodeId id) {
        int &known = home(owner(id));
        known = known == kUnused || known == number ? number : kNowhere;
      };
      std::for_each(plan_.kernels[i].inputs.begin(), plan_.kernels[i].inputs.end(), use);
      std::for_each(plan_.kernels[i].outputs.begin(), plan_.kernels[i].outputs.end(), use);
    }
    for (const Output &output : plan_.graph.outputs)
      home(owner(output.value)) = kNowhere;
  }

  /// The kernels that run between the first and the last time that a value is written or read by
  /// this one: each other, in a micro-batch that is not the value's home.
  MicroBatch span(NodeId value, int kernel) {
    return home(value) == kNowhere ? plan_.micro_batch_of(kernel)
                                   : MicroBatch{kernel, kernel + 1, 0};
  }

  void find_last_uses() {
    for (size_t i = 0; i < plan_.kernels.size(); ++i)
      for (NodeId input : plan_.kernels[i].inputs)
        last_use(owner(input)) = span(owner(input), static_cast<int>(i)).last - 1;
    for (const Output &output : plan_.graph.outputs) // read after the last kernel
      last_use(plan_.storage_root(output.value)) = static_cast<int>(plan_.kernels.size());
  }

  void allocate(NodeId output, int kernel) {
    const NodeId value = owner(output);
    const MicroBatch written = span(value, kernel);
    const int last = std::max(last_use(value), written.last - 1);
    if (place(value).region != Region::none || allocated_[static_cast<size_t>(value.index)])
      return;
    allocated_[static_cast<size_t>(value.index)] = true;
    std::vector<Block> &blocks = blocks_of(value);
    if (value != output) { // what is made by parts is read after the last of them
      blocks.push_back(new_block(value, written.first, last));
      return;
    }
    if (Block *block = find_dying_operand(value, kernel, blocks)) {
      block->values.push_back(value);
      block->last = last;
      place(value).in_place = true;
      return;
    }
    blocks.push_back(new_block(value, written.first, last));
  }

  std::vector<Block> &blocks_of(NodeId value) {
    if (home(value) >= 0)
      return in_micro_batch_[static_cast<size_t>(home(value))];
    return plan_.graph.type(value).batched() ? batched_ : fixed_;
  }

  Block new_block(NodeId value, int first, int last) const {
    return {{value}, aligned(plan_.graph.type(value).storage_bytes()), first, last, -1};
  }

  /// The block of an operand that `value` may be written over.
  Block *find_dying_operand(NodeId value, int position, std::vector<Block> &blocks) {
    const Kernel &kernel = plan_.kernels[static_cast<size_t>(position)];
    if (kernel.outputs.size() != 1 ||
        !std::all_of(kernel.nodes.begin(), kernel.nodes.end(), [&](NodeId id) {
          return op_def(plan_.graph[id].kind).traits.op_class == OpClass::elementwise;
        }))
      return nullptr;
    for (Block &block : blocks) {
      const NodeId holder = block.values.back();
      const bool dies_here = block.last == position && last_use(holder) == position;
      if (dies_here && plan_.graph.type(holder) == plan_.graph.type(value) &&
          std::find(kernel.inputs.begin(), kernel.inputs.end(), holder) != kernel.inputs.end() &&
          is_read_once(kernel, holder))
        return &block;
    }
    return nullptr;
  }

  /// Not through a view or a slice as well, which would be read at other indices.
  bool is_read_once(const Kernel &kernel, NodeId value) const {
    return std::count_if(kernel.inputs.begin(), kernel.inputs.end(),
                         [&](NodeId input) { return owner(input) == value; }) == 1;
  }

  int64_t commit(std::vector<Block> &blocks, Region region) {
    const int64_t size = assign_offsets(blocks);
    for (const Block &block : blocks)
      for (NodeId value : block.values)
        place(value) = {region, block.offset, block.bytes, place(value).in_place};
    return size;
  }

  void commit_micro_batches() {
    plan_.micro_batch_per_sample = plan_.micro_batch_most = 0;
    for (size_t i = 0; i < in_micro_batch_.size(); ++i) {
      const int64_t bytes = commit(in_micro_batch_[i], Region::arena_micro_batch);
      plan_.micro_batch_per_sample = std::max(plan_.micro_batch_per_sample, bytes);
      plan_.micro_batch_most =
          std::max(plan_.micro_batch_most, bytes * plan_.micro_batches[i].samples);
    }
  }

  static constexpr int kNowhere = -1, kUnused = -2; // as homes; the first as micro_batch_number

  Plan &plan_;
  const std::vector<ParameterSlot> &slots_;
  const std::vector<Location> locations_; // by node
  std::vector<int> last_use_;             // by owner of memory: the last kernel that reads it
  std::vector<bool> allocated_;
  std::vector<int> home_; // by owner of memory: the only micro-batch whose kernels use it
  std::vector<Block> fixed_;
  std::vector<Block> batched_;
  std::vector<std::vector<Block>> in_micro_batch_; // by micro-batch
};

} // namespace

std::vector<ParameterSlot> place_parameters(const std::vector<const Graph *> &graphs) {
  std::vector<ParameterSlot> slots;
  for (const Graph *graph : graphs)
    for (NodeId id : graph->all(OpKind::parameter)) {
      const auto &parameter = attrs<ParameterAttrs>((*graph)[id]);
      const bool known = std::any_of(slots.begin(), slots.end(), [&](const ParameterSlot &slot) {
        return slot.attrs.name == parameter.name;
      });
      if (!known)
        slots.push_back({parameter, region_bytes(slots), parameter.type.storage_bytes()});
    }
  return slots;
}

int64_t region_bytes(const std::vector<ParameterSlot> &slots) {
  return slots.empty() ? 0 : aligned(slots.back().offset + slots.back().bytes);
}

void plan_memory(Plan &plan, const std::vector<ParameterSlot> &slots) {
  MemoryPlanner(plan, slots).run();
}

} // namespace sinter

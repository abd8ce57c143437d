#include "plan_execution.h"

#include "ir/op.h"
#include "random_graph.h"

#include <algorithm>
#include <doctest/doctest.h>

namespace sinter {

namespace {

/// Samples [begin, begin + count) of a batch.
struct Samples {
  int64_t begin = 0, count = kBatchSize;
};

/// These samples of a value; all of it when it has no batch.
Array take(const Array &whole, const Samples &samples) {
  if (!whole.type.batched())
    return whole;
  Array part(whole.type, samples.count);
  const int64_t each = whole.size() / whole.batch;
  std::copy_n(whole.values.begin() + samples.begin * each, part.size(), part.values.begin());
  return part;
}

/// What lies in memory, value by value: writing one destroys every other that it overlaps.
class Memory {
public:
  explicit Memory(const Plan &plan) : plan_(plan), arrays_(plan.graph.nodes().size()) {}

  void write(NodeId value, const Array &array, const Samples &samples = {}) {
    const Placement &place = at(plan_.locate(value).owner);
    REQUIRE(place.region != Region::none);
    for (int i = 0; i < plan_.graph.size(); ++i) {
      const Placement &other = at(plan_.locate({i}).owner);
      if (i == value.index)
        continue;
      if (other.region == place.region && other.offset < place.offset + place.bytes &&
          place.offset < other.offset + other.bytes && !are_beside(value, {i}))
        arrays_[static_cast<size_t>(i)] = {};
    }
    Array &kept = arrays_[static_cast<size_t>(value.index)];
    const bool again = place.region == Region::arena_micro_batch && kept.size() == 0;
    if (samples.begin == 0 || again)
      kept = Array(array.type, array.type.batched() ? kBatchSize : array.batch);
    REQUIRE_MESSAGE(kept.size() > 0, "%" << value.index << " was destroyed while it was written");
    const int64_t each = array.size() / std::max<int64_t>(array.batch, 1);
    std::copy(array.values.begin(), array.values.end(),
              kept.values.begin() + (array.type.batched() ? samples.begin * each : 0));
  }

  /// The value, or its storage root under the view's type; a free one from what it is made of.
  Array read(NodeId value) const {
    const NodeId root = plan_.storage_root(value);
    if (plan_.is_free(root)) {
      std::vector<Array> parts;
      for (NodeId input : plan_.graph[root].inputs)
        parts.push_back(read(input));
      std::vector<const Array *> operands;
      for (const Array &part : parts)
        operands.push_back(&part);
      Array whole = evaluate_node(plan_.graph[root], kBatchSize, operands);
      whole.type = plan_.graph.type(value);
      return whole;
    }
    Array array = arrays_[static_cast<size_t>(root.index)];
    REQUIRE_MESSAGE(array.size() > 0, "%" << value.index << " was destroyed before it was read");
    array.type = plan_.graph.type(value);
    return array;
  }

private:
  const Placement &at(NodeId id) const { return plan_.placements[static_cast<size_t>(id.index)]; }

  /// Parts of one value's rows that do not overlap.
  bool are_beside(NodeId a, NodeId b) const {
    const Location x = plan_.locate(a);
    const Location y = plan_.locate(b);
    if (x.owner != y.owner || x.pitch == 0 || y.pitch == 0)
      return false;
    return x.begin + plan_.graph.type(a).shape.back() <= y.begin ||
           y.begin + plan_.graph.type(b).shape.back() <= x.begin;
  }

  const Plan &plan_;
  std::vector<Array> arrays_;
};

void run_kernel(const Plan &plan, const Kernel &kernel, Memory &memory, const Samples &samples) {
  const Graph &graph = plan.graph;
  std::vector<Array> inside(graph.nodes().size());
  const auto value = [&](NodeId id) -> Array & { return inside[static_cast<size_t>(id.index)]; };
  for (NodeId input : kernel.inputs)
    value(input) = take(memory.read(input), samples);
  for (NodeId id : kernel.nodes) {
    std::vector<const Array *> operands;
    for (NodeId input : graph[id].inputs) {
      if (graph[input].kind == OpKind::constant)
        value(input) = evaluate_node(graph[input], samples.count, {});
      operands.push_back(&value(input));
    }
    value(id) = evaluate_node(graph[id], samples.count, operands);
  }
  for (NodeId output : kernel.outputs)
    memory.write(output, value(output), samples);
}

/// Every kernel, those of a micro-batch again for each.
void run_kernels(const Plan &plan, Memory &memory) {
  for (int k = 0; k < static_cast<int>(plan.kernels.size());) {
    const MicroBatch part = plan.micro_batch_of(k);
    const int64_t most = part.samples > 0 ? part.samples : kBatchSize;
    for (int64_t begin = 0; begin < kBatchSize; begin += most)
      for (int i = part.first; i < part.last; ++i)
        run_kernel(plan, plan.kernels[static_cast<size_t>(i)], memory,
                   {begin, std::min(most, kBatchSize - begin)});
    k = part.last;
  }
}

/// The plan's results, in the manner of results().
NamedArrays execute(const Plan &plan, const NamedArrays &values) {
  const Graph &graph = plan.graph;
  Memory memory(plan);
  for (int i = 0; i < graph.size(); ++i) {
    const Node &node = graph[{i}];
    if (node.kind == OpKind::input)
      memory.write({i}, values.at(attrs<InputAttrs>(node).name));
    if (node.kind == OpKind::parameter)
      memory.write({i}, values.at(attrs<ParameterAttrs>(node).name));
  }
  run_kernels(plan, memory);
  NamedArrays found;
  for (const Output &output : graph.outputs)
    found[output.name] = memory.read(output.value);
  for (const Update &update : graph.updates)
    found["update:" + attrs<ParameterAttrs>(graph[update.parameter]).name] =
        memory.read(update.value);
  return found;
}

} // namespace

void check_plan(const Plan &plan, uint32_t seed) {
  verify(plan);
  const std::vector<Location> locations = plan.locations();
  for (int i = 0; i < plan.graph.size(); ++i) {
    const Location &known = locations[static_cast<size_t>(i)];
    const Location alone = plan.locate({i});
    CHECK((known.owner == alone.owner && known.begin == alone.begin && known.pitch == alone.pitch));
  }
  const NamedArrays values = random_values(plan.graph, kBatchSize, seed);
  CHECK(difference(results(plan.graph, kBatchSize, values), execute(plan, values)) == 0);
}

} // namespace sinter

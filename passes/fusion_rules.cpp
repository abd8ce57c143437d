#include "passes/fusion_rules.h"

#include "passes/find_slices.h"

#include <algorithm>

namespace sinter {

namespace {

OpClass op_class(const Partition &partition, NodeId id) {
  return op_def(partition.graph()[id].kind).traits.op_class;
}

bool is_pool(const Node &node) { return std::holds_alternative<Pool2dAttrs>(node.attrs); }

bool reads_directly(const Partition &partition, NodeId consumer, NodeId producer) {
  const std::vector<NodeId> &inputs = partition.graph()[consumer].inputs;
  return std::find(inputs.begin(), inputs.end(), producer) != inputs.end();
}

bool same_elements(const Partition &partition, NodeId a, NodeId b) {
  const TensorType &x = partition.graph().type(a);
  const TensorType &y = partition.graph().type(b);
  return x.shape == y.shape && x.block == y.block;
}

template <typename PoolAttrs> bool windows_touch_once(const PoolAttrs &pool) {
  return pool.size == pool.strides && pool.padding == std::array<int64_t, 4>{0, 0, 0, 0} &&
         pool.dilations == std::array<int64_t, 2>{1, 1};
}

/// Whether a Winograd convolution of the group, if there is one, makes whole windows with each
/// tile.
bool windows_lie_in_tiles(const Partition &partition, int group, const Pool2dAttrs &pool) {
  return std::all_of(partition.nodes(group).begin(), partition.nodes(group).end(), [&](NodeId id) {
    const auto *winograd = std::get_if<WinogradAttrs>(&partition.graph()[id].attrs);
    return !winograd || (winograd->tile % pool.size[0] == 0 && pool.size[0] == pool.size[1]);
  });
}

/// A pooling node of the group, or an invalid id.
NodeId find_pool(const Partition &partition, int group) {
  for (NodeId id : partition.nodes(group))
    if (is_pool(partition.graph()[id]))
      return id;
  return {};
}

const char *refuse_recomputation(const Partition &partition, NodeId producer) {
  const Node &node = partition.graph()[producer];
  if (const auto *gradient = std::get_if<Pool2dGradientAttrs>(&node.attrs))
    return windows_touch_once(*gradient) ? nullptr : "pooling windows overlap";
  if (op_class(partition, producer) != OpClass::elementwise)
    return "it is too much work to do twice";
  if (op_def(node.kind).traits.costly && partition.readers(producer).size() > 1)
    return "it is too much work to do twice";
  return nullptr;
}

/// Whether the reader takes each element of the producer about once, or a convolution can hold an
/// image of it.
const char *refuse_reader(const Partition &partition, NodeId producer, NodeId reader) {
  const Graph &graph = partition.graph();
  if (!reads_directly(partition, reader, producer))
    return "a reshape lies between";
  switch (op_class(partition, reader)) {
  case OpClass::elementwise:
    return same_elements(partition, producer, reader) ? nullptr : "shapes differ";
  case OpClass::reduction:
    return nullptr;
  case OpClass::window:
    return is_pool(graph[reader]) && windows_touch_once(attrs<Pool2dAttrs>(graph[reader]))
               ? nullptr
               : "pooling windows overlap";
  case OpClass::row:
    return graph[producer].kind == OpKind::one_hot || graph[producer].kind == OpKind::broadcast
               ? nullptr
               : "a row is read several times";
  case OpClass::contraction:
    return std::holds_alternative<MatmulAttrs>(graph[reader].attrs)
               ? "a matrix product reads it many times"
               : nullptr;
  default:
    return "its reader moves elements";
  }
}

/// Whether the node reads a value that its kernel keeps to itself.
bool needs_more_stored(const Partition &partition, NodeId id) {
  const int group = partition.home(id);
  const std::vector<NodeId> outputs = partition.outputs(group);
  const std::vector<NodeId> &inputs = partition.graph()[id].inputs;
  return std::any_of(inputs.begin(), inputs.end(), [&](NodeId input) {
    return partition.contains(group, input) && !partition.is_result(input) &&
           std::find(outputs.begin(), outputs.end(), input) == outputs.end();
  });
}

} // namespace

OpClass kernel_class(const Partition &partition, int group) {
  OpClass found = OpClass::elementwise;
  const auto weight = [](OpClass kind) {
    switch (kind) {
    case OpClass::contraction:
      return 4;
    case OpClass::row:
      return 3;
    case OpClass::window:
      return 2;
    case OpClass::reduction:
      return 1;
    default:
      return 0;
    }
  };
  for (NodeId id : partition.nodes(group))
    if (weight(op_class(partition, id)) > weight(found))
      found = op_class(partition, id);
  return found;
}

const char *refuse_epilogue(const Partition &partition, NodeId producer, NodeId consumer) {
  const int group = partition.home(producer);
  const OpClass anchor = kernel_class(partition, group);
  if (anchor == OpClass::elementwise || anchor == OpClass::row)
    return "no contraction, pooling or reduction makes it";
  if (op_class(partition, consumer) != OpClass::elementwise)
    return "its reader is not elementwise";
  if (!reads_directly(partition, consumer, producer))
    return "a reshape lies between";
  if (!same_elements(partition, producer, consumer))
    return "shapes differ";
  const NodeId pool = find_pool(partition, group);
  if (anchor == OpClass::contraction && pool.valid() && !same_elements(partition, producer, pool))
    return "it is pooled in its own kernel";
  return nullptr;
}

const char *refuse_pool(const Partition &partition, NodeId producer, NodeId consumer) {
  const Graph &graph = partition.graph();
  const int group = partition.home(producer);
  const bool from_convolution =
      std::any_of(partition.nodes(group).begin(), partition.nodes(group).end(), [&](NodeId id) {
        return std::holds_alternative<Conv2dAttrs>(graph[id].attrs) ||
               std::holds_alternative<WinogradAttrs>(graph[id].attrs);
      });
  if (!from_convolution)
    return "no convolution makes it";
  if (!reads_directly(partition, consumer, producer))
    return "a reshape lies between";
  if (!windows_touch_once(attrs<Pool2dAttrs>(graph[consumer])))
    return "pooling windows overlap or are padded";
  if (!windows_lie_in_tiles(partition, group, attrs<Pool2dAttrs>(graph[consumer])))
    return "pooling windows straddle tiles";
  const NodeId pool = find_pool(partition, group);
  if (pool.valid() && graph[pool].inputs[0] != producer)
    return "its kernel pools already";
  const bool pooled_only = std::all_of(
      partition.users(producer).begin(), partition.users(producer).end(), [&](NodeId user) {
        return is_pool(graph[user]) && graph[user].attrs == graph[consumer].attrs &&
               reads_directly(partition, user, producer);
      });
  return pooled_only && !partition.is_result(producer) ? nullptr : "the value has other users";
}

const char *refuse_twin(const Partition &partition, NodeId pool, NodeId argmax) {
  const Node &first = partition.graph()[pool];
  const Node &second = partition.graph()[argmax];
  const bool twins = first.kind == OpKind::max_pool2d && second.kind == OpKind::max_pool2d_argmax &&
                     first.inputs == second.inputs && first.attrs == second.attrs;
  return twins ? nullptr : "they search other windows";
}

const char *refuse_shared_rows(const Partition &partition, NodeId first, NodeId second) {
  const Graph &graph = partition.graph();
  if (op_class(partition, first) != OpClass::row || op_class(partition, second) != OpClass::row)
    return "not both go over rows";
  for (NodeId input : graph[first].inputs)
    if (graph.type(input).rank() > 1 && reads_directly(partition, second, input))
      return nullptr;
  return "they go over different rows";
}

const char *refuse_row_mean(const Partition &partition, NodeId producer, NodeId consumer) {
  if (kernel_class(partition, partition.home(producer)) != OpClass::row ||
      op_class(partition, consumer) != OpClass::reduction)
    return "no value a sample is reduced";
  if (!reads_directly(partition, consumer, producer))
    return "a reshape lies between";
  const Graph &graph = partition.graph();
  return graph.type(producer).rank() == 1 && graph.type(consumer).rank() == 0
             ? nullptr
             : "it is not reduced to a scalar";
}

const char *refuse_prologue(const Partition &partition, NodeId producer) {
  if (partition.is_result(producer))
    return "it is a result of the program";
  if (const char *reason = refuse_recomputation(partition, producer))
    return reason;
  if (partition.readers(producer).size() > 2)
    return "more than two kernels read it";
  for (int reader : partition.readers(producer))
    for (NodeId id : partition.users(producer))
      if (partition.contains(reader, id))
        if (const char *reason = refuse_reader(partition, producer, id))
          return reason;
  if (needs_more_stored(partition, producer))
    return "its kernel would have to store more";
  return nullptr;
}

const char *refuse_pointwise(const Partition &partition, NodeId producer, NodeId consumer) {
  if (kernel_class(partition, partition.home(producer)) != OpClass::elementwise ||
      kernel_class(partition, partition.home(consumer)) != OpClass::elementwise)
    return "not both kernels are elementwise";
  if (op_class(partition, consumer) != OpClass::elementwise)
    return "its reader moves elements";
  if (!reads_directly(partition, consumer, producer))
    return "a reshape lies between";
  return same_elements(partition, producer, consumer) ? nullptr : "shapes differ";
}

/// Why the value, or what shows it under another shape, does not lie in the concatenation, which is
/// copied.
const char *refuse_copying_less(const Partition &partition, NodeId value, NodeId concat) {
  if (const char *reason = refuse_assembly(partition, concat))
    return reason;
  const Graph &graph = partition.graph();
  for (const NodeId operand : graph[concat].inputs)
    if (storage_root(graph, operand) == value)
      if (const char *reason = refuse_part(partition, operand, concat))
        return reason;
  return "another operand cannot lie in it";
}

const char *explain_refusal(const Partition &partition, NodeId producer, NodeId consumer) {
  const OpClass producer_kernel = kernel_class(partition, partition.home(producer));
  const OpClass consumer_kernel = kernel_class(partition, partition.home(consumer));
  const bool anchored =
      producer_kernel != OpClass::elementwise && consumer_kernel != OpClass::elementwise;
  const char *reason = nullptr;
  if (partition.graph()[consumer].kind == OpKind::concat)
    reason = refuse_copying_less(partition, producer, consumer);
  else if (partition.graph()[consumer].kind == OpKind::slice)
    reason = refuse_extraction(partition, consumer);
  else if (op_class(partition, consumer) == OpClass::reduction && producer_kernel == OpClass::row)
    reason = refuse_row_mean(partition, producer, consumer);
  else if (is_pool(partition.graph()[consumer]) && producer_kernel == OpClass::contraction)
    reason = refuse_pool(partition, producer, consumer);
  else if (anchored)
    reason = "each kernel has a loop nest of its own";
  else if (producer_kernel != OpClass::elementwise)
    reason = refuse_epilogue(partition, producer, consumer);
  else if (consumer_kernel == OpClass::elementwise)
    reason = refuse_pointwise(partition, producer, consumer);
  else
    reason = refuse_prologue(partition, producer);
  return reason
             ? reason
             : "one kernel would have to run before and after another one, or not know the batch";
}

} // namespace sinter

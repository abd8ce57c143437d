#include "ir/plan.h"

#include "ir/diagnostics.h"
#include "ir/op.h"
#include "ir/print.h"
#include "ir/saturating.h"

#include <algorithm>
#include <fmt/format.h>

namespace sinter {

namespace {

std::string ids_text(const std::vector<NodeId> &ids) {
  std::string result;
  for (NodeId id : ids)
    result += fmt::format("{}%{}", result.empty() ? "" : ", ", id.index);
  return result;
}

std::string kernel_text(const Kernel &kernel) {
  return fmt::format("  kernel \"{}\" {{{}}} ({}) -> ({})\n", kernel.name, ids_text(kernel.nodes),
                     ids_text(kernel.inputs), ids_text(kernel.outputs));
}

std::string placement_text(const Plan &plan, NodeId id) {
  const TensorType &type = plan.graph.type(id);
  if (const Slice slice = plan.slice(id); slice.base.valid())
    return fmt::format("  place %{} in %{} at {} of {}\n", id.index, slice.base.index, slice.begin,
                       plan.graph.type(slice.base).shape.back());
  const Placement &placement = plan.placements[static_cast<size_t>(id.index)];
  return fmt::format("  place %{} {} {}+{}{}{}\n", id.index, name(placement.region),
                     placement.offset, placement.bytes, type.batched() ? " a sample" : "",
                     placement.in_place ? " in_place" : "");
}

std::string arena_text(const Plan &plan) {
  std::string result =
      fmt::format("  arena {} + {} a sample", plan.arena_fixed, plan.arena_per_sample);
  if (!plan.micro_batches.empty())
    result += fmt::format(" + {} a sample, at most {}", plan.micro_batch_per_sample,
                          plan.micro_batch_most);
  return result + "\n";
}

} // namespace

const char *name(Region region) {
  switch (region) {
  case Region::none:
    return "none";
  case Region::data:
    return "data";
  case Region::label:
    return "label";
  case Region::prediction:
    return "prediction";
  case Region::rng:
    return "rng";
  case Region::learning_rate:
    return "learning_rate";
  case Region::step:
    return "step";
  case Region::parameter:
    return "parameter";
  case Region::arena_fixed:
    return "arena_fixed";
  case Region::arena_batch:
    return "arena_batch";
  case Region::arena_micro_batch:
    return "arena_micro_batch";
  }
  SINTER_UNREACHABLE("region {}", static_cast<int>(region));
}

bool is_sample_by_sample(const Graph &graph, const Kernel &kernel) {
  return std::all_of(kernel.nodes.begin(), kernel.nodes.end(),
                     [&](NodeId id) {
                       const Node &node = graph[id];
                       const bool reads_batch =
                           std::any_of(node.inputs.begin(), node.inputs.end(),
                                       [&](NodeId input) { return graph.type(input).batched(); });
                       return !op_def(node.kind).traits.random &&
                              (node.type.batched() || !reads_batch);
                     }) &&
         std::all_of(kernel.outputs.begin(), kernel.outputs.end(),
                     [&](NodeId id) { return graph.type(id).batched(); });
}

NodeId storage_root(const Graph &graph, NodeId id) {
  while (op_def(graph[id].kind).traits.view)
    id = graph[id].inputs[0];
  return id;
}

int64_t Plan::arena_bytes(int64_t n) const {
  const int64_t whole = saturating_add(arena_fixed, saturating_multiply(n, arena_per_sample));
  return saturating_add(whole,
                        std::min(saturating_multiply(n, micro_batch_per_sample), micro_batch_most));
}

int Plan::micro_batch_number(int kernel) const {
  for (size_t i = 0; i < micro_batches.size(); ++i)
    if (micro_batches[i].contains(kernel))
      return static_cast<int>(i);
  return -1;
}

MicroBatch Plan::micro_batch_of(int kernel) const {
  const int number = micro_batch_number(kernel);
  return number < 0 ? MicroBatch{kernel, kernel + 1, 0}
                    : micro_batches[static_cast<size_t>(number)];
}

Location Plan::locate(NodeId id) const {
  Location location{storage_root(id)};
  for (Slice part = slice(location.owner); part.base.valid(); part = slice(location.owner)) {
    location.begin += part.begin;
    location.pitch = graph.type(part.base).shape.back();
    location.owner = storage_root(part.base);
  }
  return location;
}

std::vector<Location> Plan::locations() const {
  std::vector<Location> found(graph.nodes().size());
  const auto at = [&](NodeId id) -> Location & { return found[static_cast<size_t>(id.index)]; };
  for (int i = 0; i < graph.size(); ++i) {
    const NodeId root = storage_root({i});
    std::vector<NodeId> inner; // slices on the way out, innermost first
    NodeId outer = root;
    for (; !at(outer).owner.valid() && slice(outer).base.valid();
         outer = storage_root(slice(outer).base))
      inner.push_back(outer);
    if (!at(outer).owner.valid())
      at(outer) = {outer};
    for (; !inner.empty(); inner.pop_back()) {
      const Slice part = slice(inner.back());
      const Location &base = at(storage_root(part.base));
      at(inner.back()) = {base.owner, base.begin + part.begin,
                          base.pitch > 0 ? base.pitch : graph.type(part.base).shape.back()};
    }
    at({i}) = at(root);
  }
  return found;
}

bool Plan::is_free(NodeId id) const {
  const Node &node = graph[id];
  if (slices.empty() || node.inputs.empty())
    return false;
  return (node.kind == OpKind::concat && slice(node.inputs[0]).base == id) ||
         (node.kind == OpKind::slice && slice(id).base == node.inputs[0]);
}

std::string print(const Plan &plan) {
  std::string result = print(plan.graph) + "plan {\n";
  for (const Kernel &kernel : plan.kernels)
    result += kernel_text(kernel);
  for (size_t i = 0; i < plan.placements.size(); ++i)
    if (plan.placements[i].region != Region::none)
      result += placement_text(plan, {static_cast<int>(i)});
  for (const Refusal &refusal : plan.refusals)
    result += fmt::format("  apart %{} %{}: {}\n", refusal.producer.index, refusal.consumer.index,
                          refusal.reason);
  for (const MicroBatch &part : plan.micro_batches)
    result += fmt::format("  micro_batch {}: \"{}\" to \"{}\"\n", part.samples,
                          plan.kernels[static_cast<size_t>(part.first)].name,
                          plan.kernels[static_cast<size_t>(part.last - 1)].name);
  if (!plan.placements.empty())
    result += arena_text(plan);
  return result + "}\n";
}

} // namespace sinter

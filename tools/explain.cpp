#include "tools/explain.h"

#include "backends/program/kernel_facts.h"
#include "passes/use_bf16.h"
#include "tools/text_table.h"

#include <fmt/format.h>
#include <set>
#include <string_view>

namespace sinter {

namespace {

std::string node_text(const Graph &graph, NodeId id) {
  const Node &node = graph[id];
  const std::string leaf = node.kind == OpKind::parameter ? attrs<ParameterAttrs>(node).name
                           : node.kind == OpKind::input   ? attrs<InputAttrs>(node).name
                                                          : node.layer;
  return leaf.empty() ? name(node.kind) : fmt::format("{} ({})", name(node.kind), leaf);
}

std::vector<ValueExplanation> explain_memory(const Plan &plan) {
  std::vector<ValueExplanation> values;
  for (int i = 0; i < plan.graph.size(); ++i) {
    const Placement &place = plan.placements[static_cast<size_t>(i)];
    if (place.region == Region::none || plan.storage_root({i}) != NodeId{i})
      continue;
    const NodeId base = plan.slice({i}).base;
    values.push_back(
        {fmt::format("%{} {}", i, node_text(plan.graph, {i})), plan.graph.type({i}).str(),
         name(place.region), place.offset, place.bytes, place.in_place && !base.valid(),
         base.valid() ? fmt::format("%{} {}", base.index, node_text(plan.graph, base)) : ""});
  }
  return values;
}

std::vector<PrecisionExplanation> explain_precision(const Graph &graph, bool training) {
  std::vector<PrecisionExplanation> kept;
  if (graph.all(OpKind::bf16_conv2d).empty() && graph.all(OpKind::bf16_matmul).empty())
    return kept;
  const auto refuse = training ? refuse_training_bf16 : refuse_bf16;
  for (const OpKind kind : {OpKind::conv2d, OpKind::conv2d_input_gradient,
                            OpKind::conv2d_filter_gradient, OpKind::matmul})
    for (const NodeId id : graph.all(kind))
      if (const char *reason = refuse(graph, graph[id]))
        kept.push_back({node_text(graph, id), reason});
  return kept;
}

std::string times_text(double microseconds, double estimated_microseconds) {
  return fmt::format("tuned: {:.1f} us, the cost model's choice {:.1f} us", microseconds,
                     estimated_microseconds);
}

std::string chosen_by(const KernelObject &kernel) {
  if (!kernel.unfit.empty())
    return fmt::format("cost model; a tuning entry is ignored: {} does not fit", kernel.unfit);
  return kernel.tuned ? times_text(kernel.tuned->microseconds, kernel.tuned->estimated_microseconds)
                      : "cost model";
}

std::vector<AlgorithmExplanation> explain_algorithms(const Phase &phase, const std::string &variant,
                                                     const Tuning &tuning) {
  std::vector<AlgorithmExplanation> result;
  std::set<std::string> seen;
  const bool training = phase.name == std::string("train");
  for (int i = 0; i < phase.plan->graph.size(); ++i) {
    const auto found = algorithm_of(phase.plan->graph, {i}, training);
    if (!found || !seen.insert(found->description).second)
      continue;
    const TuningEntry *entry = tuning.convolution(found->description, variant);
    const bool followed = entry && entry->choice.at(kWinogradTile) == found->tile;
    result.push_back(
        {found->description, found->tile == 0 ? "direct" : fmt::format("F({},3)", found->tile),
         followed ? times_text(entry->microseconds, entry->estimated_microseconds) : "cost model"});
  }
  return result;
}

PhaseExplanation explain_phase(const Phase &phase, const std::vector<KernelObject> &kernels) {
  const Plan &plan = *phase.plan;
  PhaseExplanation result;
  result.name = phase.name;
  for (size_t k = 0; k < plan.kernels.size(); ++k) {
    const KernelFacts facts = kernel_facts(plan, plan.kernels[k]);
    result.kernels.push_back({plan.kernels[k].name, facts.ops, facts.layers, kernels[k].algorithm,
                              chosen_by(kernels[k])});
  }
  for (const MicroBatch &part : plan.micro_batches)
    result.micro_batches.push_back({plan.kernels[static_cast<size_t>(part.first)].name,
                                    plan.kernels[static_cast<size_t>(part.last - 1)].name,
                                    part.samples});
  for (const Refusal &refusal : plan.refusals)
    result.refusals.push_back({node_text(plan.graph, refusal.producer),
                               node_text(plan.graph, refusal.consumer), refusal.reason});
  for (int i = 0; i < plan.graph.size(); ++i)
    if (plan.is_free({i}))
      result.free.push_back({node_text(plan.graph, {i}), plan.graph.type({i}).str(),
                             plan.graph[{i}].kind == OpKind::concat
                                 ? "its operands are written into it"
                                 : "it is read where it lies in its operand"});
  result.kept_f32 = explain_precision(plan.graph, std::string_view(phase.name) == "train");
  result.values = explain_memory(plan);
  result.arena_fixed = plan.arena_fixed;
  result.arena_per_sample = plan.arena_per_sample;
  result.micro_batch_per_sample = plan.micro_batch_per_sample;
  result.micro_batch_most = plan.micro_batch_most;
  return result;
}

std::string kernels_text(const PhaseExplanation &phase) {
  TextTable table({{"Kernel", Align::left},
                   {"Algorithm", Align::left},
                   {"Chosen by", Align::left},
                   {"Layers", Align::left},
                   {"Fused operations", Align::left}});
  for (const KernelExplanation &kernel : phase.kernels)
    table.add_row({kernel.name, kernel.algorithm, kernel.chosen_by, kernel.layers, kernel.ops});
  return table.str();
}

std::string memory_report(const Explanation &explanation) {
  TextTable table({{fmt::format("Bytes at batch {}", explanation.batch), Align::left},
                   {"Weights", Align::right},
                   {"Prepared", Align::right},
                   {"Optimizer", Align::right},
                   {"Activations", Align::right},
                   {"Data", Align::right},
                   {"Total", Align::right}});
  for (const auto &[use, memory] : explanation.memory)
    table.add_row({use, std::to_string(memory.weights), std::to_string(memory.prepared),
                   std::to_string(memory.optimizer), std::to_string(memory.arena),
                   std::to_string(memory.buffers), std::to_string(memory.total())});
  return "\n" + table.str();
}

std::string memory_text(const PhaseExplanation &phase) {
  TextTable table({{"Value", Align::left},
                   {"Type", Align::left},
                   {"Region", Align::left},
                   {"Offset", Align::right},
                   {"Bytes", Align::right},
                   {"", Align::left}});
  for (const ValueExplanation &value : phase.values)
    table.add_row({value.value, value.type, value.region, std::to_string(value.offset),
                   std::to_string(value.bytes),
                   value.in_place          ? "in place"
                   : value.part_of.empty() ? ""
                                           : "part of " + value.part_of});
  return table.str();
}

std::string phase_text(const PhaseExplanation &phase, bool memory) {
  std::string result =
      fmt::format("\n{}: {} kernels, arena {} bytes + {} bytes a sample", phase.name,
                  phase.kernels.size(), phase.arena_fixed, phase.arena_per_sample);
  if (!phase.micro_batches.empty())
    result += fmt::format(" + {} bytes a sample of a micro-batch, at most {}",
                          phase.micro_batch_per_sample, phase.micro_batch_most);
  result += "\n";
  result += kernels_text(phase);
  if (!phase.algorithms.empty())
    result += "algorithms of convolutions:\n";
  for (const AlgorithmExplanation &algorithm : phase.algorithms)
    result += fmt::format("  {}: {}, {}\n", algorithm.convolution, algorithm.algorithm,
                          algorithm.chosen_by);
  for (const MicroBatchExplanation &part : phase.micro_batches)
    result += fmt::format("{} samples at a time: {} to {}\n", part.samples, part.first, part.last);
  if (!phase.refusals.empty())
    result += "not fused:\n";
  for (const RefusalExplanation &refusal : phase.refusals)
    result += fmt::format("  {} -> {}: {}\n", refusal.producer, refusal.consumer, refusal.reason);
  if (!phase.free.empty())
    result += "without a kernel:\n";
  for (const FreeExplanation &free : phase.free)
    result += fmt::format("  {} : {}: {}\n", free.value, free.type, free.reason);
  if (!phase.kept_f32.empty())
    result += "not in bf16:\n";
  for (const PrecisionExplanation &kept : phase.kept_f32)
    result += fmt::format("  {}: {}\n", kept.node, kept.reason);
  return memory ? result + memory_text(phase) : result;
}

} // namespace

Explanation explain(const Program &program, const std::string &variant,
                    const std::vector<std::vector<KernelObject>> &kernels, const Tuning &tuning,
                    int64_t batch) {
  Explanation result;
  result.model = program.model.name;
  result.variant = variant;
  for (const ParameterSlot &slot : program.parameters)
    result.layouts.push_back({slot.attrs.name, slot.attrs.type.str(), slot.bytes});
  result.parameter_bytes = program.parameter_bytes;
  const std::vector<Phase> all = phases(program);
  for (size_t i = 0; i < all.size(); ++i) {
    result.phases.push_back(explain_phase(all[i], kernels[i]));
    result.phases.back().algorithms = explain_algorithms(all[i], variant, tuning);
  }
  result.recomputed = program.recomputed;
  result.batch = batch > 0 ? batch : usual_batch(program.model);
  for (Use use : uses(program))
    result.memory.emplace_back(name(use), measure_memory(program, use, result.batch));
  return result;
}

std::string text(const Explanation &explanation, bool memory) {
  std::string result =
      fmt::format("Model \"{}\", kernels for {}\n\nparameters: {} bytes\n", explanation.model,
                  explanation.variant, explanation.parameter_bytes);
  for (const LayoutExplanation &layout : explanation.layouts)
    result +=
        fmt::format("  {:<40} {:<32} {:>12} bytes\n", layout.parameter, layout.type, layout.bytes);
  for (const PhaseExplanation &phase : explanation.phases)
    result += phase_text(phase, memory);
  result += memory_report(explanation);
  if (const auto &recomputed = explanation.recomputed)
    result +=
        fmt::format("\ntrain computes {} activations again, {:.1f}% more operations: {} bytes "
                    "instead of {} for a batch of {}\n",
                    recomputed->values, 100 * recomputed->more_flops, recomputed->bytes,
                    recomputed->bytes_before, recomputed->batch);
  return result;
}

nlohmann::ordered_json json(const Explanation &explanation) {
  using Json = nlohmann::ordered_json;
  Json result{{"model", explanation.model},
              {"variant", explanation.variant},
              {"parameter_bytes", explanation.parameter_bytes},
              {"parameters", Json::array()},
              {"phases", Json::array()}};
  for (const LayoutExplanation &layout : explanation.layouts)
    result["parameters"].push_back(
        {{"name", layout.parameter}, {"type", layout.type}, {"bytes", layout.bytes}});
  for (const PhaseExplanation &phase : explanation.phases) {
    Json entry{{"name", phase.name},
               {"arena_fixed", phase.arena_fixed},
               {"arena_per_sample", phase.arena_per_sample},
               {"micro_batch_per_sample", phase.micro_batch_per_sample},
               {"micro_batch_most", phase.micro_batch_most},
               {"kernels", Json::array()},
               {"algorithms", Json::array()},
               {"micro_batches", Json::array()},
               {"not_fused", Json::array()},
               {"without_a_kernel", Json::array()},
               {"not_in_bf16", Json::array()},
               {"values", Json::array()}};
    for (const KernelExplanation &kernel : phase.kernels)
      entry["kernels"].push_back({{"name", kernel.name},
                                  {"ops", kernel.ops},
                                  {"layers", kernel.layers},
                                  {"algorithm", kernel.algorithm},
                                  {"chosen_by", kernel.chosen_by}});
    for (const AlgorithmExplanation &algorithm : phase.algorithms)
      entry["algorithms"].push_back({{"convolution", algorithm.convolution},
                                     {"algorithm", algorithm.algorithm},
                                     {"chosen_by", algorithm.chosen_by}});
    for (const MicroBatchExplanation &part : phase.micro_batches)
      entry["micro_batches"].push_back(
          {{"first", part.first}, {"last", part.last}, {"samples", part.samples}});
    for (const RefusalExplanation &refusal : phase.refusals)
      entry["not_fused"].push_back({{"producer", refusal.producer},
                                    {"consumer", refusal.consumer},
                                    {"reason", refusal.reason}});
    for (const FreeExplanation &free : phase.free)
      entry["without_a_kernel"].push_back(
          {{"value", free.value}, {"type", free.type}, {"reason", free.reason}});
    for (const PrecisionExplanation &kept : phase.kept_f32)
      entry["not_in_bf16"].push_back({{"node", kept.node}, {"reason", kept.reason}});
    for (const ValueExplanation &value : phase.values)
      entry["values"].push_back({{"value", value.value},
                                 {"type", value.type},
                                 {"region", value.region},
                                 {"offset", value.offset},
                                 {"bytes", value.bytes},
                                 {"in_place", value.in_place},
                                 {"part_of", value.part_of}});
    result["phases"].push_back(std::move(entry));
  }
  for (const auto &[use, memory] : explanation.memory)
    result["memory"][use] = {{"batch", explanation.batch},  {"weights", memory.weights},
                             {"prepared", memory.prepared}, {"optimizer", memory.optimizer},
                             {"arena", memory.arena},       {"buffers", memory.buffers},
                             {"total", memory.total()}};
  if (const auto &recomputed = explanation.recomputed)
    result["recomputed"] = {{"values", recomputed->values},
                            {"more_flops_pct", 100 * recomputed->more_flops},
                            {"batch", recomputed->batch},
                            {"bytes", recomputed->bytes},
                            {"bytes_before", recomputed->bytes_before}};
  return result;
}

} // namespace sinter

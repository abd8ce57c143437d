#include "backends/halide/build_kernel.h"

#include "backends/halide/cpu/schedule.h"
#include "backends/halide/device.h"
#include "backends/halide/gpu/schedule.h"
#include "backends/halide/machine_code.h"
#include "backends/halide/prefetch.h"
#include "ir/diagnostics.h"

#include <algorithm>
#include <sstream>

namespace sinter {

using namespace Halide::Internal;

namespace {

/// The first argument with a batch, as its position in KernelGraph's inputs and outputs.
struct BatchSource {
  bool output = false;
  size_t position = 0;
  int dimension = 0;
};

/// The batch is Halide's outermost dimension of any argument that has one.
BatchSource find_batch(const KernelGraph &kernel) {
  const auto dimension = [&](NodeId id) {
    return kernel.graph.type(id).batched() ? kernel.graph.type(id).rank() - 1 : -1;
  };
  for (size_t i = 0; i < kernel.inputs.size(); ++i)
    if (dimension(kernel.inputs[i]) >= 0)
      return {false, i, dimension(kernel.inputs[i])};
  for (size_t i = 0; i < kernel.outputs.size(); ++i)
    if (dimension(kernel.outputs[i]) >= 0)
      return {true, i, dimension(kernel.outputs[i])};
  return {false, 0, -1};
}

/// Gives the function the signature of kernels.h: Halide passes the batch as a scalar and the
/// outputs group by group; callers pass buffers alone, in the kernel's order.
void adapt_signature(LoweredFunc &function, const LoweredKernel &lowered) {
  const std::vector<LoweredArgument> given = function.args;
  const size_t first_input = given.size() - lowered.kernel.outputs.size() - 1 -
                             lowered.inputs.size(); // after the user context
  const size_t batch = first_input + lowered.inputs.size();
  SINTER_ASSERT(given[batch].name == lowered.batch.name(), "argument {} is {}", batch,
                given[batch].name);
  std::vector<LoweredArgument> outputs = {given.begin() + static_cast<int64_t>(batch) + 1,
                                          given.end()};
  size_t next = batch + 1;
  for (const OutputGroup &group : lowered.groups)
    for (size_t output : group.outputs)
      outputs[output] = given[next++];
  function.args.assign(given.begin(), given.begin() + static_cast<int64_t>(batch));
  function.args.insert(function.args.end(), outputs.begin(), outputs.end());

  const BatchSource source = find_batch(lowered.kernel);
  if (source.dimension < 0)
    return;
  const std::string &buffer =
      source.output ? outputs[source.position].name : given[first_input + source.position].name;
  const Halide::Expr handle =
      Variable::make(Halide::type_of<halide_buffer_t *>(), buffer + ".buffer");
  const Halide::Expr extent = Call::make(Halide::Int(32), Call::buffer_get_extent,
                                         {handle, source.dimension}, Call::Extern);
  function.body = LetStmt::make(lowered.batch.name(), extent, function.body);
}

/// Takes the checks of arguments and bounds out. Not by Halide's no_asserts: that would also drop
/// the code generator's own checks, which come later: whether memory was there, and whether a
/// parallel loop's tasks succeeded. (What fails on a device the runtime notes itself.)
class RemoveAssertions : public IRMutator {
  using IRMutator::visit;
  Stmt visit(const AssertStmt *) override { return Evaluate::make(0); }
};

/// The most elements a sample that any argument or temporary with a batch has.
int64_t elements_per_sample(const LoweredKernel &lowered) {
  int64_t most = 0;
  for (const std::vector<NodeId> *ids : {&lowered.kernel.inputs, &lowered.kernel.outputs})
    for (NodeId id : *ids)
      if (lowered.kernel.graph.type(id).batched())
        most = std::max(most, lowered.kernel.extent_in_memory(id));
  for (const LoweredNode &node : lowered.nodes)
    for (const Stage &stage : node.stages)
      if (stage.type.batched())
        most = std::max(most, stage.type.storage_elements());
  return most;
}

/// A kernel with its schedule.
struct Scheduled {
  LoweredKernel lowered;
  KernelSchedule schedule;
  Decisions decisions;
};

Scheduled schedule(const KernelGraph &kernel, const Variant &variant, const KernelChoice &choice) {
  Scheduled result{lower_kernel(kernel), {}, Decisions(choice)};
  result.schedule = device_of(variant) == Device::none
                        ? schedule_kernel(result.lowered, variant, result.decisions)
                        : schedule_device_kernel(result.lowered);
  return result;
}

struct Generated {
  std::string algorithm;
  int64_t elements_per_sample;
  KernelChoice unfit;
  Halide::Module module;
};

/// A choice that was made for another schedule is left out as a whole.
Generated make_module(const KernelGraph &kernel, const Variant &variant, const KernelChoice &choice,
                      const std::string &symbol, bool checked) {
  Scheduled scheduled = schedule(kernel, variant, choice);
  const KernelChoice unfit = scheduled.decisions.unfit();
  if (!unfit.empty())
    scheduled = schedule(kernel, variant, {});
  const LoweredKernel &lowered = scheduled.lowered;
  std::vector<Halide::Argument> arguments;
  for (const Halide::ImageParam &input : lowered.inputs)
    arguments.emplace_back(input);
  arguments.emplace_back(lowered.batch);
  Halide::Pipeline pipeline = lowered.pipeline();
  RemoveAssertions remove_assertions;
  if (!checked)
    pipeline.add_custom_lowering_pass(&remove_assertions, nullptr);
  InsertPrefetches insert_prefetches(scheduled.schedule);
  pipeline.add_custom_lowering_pass(&insert_prefetches, nullptr);
  Halide::Module module = pipeline.compile_to_module(
      arguments, symbol, Halide::Target(full_target(variant)), Halide::LinkageType::External);
  for (LoweredFunc &function : module.functions())
    if (function.name == symbol)
      adapt_signature(function, lowered);
  return {scheduled.schedule.algorithm, elements_per_sample(lowered), unfit, module};
}

/// Halide's complaint about what we gave it is our fault.
template <typename Result>
Result guarded(const KernelGraph &kernel, const std::function<Result()> &build) {
  try {
    return build();
  } catch (const Halide::Error &error) {
    SINTER_UNREACHABLE("Halide refuses a kernel: {}\n{}", error.what(), kernel.text());
  }
}

} // namespace

std::string full_target(const Variant &variant) {
  // The schedules unroll and vectorize; LLVM's own unrolling on top of that made one kernel's code
  // six times as large and its compilation sixteen times as long, and none faster.
  return variant.halide_target + "-user_context-no_runtime-no_bounds_query-disable_llvm_loop_opt";
}

std::vector<Decision> kernel_decisions(const KernelGraph &kernel, const Variant &variant,
                                       const KernelChoice &choice) {
  return guarded<std::vector<Decision>>(
      kernel, [&] { return schedule(kernel, variant, choice).decisions.all(); });
}

BuiltKernel build_kernel(const KernelGraph &kernel, const Variant &variant,
                         const KernelChoice &choice, const std::string &symbol, bool checked) {
  return guarded<BuiltKernel>(kernel, [&] {
    const Generated generated = make_module(kernel, variant, choice, symbol, checked);
    return BuiltKernel{generated.algorithm, generated.elements_per_sample, generated.unfit,
                       generate_object(generated.module)};
  });
}

std::string build_kernel_text(const KernelGraph &kernel, const Variant &variant,
                              const KernelChoice &choice, const std::string &symbol,
                              KernelText text) {
  return guarded<std::string>(kernel, [&] {
    const Generated generated = make_module(kernel, variant, choice, symbol, /*checked=*/false);
    if (text == KernelText::assembly)
      return generate_assembly(generated.module);
    std::ostringstream stmt;
    stmt << generated.module;
    return stmt.str();
  });
}

} // namespace sinter

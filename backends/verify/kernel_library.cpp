#include "backends/verify/kernel_library.h"

#include "backends/verify/object_loader.h"
#include "backends/verify/packed_buffer.h"
#include "ir/diagnostics.h"

#include <HalideRuntime.h>
#include <set>

extern "C" {
#include "runtime/sinter_runtime.h"
#include "runtime/thread_pool.h"
}

namespace sinter {

struct KernelLibrary::Loaded {
  ObjectLoader loader;
  std::unique_ptr<sinter_pool, void (*)(sinter_pool *)> pool{nullptr, sinter_pool_destroy};
};

namespace {

halide_type_t halide_type(ElementType element) {
  switch (element) {
  case ElementType::f32:
    return {halide_type_float, 32};
  case ElementType::i32:
    return {halide_type_int, 32};
  case ElementType::u8:
    return {halide_type_uint, 8};
  }
  SINTER_UNREACHABLE("element type {}", static_cast<int>(element));
}

/// A buffer descriptor over `memory`: Halide's dimension 0 is the last extent.
struct Descriptor {
  Descriptor(const KernelArgument &argument, int64_t batch, void *memory) {
    const Shape extents = with_batch(argument.extents, batch);
    const std::vector<int64_t> strides = argument.strides();
    for (size_t i = extents.size(); i > 0; --i)
      dimensions.emplace_back(0, static_cast<int32_t>(extents[i - 1]),
                              static_cast<int32_t>(strides[i - 1]));
    buffer.host = static_cast<uint8_t *>(memory);
    buffer.type = halide_type(argument.element);
    buffer.dimensions = static_cast<int32_t>(dimensions.size());
    buffer.dim = dimensions.data();
  }
  Descriptor(const Descriptor &) = delete;
  Descriptor &operator=(const Descriptor &) = delete;

  std::vector<halide_dimension_t> dimensions;
  halide_buffer_t buffer{};
};

using Buffers = std::vector<halide_buffer_t *>;

/// int f(void *user_context, halide_buffer_t *, ... as often as there are indices)
template <size_t... i>
int call_with(void *function, void *user_context, const Buffers &buffers,
              std::index_sequence<i...>) {
  using Function = int (*)(void *, decltype((void)i, Buffers::value_type())...);
  return reinterpret_cast<Function>(function)(user_context, buffers[i]...);
}

template <size_t count> int call_counted(void *function, void *context, const Buffers &buffers) {
  return call_with(function, context, buffers, std::make_index_sequence<count>());
}

using CountedCall = int (*)(void *, void *, const Buffers &);

template <size_t... counts> CountedCall counted_call(size_t count, std::index_sequence<counts...>) {
  constexpr CountedCall calls[] = {call_counted<counts>...};
  SINTER_ASSERT(count < sizeof...(counts), "a kernel with {} arguments", count);
  return calls[count];
}

/// Calls a kernel, whose prototype follows from the number of its arguments.
int call(void *function, void *user_context, const Buffers &buffers) {
  constexpr size_t kMostArguments = 64;
  return counted_call(buffers.size(),
                      std::make_index_sequence<kMostArguments>())(function, user_context, buffers);
}

std::shared_ptr<PackedBuffer> fresh_buffer(const Plan &plan, NodeId value, int64_t batch) {
  return std::make_shared<PackedBuffer>(plan.graph.type(value), batch, plan.locate(value).pitch);
}

/// The input whose memory the plan gives to `output`, or -1.
int input_shared_with(const Plan &plan, const Kernel &kernel, NodeId output) {
  const Placement &place = plan.placements[static_cast<size_t>(output.index)];
  for (size_t i = 0; i < kernel.inputs.size(); ++i) {
    const NodeId root = plan.storage_root(kernel.inputs[i]);
    const Placement &other = plan.placements[static_cast<size_t>(root.index)];
    if (place.in_place && place.region == other.region && place.offset == other.offset)
      return static_cast<int>(i);
  }
  return -1;
}

} // namespace

KernelLibrary::KernelLibrary(std::vector<const Plan *> plans, const Variant &variant,
                             const KernelOptions &options, int threads)
    : plans_(std::move(plans)), objects_(compile_kernels(plans_, {variant}, options)),
      loaded_(std::make_unique<Loaded>()) {
  loaded_->pool.reset(sinter_pool_create(threads));
  SINTER_ASSERT(loaded_->pool != nullptr, "{}", sinter_last_error());
  std::set<std::string> added;
  for (const auto &variants : objects_)
    for (const KernelObject &object : variants[0])
      if (added.insert(object.symbol).second)
        loaded_->loader.add(*object.object, object.symbol);
}

KernelLibrary::~KernelLibrary() = default;

std::vector<Array> KernelLibrary::run(size_t plan_index, size_t kernel_index, int64_t batch,
                                      const std::vector<const Array *> &inputs) const {
  const Plan &plan = *plans_[plan_index];
  const Kernel &kernel = plan.kernels[kernel_index];
  const KernelObject &code = object(plan_index, kernel_index);
  SINTER_ASSERT(code.arguments.size() == kernel.inputs.size() + kernel.outputs.size(),
                "kernel {} takes {} arguments, its plan gives {} and {}", kernel.name,
                code.arguments.size(), kernel.inputs.size(), kernel.outputs.size());

  std::vector<std::shared_ptr<PackedBuffer>> memory;
  for (size_t i = 0; i < kernel.inputs.size(); ++i) {
    memory.push_back(fresh_buffer(plan, kernel.inputs[i], batch));
    memory.back()->pack(*inputs[i]);
  }
  for (NodeId output : kernel.outputs) {
    const int shared = input_shared_with(plan, kernel, output);
    memory.push_back(shared >= 0 ? memory[static_cast<size_t>(shared)]
                                 : fresh_buffer(plan, output, batch));
  }

  std::vector<std::unique_ptr<Descriptor>> descriptors;
  std::vector<halide_buffer_t *> arguments;
  for (size_t i = 0; i < memory.size(); ++i) {
    const int64_t expected = element_count(with_batch(code.arguments[i].extents, batch));
    SINTER_ASSERT(expected == memory[i]->storage_count(),
                  "kernel {}, argument {}: {} elements expected, {} in memory", kernel.name, i,
                  expected, memory[i]->storage_count());
    descriptors.push_back(
        std::make_unique<Descriptor>(code.arguments[i], batch, memory[i]->data()));
    arguments.push_back(&descriptors.back()->buffer);
  }
  const int status = call(loaded_->loader.find(code.symbol), loaded_->pool.get(), arguments);
  SINTER_ASSERT(status == 0, "kernel {} failed with {}: {}", kernel.name, status,
                sinter_last_error());

  std::vector<Array> outputs;
  for (size_t i = 0; i < memory.size(); ++i) {
    const std::string damage = memory[i]->damage();
    SINTER_ASSERT(damage.empty(), "kernel {}, argument {}: {}", kernel.name, i, damage);
    if (i >= kernel.inputs.size()) {
      outputs.push_back(memory[i]->unpack());
      outputs.back().type = plan.graph.type(kernel.outputs[i - kernel.inputs.size()]);
    }
  }
  return outputs;
}

} // namespace sinter

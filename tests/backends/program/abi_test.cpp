// The LLVM types of generated code have the layout that the C compiler gives the runtime's structs.
#include "backends/program/abi.h"
#include "backends/program/code_generator.h"
#include "runtime/sinter_runtime.h"

#include <cstddef>
#include <doctest/doctest.h>
#include <llvm/IR/DataLayout.h>
#include <llvm/Target/TargetMachine.h>
#include <vector>

using namespace sinter;

namespace {

struct Layouts {
  Layouts() : abi(prepared()), layout(sinter::host_target_machine()->createDataLayout()) {}

  llvm::LLVMContext &prepared() {
    context.enableOpaquePointers();
    return context;
  }
  void check(llvm::StructType *type, size_t size, const std::vector<size_t> &offsets) {
    CAPTURE(type->getName().str());
    const llvm::StructLayout *actual = layout.getStructLayout(type);
    CHECK(actual->getSizeInBytes() == size);
    REQUIRE(type->getNumElements() == offsets.size());
    for (unsigned i = 0; i < offsets.size(); ++i) {
      CAPTURE(i);
      CHECK(actual->getElementOffset(i) == offsets[i]);
    }
  }

  llvm::LLVMContext context;
  Abi abi;
  llvm::DataLayout layout;
};

#define AT(field) offsetof(T, field)

} // namespace

TEST_CASE("generated tables have the layout of the runtime's structs") {
  Layouts layouts;
  const Abi &abi = layouts.abi;
  {
    using T = sinter_port;
    layouts.check(abi.port, sizeof(T),
                  {AT(name), AT(argument), AT(dims), AT(class_limit), AT(rank), AT(element),
                   AT(batched), AT(is_probability), AT(channels_first)});
  }
  {
    using T = sinter_parameter;
    layouts.check(abi.parameter, sizeof(T),
                  {AT(name), AT(dims), AT(block), AT(offset), AT(bytes), AT(rank), AT(role),
                   AT(initializer), AT(a), AT(b), AT(initial)});
  }
  {
    using T = sinter_value;
    layouts.check(abi.value, sizeof(T),
                  {AT(offset), AT(elements_fixed), AT(elements_per_sample), AT(region), AT(row),
                   AT(pitch), AT(begin)});
  }
  {
    using T = sinter_kernel;
    layouts.check(abi.kernel, sizeof(T),
                  {AT(name), AT(ops), AT(layers), AT(algorithm), AT(flops_per_sample),
                   AT(flops_fixed), AT(bytes_per_sample), AT(bytes_fixed), AT(outputs),
                   AT(output_count)});
  }
  {
    using T = sinter_phase_info;
    layouts.check(abi.phase_info, sizeof(T),
                  {AT(kernels), AT(kernel_count), AT(largest_batch), AT(arena_fixed),
                   AT(arena_per_sample), AT(micro_batch_per_sample), AT(micro_batch_most)});
  }
  {
    using T = sinter_scaling;
    layouts.check(abi.scaling, sizeof(T), {AT(op), AT(value)});
  }
  {
    using T = sinter_subset_step;
    layouts.check(abi.subset_step, sizeof(T),
                  {AT(op), AT(shuffle), AT(start), AT(stop), AT(test_size), AT(random_state)});
  }
  {
    using T = sinter_subset;
    layouts.check(abi.subset, sizeof(T), {AT(source), AT(step_count), AT(steps)});
  }
  {
    using T = sinter_data;
    layouts.check(abi.data, sizeof(T),
                  {AT(dataset), AT(scaling), AT(scaling_count), AT(reconstruct), AT(train),
                   AT(validation), AT(test), AT(class_names), AT(class_count)});
  }
  {
    using T = sinter_monitor;
    layouts.check(abi.monitor, sizeof(T),
                  {AT(metric), AT(validation), AT(maximize), AT(min_delta)});
  }
  {
    using T = sinter_training;
    layouts.check(abi.training, sizeof(T),
                  {AT(epochs), AT(batch_size), AT(shuffle), AT(learning_rate), AT(early_stopping),
                   AT(patience), AT(checkpoint_every_epoch), AT(monitors), AT(plateau),
                   AT(epoch_rates), AT(epoch_rate_count)});
  }
  {
    using T = sinter_plateau;
    layouts.check(abi.plateau, sizeof(T),
                  {AT(monitor), AT(factor), AT(min_rate), AT(patience), AT(cooldown)});
  }
}

TEST_CASE("the model and the context have the layout of the runtime's structs") {
  Layouts layouts;
  {
    using T = sinter_model;
    layouts.check(layouts.abi.model, sizeof(T),
                  {AT(abi),
                   AT(name),
                   AT(target),
                   AT(description),
                   AT(model_text),
                   AT(parameters),
                   AT(parameter_count),
                   AT(parameter_bytes),
                   AT(trainable_bytes),
                   AT(inputs),
                   AT(labels),
                   AT(outputs),
                   AT(input_count),
                   AT(label_count),
                   AT(output_count),
                   AT(batched),
                   AT(metric_count),
                   AT(metric_names),
                   AT(phases),
                   AT(variant_names),
                   AT(variant_count),
                   AT(device_variant_count),
                   AT(device),
                   AT(training),
                   AT(data),
                   AT(infer),
                   AT(eval_step),
                   AT(train_step),
                   AT(train_loop)});
  }
  {
    using T = sinter_context;
    layouts.check(layouts.abi.context, sizeof(T),
                  {AT(model), AT(parameters), AT(arena), AT(pool), AT(rng), AT(learning_rate),
                   AT(step), AT(variant), AT(max_batch), AT(phase_limit), AT(threads),
                   AT(steps_done), AT(profile), AT(watch), AT(prepared), AT(kernel_parameters),
                   AT(numbers), AT(device), AT(device_tensors)});
  }
}

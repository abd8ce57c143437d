#include "backends/program/initial_weights.h"

#include "backends/program/parameter_table.h"
#include "runtime/sinter_runtime.h"

#include <cstdlib>
#include <memory>

namespace sinter {

namespace {

void check(int status, const std::string &path, const std::string &destination) {
  if (status == SINTER_OK)
    return;
  std::string text = sinter_last_error();
  const size_t at = text.find(path);
  if (at != std::string::npos)
    text.replace(at, path.size(), destination);
  throw CompileError({}, "{}", text);
}

/// The parameters of the program as a model that the runtime can initialise, but not run.
sinter_model parameter_model(const Program &program,
                             const std::vector<sinter_parameter> &parameters) {
  static constexpr const char *kVariants[] = {"x86-64"};
  sinter_model model{};
  model.abi = SINTER_ABI;
  model.name = program.name.c_str();
  model.model_text = program.model_text.empty() ? nullptr : program.model_text.c_str();
  model.parameters = parameters.data();
  model.parameter_count = static_cast<int32_t>(parameters.size());
  model.parameter_bytes = program.parameter_bytes;
  model.trainable_bytes = trainable_bytes(program);
  model.phases[SINTER_INFER].kernel_count = 1; // a context must be for something
  model.phases[SINTER_INFER].largest_batch = 1;
  model.variant_names = kVariants;
  model.variant_count = 1;
  return model;
}

} // namespace

void write_initial_weights(const Program &program, const PackedWeights &given,
                           const std::string &path, const std::string &destination) {
  std::vector<sinter_parameter> parameters = parameter_table(program);
  for (sinter_parameter &parameter : parameters) {
    const auto found = given.offsets.find(parameter.name);
    if (found != given.offsets.end()) // aligned: every tensor starts at a multiple of 64
      parameter.initial = reinterpret_cast<const float *>(given.bytes.data() + found->second);
  }
  const sinter_model model = parameter_model(program, parameters);
  const size_t bytes = sinter_context_bytes(&model, /*max_batch=*/1, SINTER_INFER);
  const std::unique_ptr<void, decltype(&std::free)> memory(
      std::aligned_alloc(SINTER_ALIGNMENT, bytes), std::free);
  SINTER_ASSERT(memory != nullptr, "no memory for {} bytes of parameters", bytes);
  sinter_context *context = nullptr;
  check(sinter_context_create(&model, memory.get(), bytes, /*max_batch=*/1, SINTER_INFER,
                              /*threads=*/1, /*seed=*/0, &context),
        path, destination);
  const int status = sinter_save(context, path.c_str());
  sinter_context_destroy(context);
  check(status, path, destination);
}

} // namespace sinter

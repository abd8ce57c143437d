#include "backends/program/initial_weights.h"

#include "backends/program/parameter_table.h"
#include "runtime/sinter_runtime.h"

#include <cstdlib>
#include <memory>

namespace sinter {

void write_initial_weights(const Program &program, const PackedWeights &given,
                           const std::string &path) {
  // std::string's bytes are aligned for any float, and every tensor starts at a multiple of 64.
  std::vector<sinter_parameter> parameters = parameter_table(program);
  for (sinter_parameter &parameter : parameters) {
    const auto found = given.offsets.find(parameter.name);
    if (found != given.offsets.end())
      parameter.initial = reinterpret_cast<const float *>(given.bytes.data() + found->second);
  }
  sinter_model model{};
  model.abi = SINTER_ABI;
  model.name = program.name.c_str();
  model.parameters = parameters.data();
  model.parameter_count = static_cast<int32_t>(parameters.size());
  model.parameter_bytes = program.parameter_bytes;
  model.trainable_bytes = trainable_bytes(program);

  const auto bytes = static_cast<size_t>(program.parameter_bytes) + SINTER_ALIGNMENT;
  const std::unique_ptr<void, decltype(&std::free)> region(
      std::aligned_alloc(SINTER_ALIGNMENT, bytes / SINTER_ALIGNMENT * SINTER_ALIGNMENT), std::free);
  SINTER_ASSERT(region != nullptr, "no memory for {} bytes of parameters", bytes);
  sinter_context context{};
  context.model = &model;
  context.parameters = static_cast<unsigned char *>(region.get());
  sinter_initialize_parameters(&context, /*seed=*/0);
  if (sinter_save(&context, path.c_str()) != SINTER_OK)
    throw CompileError({}, "{}", sinter_last_error());
}

} // namespace sinter

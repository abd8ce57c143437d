#include "ir/program_memory.h"

#include "ir/diagnostics.h"
#include "ir/saturating.h"

#include <algorithm>

namespace sinter {

namespace {

/// The plans that run in a use's context, the use's own last.
std::vector<const Plan *> plans(const Program &program, Use use) {
  std::vector<const Plan *> result{&program.infer};
  if (use != Use::inference && program.eval)
    result.push_back(&*program.eval);
  if (use == Use::training)
    result.push_back(&*program.train);
  return result;
}

int64_t buffer_bytes(const Graph &graph, int64_t batch) {
  int64_t bytes = 0;
  const auto count = [&](NodeId id) {
    const TensorType &type = graph.type(id);
    bytes = saturating_add(bytes,
                           saturating_multiply(type.storage_bytes(), type.batched() ? batch : 1));
  };
  for (NodeId id : graph.all(OpKind::input)) {
    const std::string &role = attrs<InputAttrs>(graph[id]).role;
    if (role == name(Region::data) || role == name(Region::label))
      count(id);
  }
  for (const Output &output : graph.outputs)
    if (is_prediction(output))
      count(output.value);
  return bytes;
}

} // namespace

const char *name(Use use) {
  switch (use) {
  case Use::inference:
    return "inference";
  case Use::evaluation:
    return "evaluation";
  case Use::training:
    return "training";
  }
  SINTER_UNREACHABLE("use {}", static_cast<int>(use));
}

int64_t ProgramMemory::total() const {
  int64_t sum = 0;
  for (const int64_t bytes : {weights, prepared, optimizer, arena, buffers})
    sum = saturating_add(sum, bytes);
  return sum;
}

int64_t usual_batch(const Model &model) { return model.training ? model.training->batch_size : 32; }

std::vector<Use> uses(const Program &program) {
  std::vector<Use> result{Use::inference};
  if (program.eval)
    result.push_back(Use::evaluation);
  if (program.train)
    result.push_back(Use::training);
  return result;
}

ProgramMemory measure_memory(const Program &program, Use use, int64_t batch) {
  ProgramMemory memory;
  for (const ParameterSlot &slot : program.parameters)
    if (slot.attrs.role == "prepared")
      memory.prepared += slot.bytes;
    else if (slot.attrs.role != "optimizer")
      memory.weights += slot.bytes;
    else if (use == Use::training)
      memory.optimizer += slot.bytes;
  const std::vector<const Plan *> running = plans(program, use);
  for (const Plan *plan : running)
    memory.arena = std::max(memory.arena, plan->arena_bytes(batch));
  memory.buffers = buffer_bytes(running.back()->graph, batch);
  return memory;
}

} // namespace sinter

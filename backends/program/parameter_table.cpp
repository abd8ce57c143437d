#include "backends/program/parameter_table.h"

#include "ir/diagnostics.h"

#include <algorithm>
#include <map>

namespace sinter {

namespace {

sinter_role role_of(const ParameterAttrs &attrs) {
  static const std::map<std::string, sinter_role> roles = {{"weight", SINTER_ROLE_WEIGHT},
                                                           {"statistic", SINTER_ROLE_STATISTIC},
                                                           {"optimizer", SINTER_ROLE_OPTIMIZER}};
  const auto found = roles.find(attrs.role);
  SINTER_ASSERT(found != roles.end(), "{} has the role {}", attrs.name, attrs.role);
  return found->second;
}

sinter_initializer initializer_of(const ParameterAttrs &attrs) {
  static const std::map<std::string, sinter_initializer> initializers = {
      {"zeros", SINTER_INIT_ZEROS},       {"ones", SINTER_INIT_ONES},
      {"constant", SINTER_INIT_CONSTANT}, {"uniform", SINTER_INIT_UNIFORM},
      {"normal", SINTER_INIT_NORMAL},     {"truncated_normal", SINTER_INIT_TRUNCATED_NORMAL},
      {"identity", SINTER_INIT_IDENTITY}, {"orthogonal", SINTER_INIT_ORTHOGONAL}};
  const auto found = initializers.find(attrs.initializer);
  SINTER_ASSERT(found != initializers.end(), "{} has the initializer {}", attrs.name,
                attrs.initializer);
  return found->second;
}

} // namespace

void copy_dims(const Shape &from, int64_t (&to)[SINTER_MAX_RANK]) {
  if (from.size() > SINTER_MAX_RANK)
    throw CompileError({}, "a program's tensors have at most {} dimensions, got {}",
                       SINTER_MAX_RANK, str(from));
  std::fill(std::begin(to), std::end(to), 0);
  std::copy(from.begin(), from.end(), to);
}

std::vector<sinter_parameter> parameter_table(const Program &program) {
  std::vector<sinter_parameter> table;
  for (const ParameterSlot &slot : program.parameters) {
    if (slot.attrs.role == "prepared")
      continue;
    sinter_parameter entry{};
    entry.name = slot.attrs.name.c_str();
    copy_dims(slot.attrs.type.shape, entry.dims);
    entry.block = slot.attrs.type.block;
    entry.offset = slot.offset;
    entry.bytes = slot.bytes;
    entry.rank = slot.attrs.type.rank();
    entry.role = role_of(slot.attrs);
    entry.initializer = initializer_of(slot.attrs);
    entry.a = slot.attrs.a;
    entry.b = slot.attrs.b;
    table.push_back(entry);
  }
  return table;
}

int64_t trainable_bytes(const Program &program) {
  int64_t bytes = program.parameter_bytes;
  for (const ParameterSlot &slot : program.parameters)
    if (slot.attrs.role == "optimizer")
      bytes = std::min(bytes, slot.offset);
  return bytes;
}

} // namespace sinter

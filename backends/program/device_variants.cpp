#include "backends/program/device_variants.h"

#include "backends/halide/device.h"
#include "ir/diagnostics.h"

#include <algorithm>

namespace sinter {

int count_device_variants(const CompiledProgram &compiled) {
  const auto runs_on_device = [](const Variant &v) { return device_of(v) != Device::none; };
  return static_cast<int>(
      std::count_if(compiled.variants.begin(), compiled.variants.end(), runs_on_device));
}

const char *device_symbol(const CompiledProgram &compiled) {
  const Device device = device_of(compiled.variants.back());
  SINTER_ASSERT(device == Device::opencl, "device {}", static_cast<int>(device));
  return "sinter_opencl";
}

} // namespace sinter

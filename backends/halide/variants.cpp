#include "backends/halide/device.h"
#include "ir/diagnostics.h"

#include <Halide.h>

namespace sinter {

namespace {

// Feature sets are closed: Halide wants every implied feature named.
const Variant kBaseline{"x86-64", "x86-64-linux-sse41", 4, 16};
const Variant kAvx2{"avx2", "x86-64-linux-sse41-avx-f16c-fma-avx2", 8, 16};
const Variant kAvx512{"avx512", "x86-64-linux-sse41-avx-f16c-fma-avx2-avx512-avx512_skylake", 16,
                      32};

/// The best variant whose features the target has.
const Variant &best_variant(const Halide::Target &target) {
  if (target.has_feature(Halide::Target::AVX512_Skylake))
    return kAvx512;
  if (target.has_feature(Halide::Target::AVX2) && target.has_feature(Halide::Target::FMA))
    return kAvx2;
  return kBaseline;
}

/// Baseline code around the device's.
const Variant kOpencl{"opencl", "x86-64-linux-sse41-opencl-cl_doubles", 1, 0};

bool needs_device(const Halide::Target &target) {
  const auto has = [&](Halide::Target::Feature feature) { return target.has_feature(feature); };
  return target.has_gpu_feature() || has(Halide::Target::CUDACapability30) ||
         has(Halide::Target::CUDACapability32) || has(Halide::Target::CUDACapability35) ||
         has(Halide::Target::CUDACapability50) || has(Halide::Target::CUDACapability61) ||
         has(Halide::Target::CUDACapability70) || has(Halide::Target::CUDACapability75) ||
         has(Halide::Target::CUDACapability80) || has(Halide::Target::CUDACapability86);
}

std::vector<Variant> processor_variants(const std::string &target) {
  if (target == "host")
    return {best_variant(Halide::get_host_target())};
  if (target == "x86-64")
    return {kBaseline, kAvx2, kAvx512};
  if (!Halide::Target::validate_target_string(target))
    throw CompileError({},
                       "unknown target \"{}\": expects host, x86-64, opencl, or a Halide target "
                       "string such as x86-64-linux-avx2-fma",
                       target);
  const Halide::Target parsed(target);
  if (parsed.arch != Halide::Target::X86 || parsed.bits != 64 || parsed.os != Halide::Target::Linux)
    throw CompileError({}, "target \"{}\" is not supported: this build makes x86-64 Linux code",
                       target);
  if (needs_device(parsed))
    throw CompileError({},
                       "target \"{}\" is not supported: it asks for a GPU by Halide's features, "
                       "where opencl or host,opencl is expected",
                       target);
  return {best_variant(parsed)};
}

} // namespace

Device device_of(const Variant &variant) {
  return variant.name == kOpencl.name ? Device::opencl : Device::none;
}

bool targets_device(const std::string &target) {
  return device_of(variants_for_target(target).back()) != Device::none;
}

std::vector<Variant> variants_for_target(const std::string &target) {
  const size_t comma = target.rfind(',');
  const std::string last = target.substr(comma == std::string::npos ? 0 : comma + 1);
  if (last == "cuda")
    throw CompileError({},
                       "target \"{}\" is not supported yet: expects host, x86-64, opencl, or a "
                       "Halide target string",
                       target);
  if (comma == std::string::npos && last != kOpencl.name)
    return processor_variants(target);
  if (last != kOpencl.name)
    throw CompileError({}, "target \"{}\" is not supported: expects a device, opencl, last",
                       target);
  std::vector<Variant> variants;
  if (comma != std::string::npos)
    variants = processor_variants(target.substr(0, comma));
  variants.push_back(kOpencl);
  return variants;
}

} // namespace sinter

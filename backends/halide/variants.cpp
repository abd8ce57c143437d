#include "backends/halide/kernels.h"
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

} // namespace

std::vector<Variant> variants_for_target(const std::string &target) {
  if (target == "host")
    return {best_variant(Halide::get_host_target())};
  if (target == "x86-64")
    return {kBaseline, kAvx2, kAvx512};
  if (target == "cuda" || target == "opencl")
    throw CompileError({},
                       "target \"{}\" is not supported yet: expects host, x86-64 or a Halide "
                       "target string",
                       target);
  if (!Halide::Target::validate_target_string(target))
    throw CompileError({},
                       "unknown target \"{}\": expects host, x86-64 or a Halide target string "
                       "such as x86-64-linux-avx2-fma",
                       target);
  const Halide::Target parsed(target);
  if (parsed.arch != Halide::Target::X86 || parsed.bits != 64 || parsed.os != Halide::Target::Linux)
    throw CompileError({}, "target \"{}\" is not supported: this build makes x86-64 Linux code",
                       target);
  if (parsed.has_gpu_feature())
    throw CompileError({}, "target \"{}\" is not supported yet: it asks for a GPU", target);
  return {best_variant(parsed)};
}

} // namespace sinter

// From plans to machine code: one Halide pipeline a distinct kernel, compiled to an object file.
// No Halide type appears here, so that the program backend and the tools need not know it.
//
// A kernel is a C function
//   int SYMBOL(void *user_context, halide_buffer_t *argument...)
// whose arguments are Kernel::inputs, then Kernel::outputs, in order. The global symbols of an
// object are that one and others that begin with it (the bodies of parallel loops); it refers to
// nothing but halide_do_par_for, halide_malloc, halide_free, the halide_error family,
// the extern stages of runtime/bf16.h and libm.
#pragma once

#include "backends/halide/kernel_choice.h"
#include "ir/plan.h"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace sinter {

/// One instruction set that kernels are compiled for.
struct Variant {
  std::string name;          // "x86-64", "avx2", "avx512": as sinter_choose_variant knows them
  std::string halide_target; // without the features every kernel gets (no_runtime, ...)
  int vector_width = 4;      // floats in a register
  int registers = 16;        // vector registers
};

/// The variants of a --target, baseline first: `host` is the best one of this CPU, `x86-64` is
/// baseline, AVX2 and AVX-512; anything else must be a Halide target string of this architecture.
/// Throws CompileError for an unknown or unsupported target.
std::vector<Variant> variants_for_target(const std::string &target);

/// What a kernel expects of one argument's halide_buffer_t: a buffer of these extents, minima 0,
/// halide's dimension 0 being the last one here. kBatch (first only) is the run-time batch. It is
/// dense, but that rows of the last extent may lie a pitch apart, as parts of longer rows. May
/// differ from the value's own storage shape: neighbouring dimensions are merged.
struct KernelArgument {
  ElementType element = ElementType::f32;
  Shape extents;     // outermost first
  int64_t pitch = 0; // elements from row to row, or 0: the last extent

  /// In elements, outermost first. The batch, being outermost, is no factor of any.
  std::vector<int64_t> strides() const;
  friend bool operator==(const KernelArgument &a, const KernelArgument &b) {
    return a.element == b.element && a.extents == b.extents && a.pitch == b.pitch;
  }
};

/// A choice for a kernel, with the times that decided it.
struct TunedKernel {
  KernelChoice choice;
  double microseconds = 0;
  double estimated_microseconds = 0; // of what the estimates choose
  bool shipped = false;              // it came with the compiler, and is no one's fault
};

/// What is known of a kernel, given by its text (KernelGraph::text), in a variant.
using KernelTuning =
    std::function<std::optional<TunedKernel>(const std::string &text, const Variant &)>;

struct KernelObject {
  std::string symbol;
  std::shared_ptr<const std::string> object; // ELF; shared by identical kernels
  std::string algorithm;                     // "direct 14x32", for bench and explain
  int64_t elements_per_sample = 0; // of the largest buffer with a batch: n times it fits an int32
  std::vector<KernelArgument> arguments; // inputs, then outputs
  bool cached = false;                   // it was compiled before
  std::optional<TunedKernel> tuned;      // the choice that was known, followed unless unfit
  std::string unfit;                     // "tile_rows=99": a choice that was left out as impossible
};

struct KernelOptions {
  std::string cache_dir; // "" for no cache
  int jobs = 0;          // threads that compile; 0: one a processor
  bool checked = false;  // keep Halide's assertions: finds a schedule that leaves a buffer
  KernelTuning tuning;   // may be empty
};

/// Compiles the distinct kernels of all plans for all variants side by side. The result is indexed
/// [plan][variant][kernel of the plan]; equal kernels share symbol and object.
std::vector<std::vector<std::vector<KernelObject>>>
compile_kernels(const std::vector<const Plan *> &plans, const std::vector<Variant> &variants,
                const KernelOptions &);

/// The text that KernelTuning is asked about: equal kernels, of any plan, have equal ones.
std::string tuning_text(const Plan &, int kernel);

/// What the schedule of one kernel decides, given a choice: those of its decisions that come after
/// what is chosen depend on it.
std::vector<Decision> kernel_decisions(const Plan &, int kernel, const Variant &,
                                       const KernelChoice &);

enum class KernelText { stmt, assembly };

/// The scheduled loops or the assembly of one kernel, for --emit=stmt|asm.
std::string kernel_text(const Plan &, int kernel, const Variant &, KernelText,
                        const KernelTuning & = {});

} // namespace sinter

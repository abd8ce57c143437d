// Why the program is as it is: fusion, layouts, algorithms, memory.
#pragma once

#include "backends/halide/kernels.h"
#include "ir/program_memory.h"
#include "tools/emit_text.h"
#include "tuning/tuning.h"

#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

namespace sinter {

struct KernelExplanation {
  std::string name;
  std::string ops;       // "conv2d+bias_add+relu"
  std::string layers;    // "conv2d, max_pooling2d"
  std::string algorithm; // "direct 14x32"
  std::string chosen_by; // "cost model", or what was measured
};

/// A convolution whose algorithm was chosen before there were kernels.
struct AlgorithmExplanation {
  std::string convolution; // "convolution 56x56 64->64 padding 1,1,1,1 inference"
  std::string algorithm;   // "direct", "F(2,3)", "F(4,3)"
  std::string chosen_by;
};

struct RefusalExplanation {
  std::string producer, consumer; // "relu (conv2d)"
  std::string reason;
};

/// A contraction that multiplies float32 numbers in a phase where others multiply bf16.
struct PrecisionExplanation {
  std::string node, reason;
};

struct ValueExplanation {
  std::string value; // "%7 = relu (conv2d)"
  std::string type;
  std::string region; // "arena_batch"
  int64_t offset = 0, bytes = 0;
  bool in_place = false;
  std::string part_of; // the value that it is a slice of, or ""
};

/// A node that costs nothing, as it is made by being where it is.
struct FreeExplanation {
  std::string value, type, reason;
};

/// Kernels that run for some samples of the batch at a time.
struct MicroBatchExplanation {
  std::string first, last; // kernels
  int64_t samples = 0;
};

struct PhaseExplanation {
  std::string name; // "train"
  std::vector<KernelExplanation> kernels;
  std::vector<AlgorithmExplanation> algorithms; // each convolution once
  std::vector<MicroBatchExplanation> micro_batches;
  std::vector<RefusalExplanation> refusals;
  std::vector<FreeExplanation> free;
  std::vector<PrecisionExplanation> kept_f32;
  std::vector<ValueExplanation> values; // those that lie in memory, by node
  int64_t arena_fixed = 0, arena_per_sample = 0;
  int64_t micro_batch_per_sample = 0, micro_batch_most = 0;
};

struct LayoutExplanation {
  std::string parameter, type;
  int64_t bytes = 0;
};

struct Explanation {
  std::string model;
  std::string variant;
  std::vector<LayoutExplanation> layouts;
  int64_t parameter_bytes = 0;
  std::vector<PhaseExplanation> phases;
  int64_t batch = 1;                                         // of the memory
  std::vector<std::pair<std::string, ProgramMemory>> memory; // by use: "training"
  std::optional<Recomputed> recomputed;                      // by the training step
};

/// `kernels`: of every phase, in the order of phases(), as compiled for the variant with `tuning`.
Explanation explain(const Program &, const std::string &variant,
                    const std::vector<std::vector<KernelObject>> &kernels, const Tuning &tuning,
                    int64_t batch);

/// With `memory`, also the place of every value.
std::string text(const Explanation &, bool memory);
nlohmann::ordered_json json(const Explanation &);

} // namespace sinter

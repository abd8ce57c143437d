// The table of layers that Keras's model.summary() prints, with FLOPs and memory.
#pragma once

#include "ir/program.h"

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace sinter {

struct LayerSummary {
  std::string name;
  std::string type;
  Shape output_shape;
  int64_t parameters = 0;
  double flops = 0; // per sample, forward; a multiply-add counts as two
  std::vector<std::string> inbound;
};

struct ModelSummary {
  std::string name;
  std::vector<LayerSummary> layers;
  int64_t trainable = 0, non_trainable = 0; // parameters; one that layers share counts once
  double flops = 0;                         // per sample, forward
  int64_t batch = 0;                        // of the memory figures, in bytes:
  int64_t parameter_bytes = 0;              // weights and statistics, as stored
  int64_t optimizer_bytes = 0;
  int64_t inference_bytes = 0; // of the arena
  int64_t training_bytes = 0;  // of the larger of the training and evaluation arenas
};

ModelSummary summarize(const Program &, int64_t batch);

/// Keras's table and totals, and two lines more.
std::string text(const ModelSummary &);
nlohmann::ordered_json json(const ModelSummary &);

/// "1.27 MB": as Keras prints sizes, with units of 1024.
std::string readable_size(double bytes);

} // namespace sinter

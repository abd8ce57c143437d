// What a frontend makes of a model file: the forward graph and what the file says about training.
#pragma once

#include "ir/fields.h"
#include "ir/graph.h"

#include <optional>

namespace sinter {

/// A layer of a model within the model. A model's parameters are those of its parts.
struct LayerPart {
  std::string name;
  std::string type;
  std::vector<NodeId> parameters;
  std::vector<LayerPart> parts;
};

/// One row of the summary table, in the model's order.
struct LayerRecord {
  std::string name; // "conv2d_1"
  std::string type; // "Conv2D"
  NodeId output;
  std::vector<NodeId> parameters;   // trainable and not
  std::vector<std::string> inbound; // names of the layers it is connected to
  SourceLocation location;
  std::vector<LayerPart> parts; // of a model within the model, in its order
};

/// What the learning rate is multiplied by from step to step; passes/learning_rate.h has the
/// formulas.
struct ScheduleSpec {
  std::string kind = "exponential_decay"; // or "inverse_time_decay", "polynomial_decay",
                                          // "cosine_decay", "piecewise_constant"
  double decay_steps = 1;
  double decay_rate = 1;
  bool staircase = false;
  double power = 1;
  double end = 0;          // the last factor of polynomials and cosines
  double warmup_steps = 0; // of cosines
  double start = 0;        // the first factor when there is a warm-up
  std::vector<int64_t> boundaries;
  std::vector<float> factors; // one more
  SINTER_FIELDS(ScheduleSpec, kind, decay_steps, decay_rate, staircase, power, end, warmup_steps,
                start, boundaries, factors)
};

struct OptimizerSpec {
  std::string kind = "adam"; // "sgd", "adam", "adamax", "nadam", "rmsprop", "adagrad", "adadelta"
  float learning_rate = 1e-3F;
  double momentum = 0; // sgd, rmsprop
  bool nesterov = false;
  double beta_1 = 0.9;
  double beta_2 = 0.999;
  double rho = 0.9;
  float epsilon = 1e-7F;
  bool epsilon_after_root = false;  // see passes/add_optimizer.h
  float initial_accumulator = 0.1F; // adagrad
  double momentum_decay = 1;        // nadam
  float weight_decay = 0;           // w -= learning_rate * weight_decay * w, before the update
  float l2 = 0;                     // l2 * w is added to the gradient
  float clip_norm = 0;              // of each parameter's gradient; 0: not clipped
  float global_clip_norm = 0;       // of all gradients together
  float clip_value = 0;             // of each element
  std::optional<ScheduleSpec> schedule;
  SINTER_FIELDS(OptimizerSpec, kind, learning_rate, momentum, nesterov, beta_1, beta_2, rho,
                epsilon, epsilon_after_root, initial_accumulator, momentum_decay, weight_decay, l2,
                clip_norm, global_clip_norm, clip_value)
};

/// `monitor` is "loss", "val_loss" or a metric's name, with or without "val_".
struct EarlyStoppingSpec {
  std::string monitor = "val_loss";
  std::string mode = "auto"; // "min", "max"; auto: max for accuracies
  int64_t patience = 0;
  float min_delta = 0;
  bool restore_best_weights = false;
  SINTER_FIELDS(EarlyStoppingSpec, monitor, mode, patience, min_delta, restore_best_weights)
};

/// After `patience` epochs without gain the learning rate is multiplied by `factor`, and the next
/// `cooldown` epochs do not count.
struct PlateauSpec {
  std::string monitor = "val_loss";
  std::string mode = "auto";
  double factor = 0.1;
  int64_t patience = 10;
  int64_t cooldown = 0;
  float min_delta = 1e-4F;
  float min_rate = 0;
  SINTER_FIELDS(PlateauSpec, monitor, mode, factor, patience, cooldown, min_delta, min_rate)
};

/// The learning rate of each epoch; the last one holds for any further ones.
struct EpochRates {
  std::vector<float> values;
  SINTER_FIELDS(EpochRates, values)
};

struct CheckpointSpec {
  std::string filepath;
  std::string monitor = "val_loss";
  std::string mode = "auto";
  bool save_best_only = false;
  SINTER_FIELDS(CheckpointSpec, filepath, monitor, mode, save_best_only)
};

/// From compile() and fit(). The loss and the metrics themselves are outputs of the graph.
struct TrainingSpec {
  OptimizerSpec optimizer;
  int64_t epochs = 1;
  int64_t batch_size = 32;
  bool shuffle = true;
  std::optional<EarlyStoppingSpec> early_stopping;
  std::optional<CheckpointSpec> checkpoint;
  std::optional<PlateauSpec> plateau;
  std::optional<EpochRates> epoch_rates;
};

/// One step of picking samples, in the script's order; see sinter_subset_op of the runtime.
struct SubsetStep {
  std::string op =
      "slice"; // "slice", "split_train", "split_test", "head_fraction", "tail_fraction"
  int64_t start = 0;
  int64_t stop = INT64_MAX;
  double test_size = 0; // split: a fraction when below 1, else a count; head/tail: the fraction
  bool shuffle = true;
  int64_t random_state = -1; // -1: the program's seed
  SINTER_FIELDS(SubsetStep, op, start, stop, test_size, shuffle, random_state)
};

struct Subset {
  std::string source; // "train", "test", or "" when the script uses no such subset
  std::vector<SubsetStep> steps;
};

/// One float32 operation on every element of x, in the script's order.
struct ScalingStep {
  std::string op = "divide"; // "multiply", "divide", "add", "subtract"
  float value = 1;
  SINTER_FIELDS(ScalingStep, op, value)
};

/// The symbolic data operations that the script performed.
struct DataSpec {
  std::string dataset; // "fashion_mnist", "mnist"
  std::vector<ScalingStep> scaling;
  int64_t one_hot = 0;      // classes of to_categorical, 0 when labels stay indices
  bool reconstruct = false; // the target of a sample is the scaled sample itself: an autoencoder
  Subset train, validation, test;
};

struct Model {
  std::string name; // "sequential"
  /// Mode-agnostic forward graph: `dropout` and `batch_norm` on moving statistics.
  ///
  /// Inputs of role "data" are the program's arguments, in the graph's order and under their names,
  /// whether every phase needs them or not; then those of role "label", which in the training loop
  /// all come from the same array of labels. Types are f32, i32 or u8, with a batch or without.
  ///
  /// Outputs: "prediction", or several "prediction:NAME" (prediction_output), in the program's
  /// order; after compile() also the scalar "loss" (mean over the batch) and one scalar a metric,
  /// by Keras's name ("accuracy"; of several outputs "NAME_loss", "NAME_accuracy").
  Graph graph;
  std::vector<LayerRecord> layers;
  std::optional<TrainingSpec> training;
  std::optional<DataSpec> data;
};

} // namespace sinter

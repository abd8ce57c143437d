// Layers, tensors and models as a model script sees them.
#pragma once

#include "frontend/native.h"
#include "frontend/regularizers.h"
#include "frontend/value.h"
#include "ir/graph.h"
#include "ir/model.h"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace sinter {

struct LayerCall;

/// A weight or an activation with what its layer says of its size.
struct PenalizedValue {
  NodeId node;
  Penalty penalty;
};

/// A layer instance. It may be called several times: its parameters are made by the first call
/// and shared by the others. A model used as a layer has a Layer too, and so has an object of a
/// class that the script derives from Layer or Model.
struct Layer {
  const LayerType *type = nullptr; // null for a model and an object of a script's class
  KerasModel *model = nullptr;     // of a model
  Instance *instance = nullptr;    // of a script's class
  std::string name;                // "conv2d_1"
  Arguments arguments;
  SourceLocation location;
  bool trainable = true;
  std::vector<NodeId> parameters; // in the order of creation
  std::vector<PenalizedValue> penalties;
  std::vector<LayerCall *> calls;
  std::vector<Layer *> used; // by an object's call(), a Lambda's function, an activation: each once
  bool built = false;        // build() of a script's class has run
  bool named = false;        // of torch.nn: the name is the module's path
  std::map<std::string, Value> initializers; // by torch.nn.init, of parameters by name
  std::string scope;                         // of a layer inside another one: "residual_unit/"

  /// A call of it runs a function of the script: an object's call(), a Lambda's function.
  bool runs_script() const;
  /// What its nodes and parameters are named by: "residual_unit/conv2d".
  std::string path() const { return scope + name; }
  /// "Conv2D", "Sequential"
  std::string class_name() const;
};

/// A symbolic tensor: a value of the session's graph and the call that made it.
struct KerasTensor {
  NodeId node;
  LayerCall *producer = nullptr;
  bool leaf = false; // a weight: no input leads to it
};

struct LayerCall {
  Layer *layer = nullptr;
  std::vector<KerasTensor *> inputs;
  std::vector<KerasTensor *> outputs;
  SourceLocation location;
  CallArguments arguments; // of an object of a script's class: how its call() was called
  bool inference = false;  // called with training=False
};

/// What add_weight() asks for.
struct WeightRequest {
  std::string name;
  Shape shape;
  Value initializer;
  bool trainable = true;
};

/// What a data set's role in training is given by: x and y.
struct SampleSet {
  DataArray *images = nullptr;
  DataArray *labels = nullptr;
  SourceLocation location;

  /// fit(x, x): an autoencoder's samples are their own labels.
  bool reconstructs() const;
};

struct CompileRecord {
  OptimizerSpec optimizer;
  Value loss = None{};         // for the output, or one each in a list or a dict by name
  Value loss_weights = None{}; // likewise
  Value metrics = None{};
  SourceLocation location;
};

struct FitRecord {
  SampleSet train;
  std::optional<SampleSet> validation;
  double validation_split = 0;
  int64_t batch_size = 32;
  int64_t epochs = 1;
  bool shuffle = true;
  std::optional<EarlyStoppingSpec> early_stopping;
  std::optional<CheckpointSpec> checkpoint;
  std::optional<PlateauSpec> plateau;
  std::optional<EpochRates> epoch_rates;
  SourceLocation location;
};

struct KerasModel {
  Layer layer; // the model as a layer; its name is the model's
  bool sequential = false;
  std::vector<Layer *> layers;           // what summary lists, in its order
  std::vector<KerasTensor *> inputs;     // none: a Sequential that was not given an input shape yet
  std::vector<KerasTensor *> outputs;    // of a Sequential: after its last layer
  std::vector<std::string> output_names; // given by a dict of outputs, or none
  std::optional<CompileRecord> compiled;
  std::optional<FitRecord> fit;
  std::vector<SampleSet> evaluated;
  SourceLocation loaded; // where weights of another model were loaded into this one
};

/// The layer that a layer, a model or an object of a script's class is; null for other values.
Layer *layer_of_object(const Value &);
/// The layer as the script sees it: a model when it is one.
Value layer_value(Layer &);

} // namespace sinter

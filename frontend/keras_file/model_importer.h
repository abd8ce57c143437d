// From a Keras model's configuration to the session's layers and calls.
#pragma once

#include "frontend/keras_file/layer_node.h"
#include "frontend/keras_file/operator_layer.h"
#include "frontend/keras_session.h"

#include <map>
#include <set>
#include <string>
#include <vector>

namespace sinter {

/// A layer as the file lists it: what its weights are found by.
struct ImportedLayer {
  std::string name;                  // in the file: a group of weights
  std::string class_name;            // "Conv2D", "Functional"
  std::string path;                  // the prefix of its parameters' names; of no model
  std::vector<ImportedLayer> layers; // of a model, in the file's order
};

struct ImportedModel {
  KerasModel *model = nullptr;
  ImportedLayer root;
};

class ModelImporter {
public:
  ModelImporter(Interpreter &interpreter, SourceLocation file)
      : interpreter_(interpreter), file_(std::move(file)), reader_(interpreter, file_) {}

  /// `description` is {"class_name": "Sequential" or "Functional", "config": {...}}. Everything
  /// that is not supported is found before anything is built, and thrown as one CompileError.
  ImportedModel import(const nlohmann::json &description);

private:
  using Tensors = std::vector<KerasTensor *>;
  struct Network; // a functional model while it is put together
  /// A call that a file lists, waiting for its operands.
  struct PendingCall {
    const nlohmann::json *layer = nullptr;
    int64_t index = 0;
    CallOperands operands;
  };

  void check(const nlohmann::json &description, const std::string &where, int depth);
  void check_layer(const nlohmann::json &layer, const std::string &where, int depth);
  void problem(const nlohmann::json &layer, const std::string &where, const std::string &text);

  /// `scope` is the path of the model, "encoder/block/": what stands before the names of layers
  /// that models within models use again.
  KerasModel *build(const nlohmann::json &description, const std::string &scope,
                    ImportedLayer &into);
  KerasModel *build_sequential(const nlohmann::json &description, const std::string &scope,
                               ImportedLayer &into);
  KerasModel *build_functional(const nlohmann::json &description, const std::string &scope,
                               ImportedLayer &into);
  /// The layer or model of an entry of "layers", recorded in `into`.
  Layer &make(const nlohmann::json &layer, const std::string &scope, ImportedLayer &into);
  void build_calls(Network &, const nlohmann::json &layers);
  bool try_call(Network &, const PendingCall &);
  Tensors references(const Network &, const nlohmann::json &list, const char *what) const;

  Interpreter &interpreter_;
  SourceLocation file_;
  ConfigReader reader_;
  std::map<const nlohmann::json *, Layer *> layers_; // made while checking
  std::map<const nlohmann::json *, TensorOperator> operators_;
  std::set<std::string> paths_; // taken by layers of any model
  std::vector<std::string> problems_;
};

} // namespace sinter

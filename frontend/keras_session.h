// What a script has built with Keras so far: one graph that all its models share, the names that
// are taken, and what is to be trained.
#pragma once

#include "frontend/keras_objects.h"
#include "frontend/torch_schedulers.h"
#include "ir/diagnostics.h"

#include <map>
#include <set>

namespace sinter {

class Interpreter;
class LayerBuilder;

constexpr int64_t kStepsPerLayer = 100; // what applying a layer costs, in evaluation steps

class KerasSession {
public:
  explicit KerasSession(Interpreter &interpreter) : interpreter_(interpreter) {}

  Graph &graph() { return graph_; }

  // Layers.
  /// Keras's name for a class's next instance: "conv2d", "conv2d_1". A given one is kept.
  std::string unique_name(std::string_view class_name, const Value &given);
  void forget_names() { counts_.clear(); }
  Layer *make_layer(const LayerType &, const Arguments &, const SourceLocation &);
  /// Applies a layer, or a model as one, to tensors.
  std::vector<KerasTensor *> apply(Layer &, const std::vector<KerasTensor *> &inputs,
                                   const SourceLocation &);
  /// The same with training=False, of everything in the layer.
  std::vector<KerasTensor *> apply_for_inference(Layer &, const std::vector<KerasTensor *> &inputs,
                                                 const SourceLocation &);
  /// layer(x), layer([a, b]), layer(x, training=True)
  Value call_layer(Layer &, const CallArguments &, const SourceLocation &);
  KerasTensor *make_input(const Shape &, const Value &name, const SourceLocation &);
  /// `op` between tensors, or a tensor and a number.
  Value tensor_arithmetic(const std::string &op, const Value &left, const Value &right,
                          const SourceLocation &);
  /// A layer that the script did not write: of an operator or a function on tensors.
  KerasTensor *apply_operation(std::string_view path,
                               const std::vector<std::pair<std::string, Value>> &arguments,
                               const std::vector<KerasTensor *> &inputs, const SourceLocation &);

  // Objects of the script's classes.
  /// The layer or model of a new object; its __init__ has yet to run.
  Value make_object(Instance &, const SourceLocation &);
  /// After __init__: a model, or the module to become one, is known from here on.
  void register_object(const Value &);
  KerasTensor *add_weight(Layer &, const WeightRequest &, const SourceLocation &);
  /// What a field of an object is now: while a module's forward() is traced, a torch.nn.Parameter
  /// is a tensor.
  Value read_field(const Value &field);
  void set_network(KerasModel &, std::vector<KerasTensor *> inputs,
                   std::vector<KerasTensor *> outputs, const SourceLocation &);

  // Modules of torch.nn.
  /// Whether a module belongs to the last one made, whose parts scripts call to look at shapes.
  bool is_part(const Layer &module, const SourceLocation &);
  /// The network that a module is for an input of that shape; a later call replaces it.
  KerasModel *build_module(Layer &, const Shape &input, const SourceLocation &);
  /// optimizer.step() in a loop over a loader.
  void take_torch_step(const Configured &optimizer, const SourceLocation &);
  /// Gives a module the optimizer and the criterion of a script without a training loop.
  void compile_modules();
  struct {
    std::map<const Layer *, KerasModel *> models; // the networks of modules
    Layer *module = nullptr;                      // the last one made
    const Opaque *pending = nullptr;              // the loss that backward() was called on last
    const Configured *optimizer = nullptr;        // the last one made
    const Configured *criterion = nullptr;        // the last one made
    bool saved = false;                           // torch.save() was called
    TorchRates rates;
    float clip_norm = 0; // of the gradients of the next step, as in OptimizerSpec
    float clip_value = 0;
  } torch;

  // Models.
  KerasModel *make_sequential(const Value &name, const SourceLocation &);
  KerasModel *make_functional(const std::vector<KerasTensor *> &inputs,
                              const std::vector<KerasTensor *> &outputs, const Value &name,
                              const SourceLocation &);
  void add(KerasModel &, const Value &layer, const SourceLocation &);
  void pop(KerasModel &, const SourceLocation &);
  /// Builds a Sequential that was not given an input shape.
  void build(KerasModel &, const Shape &input, const SourceLocation &);

  // Saved files: what a checkpoint or save() of this script writes can be loaded again in it.
  void remember_saved(const std::string &path, KerasModel &model) { saved_[path] = &model; }
  KerasModel *find_saved(const std::string &path) const;

  /// The model that becomes the program: the last one fit, else compiled, else made.
  KerasModel *chosen_model() const;
  void choose(KerasModel &model) { chosen_ = &model; }

private:
  std::vector<KerasTensor *> record(Layer &, const std::vector<KerasTensor *> &inputs,
                                    const std::vector<NodeId> &outputs, const SourceLocation &);
  void finish_call(LayerCall &);
  NodeId append_layer(Layer &, const std::vector<KerasTensor *> &inputs, const SourceLocation &);
  /// The layer's activation of what it makes of the inputs. One that is called is part of the
  /// layer, and so is what it makes.
  NodeId activate(LayerBuilder &, Layer &, const std::vector<KerasTensor *> &inputs, NodeId,
                  const SourceLocation &);
  std::vector<KerasTensor *> repeat(const LayerCall &,
                                    const std::map<const KerasTensor *, KerasTensor *> &replaced,
                                    const SourceLocation &);
  std::vector<NodeId> replay(KerasModel &, const std::vector<KerasTensor *> &inputs,
                             const SourceLocation &);
  Value call_module_on_example(Layer &, const Opaque &example, const SourceLocation &);
  void compile_module(KerasModel &, const Configured &optimizer, const Configured &criterion);
  Value call_on_example(Layer &, const Value &example, const SourceLocation &);
  Value call_object_layer(Layer &, const CallArguments &, const SourceLocation &);
  Value shapes_of(const CallArguments &, const SourceLocation &);
  Value trace_lambda(Layer &, const CallArguments &, const SourceLocation &);
  Value trace(Layer &, const CallArguments &, const SourceLocation &);
  void build_object(KerasModel &, const Shape &input, const SourceLocation &);
  KerasTensor *append_weight(Layer &, const ParameterAttrs &, const SourceLocation &);
  void enter(Layer &);
  void enter_scope(Layer &);
  void leave_scope();
  void append_to_sequence(KerasModel &, Layer &);
  Layer &layer_of(const Value &, const SourceLocation &) const;

  Interpreter &interpreter_;
  Graph graph_;
  std::map<const Opaque *, KerasTensor *> parameter_tensors_; // of torch.nn.Parameter
  NodeId rng_; // the input that random numbers are drawn with, from its first use on
  std::map<std::string, int> counts_;
  std::vector<KerasModel *> models_;
  KerasModel *chosen_ = nullptr;
  std::map<std::string, KerasModel *> saved_;
  int nesting_ = 0;             // of the models that are being applied
  bool inference_ = false;      // what is applied now was called with training=False
  std::vector<Layer *> scopes_; // the objects whose call() is being traced, innermost last
};

/// Tensors given as an argument: one, or a list of at least one. Throws for anything else.
std::vector<KerasTensor *> tensor_arguments(Interpreter &, const Call &, const char *name);

/// "max_pooling2d" of MaxPooling2D, as Keras names layers.
std::string snake_case_name(std::string_view class_name);

/// The calls that lead from a model's inputs to its outputs, operands first, and its layers in
/// the order in which Keras lists them (keras/src/ops/function.py, map_graph_network: by depth,
/// then by first visit).
struct NetworkMap {
  std::vector<LayerCall *> calls;
  std::vector<Layer *> layers;
};
NetworkMap map_network(const std::vector<KerasTensor *> &inputs,
                       const std::vector<KerasTensor *> &outputs, const SourceLocation &);

/// The program's model: the chosen one with its training and data. Throws when there is none.
Model finish_model(Interpreter &, const SourceLocation &file, Diagnostics &);

} // namespace sinter

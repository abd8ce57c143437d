// The layers: one table entry each.
#pragma once

#include "frontend/compose_resize.h"
#include "frontend/initializers.h"
#include "frontend/keras_objects.h"
#include "ir/diagnostics.h"

#include <array>
#include <optional>

namespace sinter {

class LayerBuilder;

// What a layer expects, in its message.
constexpr const char *kImages = "images [N,height,width,channels]";
constexpr const char *kSequences = "sequences [N,steps,channels]";

/// One kind of layer. `native` carries its name and argument list; `apply` appends the layer's
/// nodes for one call, making the parameters through LayerBuilder::parameter. An argument named
/// `activation` is not its affair: every layer's result goes through it.
struct LayerType {
  Native native;
  /// Null of Lambda, which calls a function of the script.
  NodeId (*apply)(LayerBuilder &, const std::vector<NodeId> &inputs);
  int min_inputs = 1;
  int max_inputs = 1; // -1: any number
};

/// What a layer's entry sees while it is called.
class LayerBuilder {
public:
  LayerBuilder(Graph &graph, NodeId &rng, Layer &layer, SourceLocation location, bool inference)
      : graph_(graph), rng_(rng), layer_(layer), location_(std::move(location)),
        inference_(inference) {}

  const Arguments &arguments() const { return layer_.arguments; }
  const Layer &layer() const { return layer_; }
  /// The call was given training=False: statistics are used, not taken, and nothing is dropped.
  bool inference() const { return inference_; }
  // By value: appending a node moves the graph's own.
  TensorType type(NodeId id) const { return graph_.type(id); }
  Shape shape(NodeId id) const { return graph_.type(id).shape; }

  NodeId append(OpKind, std::vector<NodeId> inputs, Attrs = NoAttrs{});
  /// For the functions of frontend/compose.h, which append nodes of this layer.
  Composer composer() { return {graph_, layer_.path(), location_}; }
  /// A constant filled with one value.
  NodeId constant(const Shape &, float value);
  NodeId constant(const Shape &, std::vector<float> values);
  NodeId reshape(NodeId, const Shape &);
  /// The layer's parameter `name`, made on the first call; a later call that needs another shape
  /// is the user's error. What the argument `<family>_regularizer` says, the name when no family is
  /// given, is noted.
  NodeId parameter(const std::string &name, const Shape &, const Value &initializer,
                   const std::string &role = "weight", const std::string &family = "");
  /// The same, starting as `initial` says unless torch.nn.init said otherwise.
  NodeId parameter(const std::string &name, const Shape &, const InitialValues &initial,
                   const std::string &role = "weight");
  /// y + bias, unless the argument use_bias is False.
  NodeId add_bias(NodeId y, int64_t channels);
  /// What training adds to the loss for the size of a value.
  void penalize(NodeId node, const Penalty &penalty) {
    layer_.penalties.push_back({node, penalty});
  }
  /// In [0, 1), drawn anew in every step of training. The stream of random numbers is numbered when
  /// the model is finished: it counts those of that model.
  NodeId random_uniform(const Shape &);
  /// x, and what training has in its place; x alone in a call with training=False.
  NodeId in_training(NodeId x, NodeId training) {
    return inference_ ? x : append(OpKind::in_training, {x, training});
  }
  /// Throws unless the input has `rank` dimensions, which `meaning` names ("images [N,h,w,c]").
  void require_rank(NodeId, int rank, const char *meaning) const;

  template <typename... Args>
  [[noreturn]] void fail(fmt::format_string<Args...> format, Args &&...args) const {
    throw CompileError(location_, "{} '{}' {}", layer_.class_name(), layer_.name,
                       fmt::format(format, std::forward<Args>(args)...));
  }

private:
  NodeId make_parameter(const std::string &name, ParameterAttrs);
  NodeId existing_parameter(const std::string &name, const Shape &);

  Graph &graph_;
  NodeId &rng_; // the session's
  Layer &layer_;
  SourceLocation location_;
  bool inference_;
  size_t next_parameter_ = 0;
};

/// Every layer, the script's and those that stand for operators on tensors ("keras.ops.Add").
const std::vector<LayerType> &layer_types();
const LayerType &layer_type(std::string_view path);

/// The activation functions: a name, a function object or None. Throws for an unknown one.
const Native &find_activation(const Value &, const SourceLocation &);
NodeId append_activation(LayerBuilder &, const Native &activation, NodeId);
/// A function of the script or of tensors, or a layer: what is called with the tensor.
bool is_called_activation(const Value &);
/// "keras.activations.relu" and all others; "keras.ops.gelu", whose default is another.
std::vector<std::string> activation_paths();

/// Every pixel repeated times[0] x times[1] times, or, with `bilinear`, as many between it and its
/// neighbours; `rows` is the dimension of the rows, in front of that of the columns.
NodeId append_upsampling(LayerBuilder &, NodeId image, int64_t rows,
                         const std::array<int64_t, 2> &times,
                         std::optional<compose::Coordinates> bilinear);

// The families, each in the file of its name.
std::vector<LayerType> activation_layers();
std::vector<LayerType> augmentation_layers();
std::vector<LayerType> border_layers();
std::vector<LayerType> convolution_layers();
std::vector<LayerType> core_layers();
std::vector<LayerType> dropout_layers();
std::vector<LayerType> normalization_layers();
std::vector<LayerType> merge_layers();
std::vector<LayerType> pooling_layers();
std::vector<LayerType> shape_layers();
std::vector<LayerType> tensor_layers();
std::vector<LayerType> torch_layers();

/// The order of an image's dimensions: channels-last unless it says otherwise.
ArgumentSpec data_format_argument();
/// use_bias, and the initializers, regularizers and constraints of a kernel and a bias.
std::vector<ArgumentSpec> kernel_and_bias_arguments();
/// The lists one after the other, then the arguments that every layer takes.
std::vector<ArgumentSpec> joined(const std::vector<std::vector<ArgumentSpec>> &lists);
/// `arguments`, then those that every layer takes.
std::vector<ArgumentSpec> with_common_arguments(std::vector<ArgumentSpec> arguments);

// The `call` of a layer entry and of an activation entry.
Value construct_layer(Interpreter &, const Call &);

/// A shape given by the script: (28, 28, 1), or (None, 28, 28, 1) when it includes the batch.
Shape shape_from_value(const Value &, bool with_batch, const SourceLocation &);

} // namespace sinter

// The layers: one table entry each.
#pragma once

#include "frontend/initializers.h"
#include "frontend/keras_objects.h"
#include "ir/diagnostics.h"

namespace sinter {

class LayerBuilder;

/// One kind of layer. `native` carries its name and argument list; `apply` appends the layer's
/// nodes for one call, making the parameters through LayerBuilder::parameter.
struct LayerType {
  Native native;
  NodeId (*apply)(LayerBuilder &, const std::vector<NodeId> &inputs);
  int min_inputs = 1;
  int max_inputs = 1; // -1: any number
};

/// What a layer's entry sees while it is called.
class LayerBuilder {
public:
  LayerBuilder(Graph &graph, Layer &layer, SourceLocation location)
      : graph_(graph), layer_(layer), location_(std::move(location)) {}

  const Arguments &arguments() const { return layer_.arguments; }
  const Layer &layer() const { return layer_; }
  // By value: appending a node moves the graph's own.
  TensorType type(NodeId id) const { return graph_.type(id); }
  Shape shape(NodeId id) const { return graph_.type(id).shape; }

  NodeId append(OpKind, std::vector<NodeId> inputs, Attrs = NoAttrs{});
  /// A constant filled with one value.
  NodeId constant(const Shape &, float value);
  /// The layer's parameter `name`, made on the first call; a later call that needs another shape
  /// is the user's error.
  NodeId parameter(const std::string &name, const Shape &, const Value &initializer,
                   const std::string &role = "weight");
  /// y = activation(x), where the argument named `activation` says which.
  NodeId activate(NodeId);
  /// Throws unless the input has `rank` dimensions, which `meaning` names ("images [N,h,w,c]").
  void require_rank(NodeId, int rank, const char *meaning) const;

  template <typename... Args>
  [[noreturn]] void fail(fmt::format_string<Args...> format, Args &&...args) const {
    throw CompileError(location_, "{} '{}' {}", layer_.class_name(), layer_.name,
                       fmt::format(format, std::forward<Args>(args)...));
  }

private:
  Graph &graph_;
  Layer &layer_;
  SourceLocation location_;
  size_t next_parameter_ = 0;
};

/// Every layer, the script's and those that stand for operators on tensors ("keras.ops.Add").
const std::vector<LayerType> &layer_types();
const LayerType &layer_type(std::string_view path);

/// The activation functions: a name, a function object or None. Throws for an unknown one.
const Native &find_activation(const Value &, const SourceLocation &);
NodeId append_activation(LayerBuilder &, const Native &activation, NodeId);

// The families, each in the file of its name.
std::vector<LayerType> convolution_layers();
std::vector<LayerType> core_layers();
std::vector<LayerType> normalization_layers();
std::vector<LayerType> merge_layers();
std::vector<LayerType> pooling_layers();
std::vector<LayerType> shape_layers();

/// Images are channels-last, the only order there is.
ArgumentSpec data_format_argument();
/// `arguments`, then those that every layer takes.
std::vector<ArgumentSpec> with_common_arguments(std::vector<ArgumentSpec> arguments);

// The `call` of a layer entry and of an activation entry.
Value construct_layer(Interpreter &, const Call &);

/// A shape given by the script: (28, 28, 1), or (None, 28, 28, 1) when it includes the batch.
Shape shape_from_value(const Value &, bool with_batch, const SourceLocation &);

} // namespace sinter

// From an ONNX message to a model.
#pragma once

#include "frontend/load_model.h"
#include "frontend/onnx/operator_context.h"

#include <map>
#include <set>

namespace sinter {

/// Whether a leading extent that is 1 or dynamic becomes the run-time batch.
enum class BatchMode { promoted, fixed };

/// Imports one graph. Values are kept by name in scopes: a subgraph sees its surroundings.
class GraphImporter {
public:
  GraphImporter(const onnx::ModelProto &, SourceLocation file, const LoadOptions &, BatchMode);

  /// The whole model. Throws one CompileError that lists what every node is refused for.
  LoadedModel run();

  /// Imports the nodes that a subgraph's outputs need and returns those outputs.
  std::vector<OnnxValue> import_subgraph(const onnx::GraphProto &);

  int opset() const { return opset_; }
  const SourceLocation &file() const { return file_; }
  Graph &graph() { return loaded_.model.graph; }
  const OnnxValue *find(const std::string &name) const;
  OnnxValue &at(const std::string &name);
  void define(const std::string &name, OnnxValue value);
  /// Counts elements of what is known at compile time and no weight; throws when they are too many.
  void charge(int64_t elements);
  NodeId append(OpKind kind, std::vector<NodeId> operands, Attrs attributes,
                const std::string &layer);
  /// The parameter for a constant; made at first use.
  NodeId parameter(const OnnxValue &, const Shape &shape, const std::vector<int64_t> &permutation,
                   const char *role, const std::string &layer);
  NodeId constant(const HostTensor &, const std::string &layer);
  int64_t next_stream() { return next_stream_++; }

private:
  struct Scope {
    std::map<std::string, OnnxValue> values;
  };

  void define_initializers(const onnx::GraphProto &);
  void define_inputs(const onnx::GraphProto &);
  void define_input(const onnx::ValueInfoProto &);
  Shape input_shape(const onnx::ValueInfoProto &);
  bool bound_dimension(const onnx::TensorShapeProto::Dimension &) const;
  void import_nodes(const onnx::GraphProto &);
  void import_node(const onnx::NodeProto &, const std::string &label);
  bool depends_on_failure(const onnx::NodeProto &) const;
  void define_outputs(const onnx::GraphProto &);
  void record_layer(const onnx::NodeProto &, const std::string &label, int first_node);

  const onnx::ModelProto &proto_;
  SourceLocation file_;
  const LoadOptions &options_;
  BatchMode mode_;
  int opset_ = 0;
  LoadedModel loaded_;
  std::vector<Scope> scopes_;
  std::map<std::string, NodeId> parameters_; // by name, shape and permutation
  std::set<std::string> failed_;             // values whose node was refused
  std::vector<std::string> problems_;
  int64_t next_stream_ = 0;
  int64_t folded_elements_ = 0;
};

} // namespace sinter

#include "frontend/onnx/import_graph.h"

#include "frontend/onnx/graph_order.h"
#include "frontend/onnx/operator_table.h"
#include "frontend/onnx/read_model.h"
#include "ir/strided_view.h"

#include <algorithm>
#include <filesystem>
#include <fmt/format.h>

namespace sinter {

namespace {

constexpr int kOldestOpset = 1; // of sets before 6, the operators that have not changed since
constexpr int kNewestOpset = 22;
constexpr size_t kListedProblems = 20;
/// Elements of everything that is known at compile time and no weight.
constexpr int64_t kMaxFoldedTotal = int64_t{1} << 26;
/// Of operations of the IR: ten times those of the largest network that anybody has exported.
constexpr int kMostNodes = 200'000;
/// Every node of the IR carries the name of its layer.
constexpr size_t kLongestName = 1000;
/// Larger operands are weights, and no shape arithmetic.
constexpr int64_t kMaxFoldedOperand = int64_t{1} << 20;
/// Initialisers up to this size may be folded: factors and bounds rather than weights.
constexpr int64_t kMaxFoldedInitializer = 4;

int default_opset(const onnx::ModelProto &model, const SourceLocation &file) {
  int64_t version = 1;
  for (const onnx::OperatorSetIdProto &set : model.opset_import())
    if (set.domain().empty() || set.domain() == "ai.onnx")
      version = set.version();
  if (model.opset_import_size() == 0)
    throw CompileError(file, "the file names no operator set");
  if (version < kOldestOpset || version > kNewestOpset)
    throw CompileError(file, "the file needs operator set {}: {} to {} are supported", version,
                       kOldestOpset, kNewestOpset);
  return static_cast<int>(version);
}

bool is_foldable(const OperatorContext &context) {
  int64_t elements = 0;
  for (size_t i = 0; i < context.operand_count(); ++i) {
    if (!context.has_operand(i))
      continue;
    const OnnxValue &value = context.operand(i);
    if (!value.constant)
      return false;
    if (value.initializer && value.constant->size() > kMaxFoldedInitializer)
      return false;
    elements += value.constant->size();
  }
  return elements <= kMaxFoldedOperand;
}

} // namespace

GraphImporter::GraphImporter(const onnx::ModelProto &proto, SourceLocation file,
                             const LoadOptions &options, BatchMode mode)
    : proto_(proto), file_(std::move(file)), options_(options), mode_(mode),
      opset_(default_opset(proto, file_)) {}

LoadedModel GraphImporter::run() {
  const onnx::GraphProto &graph = proto_.graph();
  loaded_.model.name = std::filesystem::path(*file_.file).stem().string();
  scopes_.emplace_back();
  define_initializers(graph);
  define_inputs(graph);
  import_nodes(graph);
  if (problems_.empty())
    define_outputs(graph);
  if (!problems_.empty()) {
    const size_t count = problems_.size();
    problems_.resize(std::min(count, kListedProblems));
    throw CompileError(
        file_, "{}{}", fmt::join(problems_, "; "),
        count > kListedProblems ? fmt::format("; and {} more", count - kListedProblems) : "");
  }
  return std::move(loaded_);
}

void GraphImporter::define_initializers(const onnx::GraphProto &graph) {
  for (const onnx::TensorProto &tensor : graph.initializer()) {
    OnnxValue value;
    value.constant = read_tensor(tensor, file_);
    value.type = value.constant->type;
    value.initializer = is_float(value.type);
    define(tensor.name(), std::move(value));
  }
  if (graph.sparse_initializer_size() > 0)
    throw CompileError(file_, "sparse initialisers are not supported: '{}'",
                       graph.sparse_initializer(0).values().name());
}

void GraphImporter::define_inputs(const onnx::GraphProto &graph) {
  for (const onnx::ValueInfoProto &input : graph.input()) {
    if (scopes_.back().values.count(input.name()))
      continue; // the default of an initialiser
    try {
      define_input(input);
    } catch (const CompileError &error) {
      problems_.push_back(error.text());
      failed_.insert(input.name());
    }
  }
}

void GraphImporter::define_input(const onnx::ValueInfoProto &input) {
  if (!input.type().has_tensor_type())
    throw CompileError(file_, "input '{}' is no tensor", input.name());
  OnnxValue value;
  value.type = data_type(input.type().tensor_type().elem_type());
  if (value.type == DataType::unsupported)
    throw CompileError(file_, "input '{}' has element type {}, which is not supported",
                       input.name(), input.type().tensor_type().elem_type());
  InputAttrs attributes{input.name(), "data", {graph_element(value.type), input_shape(input), 0}};
  attributes.channels_first = attributes.type.rank() == 4;
  value.node = append(OpKind::input, {}, attributes, input.name());
  define(input.name(), std::move(value));
}

Shape GraphImporter::input_shape(const onnx::ValueInfoProto &input) {
  Shape shape;
  for (const onnx::TensorShapeProto::Dimension &dimension :
       input.type().tensor_type().shape().dim()) {
    const bool leading = shape.empty();
    const auto bound = options_.dimensions.find(dimension.dim_param());
    if (dimension.has_dim_value() && dimension.dim_value() > 0)
      shape.push_back(dimension.dim_value());
    else if (bound != options_.dimensions.end() && !dimension.dim_param().empty())
      shape.push_back(bound->second);
    else if (leading)
      shape.push_back(mode_ == BatchMode::promoted ? kBatch : 1);
    else
      throw CompileError(
          file_, "input '{}' has the dynamic dimension '{}': give it with --dim {}=N", input.name(),
          dimension.dim_param(), dimension.dim_param().empty() ? "NAME" : dimension.dim_param());
    if (leading && mode_ == BatchMode::promoted && shape[0] == 1 && !bound_dimension(dimension))
      shape[0] = kBatch;
  }
  return shape;
}

/// The extent was fixed by the user, and stays so.
bool GraphImporter::bound_dimension(const onnx::TensorShapeProto::Dimension &dimension) const {
  return options_.dimensions.count(dimension.dim_param()) > 0;
}

const OnnxValue *GraphImporter::find(const std::string &name) const {
  for (auto scope = scopes_.rbegin(); scope != scopes_.rend(); ++scope) {
    const auto found = scope->values.find(name);
    if (found != scope->values.end())
      return &found->second;
  }
  return nullptr;
}

OnnxValue &GraphImporter::at(const std::string &name) {
  const OnnxValue *found = find(name);
  if (!found)
    throw CompileError(file_, "there is no value '{}'", name);
  return const_cast<OnnxValue &>(*found);
}

void GraphImporter::define(const std::string &name, OnnxValue value) {
  value.name = name;
  if (value.constant && !value.initializer)
    charge(value.constant->size());
  if (!scopes_.back().values.emplace(name, std::move(value)).second)
    throw CompileError(file_, "the value '{}' is defined twice", name);
}

void GraphImporter::charge(int64_t elements) {
  folded_elements_ += elements;
  if (folded_elements_ > kMaxFoldedTotal)
    throw CompileError(file_, "the file's constants have more than {} elements", kMaxFoldedTotal);
}

NodeId GraphImporter::append(OpKind kind, std::vector<NodeId> operands, Attrs attributes,
                             const std::string &layer) {
  if (graph().size() >= kMostNodes)
    throw CompileError(file_, "the file's graph has more than {} operations", kMostNodes);
  if (const auto *table = std::get_if<ResampleAttrs>(&attributes))
    charge(static_cast<int64_t>(table->indices.size() + table->weights.size()));
  return graph().append(kind, std::move(operands), std::move(attributes), layer, file_);
}

NodeId GraphImporter::parameter(const OnnxValue &value, const Shape &shape,
                                const std::vector<int64_t> &permutation, const char *role,
                                const std::string &layer) {
  const std::string key = fmt::format("{}|{}|{}", value.name, str(shape), str(permutation));
  const auto found = parameters_.find(key);
  if (found != parameters_.end())
    return found->second;
  const Shape stored = permutation.empty() ? shape : permuted(shape, permutation);
  // A weight that is used in two layouts is stored in both; only the first keeps its name.
  std::string name = value.name;
  for (int i = 2; loaded_.weights.count(name) > 0; ++i)
    name = fmt::format("{}#{}", value.name, i);
  ParameterAttrs attributes;
  attributes.name = name;
  attributes.role = role;
  attributes.type = TensorType{ElementType::f32, stored, 0};
  const NodeId node = append(OpKind::parameter, {}, attributes, layer);
  const std::vector<float> &values = *value.constant->floats;
  loaded_.weights[name] = {stored,
                           permutation.empty() ? values : transposed(values, shape, permutation)};
  parameters_.emplace(key, node);
  return node;
}

NodeId GraphImporter::constant(const HostTensor &tensor, const std::string &layer) {
  ConstantAttrs attributes;
  attributes.type = TensorType{graph_element(tensor.type), tensor.shape, 0};
  charge(tensor.size());
  if (tensor.size() == 0)
    throw CompileError(file_, "a constant of shape {} has no elements (node {})", str(tensor.shape),
                       layer);
  if (tensor.holds_floats())
    attributes.values = *tensor.floats;
  for (int64_t value : tensor.integers) {
    if (value > kMaxExactInteger || value < -kMaxExactInteger)
      throw CompileError(file_,
                         value == kSymbolicBatch ? "node {} computes with the batch"
                                                 : "the integer constant of node {} is beyond 2^24",
                         layer);
    attributes.values.push_back(static_cast<float>(value));
  }
  return append(OpKind::constant, {}, std::move(attributes), layer);
}

bool GraphImporter::depends_on_failure(const onnx::NodeProto &node) const {
  return std::any_of(node.input().begin(), node.input().end(),
                     [&](const std::string &name) { return failed_.count(name) > 0; });
}

void GraphImporter::import_nodes(const onnx::GraphProto &graph) {
  const std::vector<int> order = order_of_needed_nodes(graph, file_);
  for (int index : order) {
    const onnx::NodeProto &node = graph.node(index);
    const std::string label =
        node.name().empty() ? fmt::format("{}_{}", node.op_type(), index) : node.name();
    try {
      if (label.size() > kLongestName)
        throw CompileError(file_, "the name of a node has {} letters", label.size());
      if (!depends_on_failure(node)) {
        import_node(node, label);
        continue;
      }
    } catch (const CompileError &error) {
      problems_.push_back(error.text());
    }
    failed_.insert(node.output().begin(), node.output().end());
  }
}

void GraphImporter::import_node(const onnx::NodeProto &node, const std::string &label) {
  const OnnxOperator *entry = find_onnx_operator(node.domain(), node.op_type());
  SINTER_ASSERT(entry != nullptr, "operator {} was not checked", node.op_type());
  OperatorContext context(*this, node, label);
  const int first_node = graph().size();
  if (!entry->fold || !is_foldable(context) || !entry->fold(context)) {
    context.require(entry->import != nullptr, "all operands must be known at compile time");
    entry->import(context);
  }
  for (const std::string &name : node.output())
    if (!name.empty() && !scopes_.back().values.count(name))
      failed_.insert(name); // an optional result that the operator has not computed
  record_layer(node, label, first_node);
}

/// Nodes that became something of the graph; those folded away are no layers.
void GraphImporter::record_layer(const onnx::NodeProto &node, const std::string &label,
                                 int first_node) {
  if (graph().size() == first_node || node.output_size() == 0)
    return;
  const OnnxValue *output = find(node.output(0));
  if (!output || !output->node.valid())
    return;
  LayerRecord record;
  record.name = label;
  record.type = node.op_type();
  record.output = output->node;
  for (int i = first_node; i < graph().size(); ++i)
    if (graph()[NodeId{i}].kind == OpKind::parameter)
      record.parameters.push_back(NodeId{i});
  loaded_.model.layers.push_back(std::move(record));
}

std::vector<OnnxValue> GraphImporter::import_subgraph(const onnx::GraphProto &subgraph) {
  scopes_.emplace_back();
  define_initializers(subgraph);
  const size_t problems_before = problems_.size();
  import_nodes(subgraph);
  std::vector<OnnxValue> results;
  if (problems_.size() == problems_before)
    for (const onnx::ValueInfoProto &output : subgraph.output())
      results.push_back(at(output.name()));
  scopes_.pop_back();
  if (problems_.size() > problems_before) {
    const std::string text = problems_.back();
    problems_.pop_back();
    throw CompileError(file_, text);
  }
  return results;
}

void GraphImporter::define_outputs(const onnx::GraphProto &proto) {
  for (const onnx::ValueInfoProto &output : proto.output()) {
    OnnxValue &value = at(output.name());
    if (!value.node.valid())
      value.node = constant(*value.constant, output.name());
    graph().outputs.push_back({prediction_output(output.name()), value.node});
  }
  if (graph().outputs.empty())
    throw CompileError(file_, "the graph has no outputs");
}

} // namespace sinter

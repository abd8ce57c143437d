#include "frontend/onnx/load_onnx.h"

#include "frontend/onnx/import_graph.h"
#include "frontend/onnx/operator_table.h"
#include "frontend/onnx/read_model.h"

#include <fmt/format.h>

namespace sinter {

namespace {

/// Every node's operator, the subgraphs' included, by name with the nodes that use it.
void collect_unsupported(const onnx::GraphProto &graph,
                         std::map<std::string, std::vector<std::string>> &unsupported) {
  for (const onnx::NodeProto &node : graph.node()) {
    if (!find_onnx_operator(node.domain(), node.op_type())) {
      const std::string prefix = node.domain().empty() ? "" : node.domain() + ".";
      const std::string &first = node.output_size() > 0 ? node.output(0) : node.name();
      unsupported[prefix + node.op_type()].push_back(node.name().empty() ? first : node.name());
    }
    for (const onnx::AttributeProto &attribute : node.attribute())
      if (attribute.has_g())
        collect_unsupported(attribute.g(), unsupported);
  }
}

void require_supported(const onnx::ModelProto &model, const SourceLocation &file) {
  std::map<std::string, std::vector<std::string>> unsupported;
  collect_unsupported(model.graph(), unsupported);
  if (unsupported.empty())
    return;
  constexpr size_t kNamedNodes = 5;
  constexpr size_t kNamedOperators = 100;
  while (unsupported.size() > kNamedOperators)
    unsupported.erase(std::prev(unsupported.end()));
  std::string text;
  for (auto &[name, nodes] : unsupported) {
    const size_t count = nodes.size();
    nodes.resize(std::min(count, kNamedNodes));
    text +=
        fmt::format("{}{} ({}{})", text.empty() ? "" : ", ", name, fmt::join(nodes, ", "),
                    count > kNamedNodes ? fmt::format(" and {} more", count - kNamedNodes) : "");
  }
  throw CompileError(file, "operators that are not supported: {}", text);
}

/// Tries with a run-time batch first. A file that fixes no batch by itself loses little when that
/// fails: the program then computes one sample, or as many as the file or --dim says.
LoadedModel import_model(const onnx::ModelProto &model, const SourceLocation &file,
                         const LoadOptions &options, Diagnostics &diagnostics) {
  require_supported(model, file);
  try {
    return GraphImporter(model, file, options, BatchMode::promoted).run();
  } catch (const CompileError &error) {
    LoadedModel loaded = GraphImporter(model, file, options, BatchMode::fixed).run();
    for (const onnx::ValueInfoProto &input : model.graph().input()) {
      const auto &dimensions = input.type().tensor_type().shape();
      if (dimensions.dim_size() > 0 && !dimensions.dim(0).has_dim_value() &&
          options.dimensions.count(dimensions.dim(0).dim_param()) == 0)
        diagnostics.warn(
            file,
            fmt::format("the batch is 1, because it cannot be left to the run: {}", error.text()));
    }
    return loaded;
  }
}

} // namespace

LoadedModel load_onnx(const std::string &path, const LoadOptions &options,
                      Diagnostics &diagnostics) {
  const onnx::ModelProto model = read_onnx_file(path);
  return import_model(model, {std::make_shared<const std::string>(path), 0, 0}, options,
                      diagnostics);
}

LoadedModel load_onnx_bytes(const std::string &name, std::string_view bytes,
                            const LoadOptions &options, Diagnostics &diagnostics) {
  const onnx::ModelProto model = parse_onnx(name, bytes);
  return import_model(model, {std::make_shared<const std::string>(name), 0, 0}, options,
                      diagnostics);
}

} // namespace sinter
